"""Fit a model, search for a decision, and what both need."""
