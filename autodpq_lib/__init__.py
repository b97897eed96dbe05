"""A thin library for the replication of AutoDPQ."""
