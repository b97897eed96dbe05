"""Where things lie, how they are written, and what a process is given: knows nothing of click-through rates."""
