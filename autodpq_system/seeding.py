"""Randomness without state: every stream of numbers is a function of names, never of history.

Because the order of the data, the initial weights and the noise of an epoch depend only on
``(seed, purpose, epoch)``, an interrupted run resumes at an epoch with no generator state to restore.
"""

from __future__ import annotations

import hashlib

import torch


def seed_for(*names: object) -> int:
    """A 63-bit seed from the names, in order (``seed_for(12, "x")`` differs from ``seed_for(21, "x")``)."""
    text = "/".join(str(name) for name in names)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(*names: object) -> torch.Generator:
    """A fresh torch generator seeded with :func:`seed_for`."""
    return torch.Generator().manual_seed(seed_for(*names))
