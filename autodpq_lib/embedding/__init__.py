"""Embeddings: ids in, vectors out, interchangeable in every model."""
