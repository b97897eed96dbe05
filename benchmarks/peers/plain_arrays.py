"""MovieLens-1M as plain arrays, for loops that know nothing of this suite."""

from __future__ import annotations

import numpy as np

from autodpq_data.prepared import load_samples, load_schema
from autodpq_data.split import Part
from benchmarks.peers.timed import Arrays


def plain_arrays(*parts: Part) -> Arrays:
    """Ids and labels of these parts, and how many features each field has."""
    every = {part: load_samples("ml-1m", part) for part in parts}
    arrays: Arrays = {f"{part}_ids": samples.ids.long().numpy() for part, samples in every.items()}
    arrays |= {f"{part}_labels": samples.labels.numpy() for part, samples in every.items()}
    return arrays | {"sizes": np.array(load_schema("ml-1m", 40).sizes)}
