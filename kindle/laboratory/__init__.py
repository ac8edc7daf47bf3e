"""Several rigs, one study: every rig keeps its own journal, and one PostgreSQL database holds a copy of each."""
