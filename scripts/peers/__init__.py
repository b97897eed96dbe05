"""One training loop a file, for `scripts.bench_peers`: each runs in a process and an environment of its own."""
