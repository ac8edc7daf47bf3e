"""A bench without hardware: one sample clock for a board, a stimulator and a rat, behind the real wire protocols."""
