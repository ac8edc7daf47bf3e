"""Studies as other programs want them: NWB, EDF+, BIDS, MNE's FIF, and tables."""
