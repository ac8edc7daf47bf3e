"""Measurements of accuracy and speed, each printed by one command."""
