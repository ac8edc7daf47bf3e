"""Kindling experiments: thresholds, daily kindling, drug tests, and what follows from them."""

__version__ = "0.1.0"
