"""One training loop a file, for `benchmarks.peers.epochs`: each runs in a process and an environment of its own."""
