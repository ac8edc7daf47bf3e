"""Signal in, events out. Knows nothing of instruments or experiments."""
