"""The live traces of a rig: envelope, picture and marks without a screen, and one widget that shows them."""
