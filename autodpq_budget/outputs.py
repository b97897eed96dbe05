"""The vectors that the tables of a model give, for gradients by them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn


@contextmanager
def outputs_of(parts: Sequence[nn.Module]) -> Iterator[list[Tensor]]:
    """While the context lasts, the latest output of each of ``parts``; it requires grad, even of a frozen module."""
    seen = [torch.zeros(())] * len(parts)
    hooks = [part.register_forward_hook(partial(_keep, seen, n)) for n, part in enumerate(parts)]
    try:
        yield seen
    finally:  # a hook that stays keeps the last batch, and no model with it can be pickled
        for hook in hooks:
            hook.remove()


def _keep(seen: list[Tensor], n: int, _: nn.Module, __: tuple[Tensor, ...], vectors: Tensor) -> None:
    seen[n] = vectors if vectors.requires_grad else vectors.requires_grad_()
