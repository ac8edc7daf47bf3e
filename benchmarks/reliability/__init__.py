"""Crashes, faults, hostile input and long runs, each part with its figures: `python -m benchmarks.reliability`."""
