"""Experiments as generators that ask: they read like a Methods section and touch nothing."""
