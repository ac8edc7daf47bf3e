"""The desktop: a thin shell that draws, asks and calls; what it shows is decided without a screen."""
