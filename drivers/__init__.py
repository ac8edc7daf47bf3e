"""Instruments of a kindling rig, and their emulation. Knows nothing of experiments."""
