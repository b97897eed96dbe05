"""Other ways to make an embedding small, for comparison at equal bytes; each faithful to the paper that it names."""
