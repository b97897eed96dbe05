"""The evaluation: which runs there are, which are done, and what their records say. It trains nothing."""
