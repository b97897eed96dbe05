"""CTR models on an embedding."""
