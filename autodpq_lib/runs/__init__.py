"""One run: its data, its checkpoints, its record."""
