"""Adam for tables of which a batch touches few rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class LazyAdam(torch.optim.Adam):
    """Adam whose step reads and writes only the rows that the batch touched, where a gradient is sparse.

    A touched row gets Adam's update with the bias correction of the optimiser's step number, and weight decay
    added to its gradient; a row that is not touched keeps its weights and both moments as they are. Dense Adam
    would let those moments fade, move the row by them, and decay it. Where every row is touched each step the two
    are the same. Dense gradients are left to :class:`torch.optim.Adam`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._sums: dict[int, RowSums] = {}

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Update all parameters that have a gradient; sparse gradients are used up."""
        assert closure is None
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None and p.grad.is_sparse:
                    self._update_rows(p, group)
                    p.grad = None
        super().step()

    def _update_rows(self, p: nn.Parameter, group: dict[str, Any]) -> None:
        state = self.state[p]
        if not state:
            # The step is a float tensor because torch's Adam has it so.
            state |= {"step": torch.zeros(()), "exp_avg": torch.zeros_like(p), "exp_avg_sq": torch.zeros_like(p)}
        state["step"] += 1
        t, (beta1, beta2) = float(state["step"]), group["betas"]
        assert p.grad is not None
        rows, g = self._row_sums(len(p))(p.grad)
        w, m, v = (tensor.index_select(0, rows) for tensor in (p, state["exp_avg"], state["exp_avg_sq"]))
        g.add_(w, alpha=group["weight_decay"])
        m.lerp_(g, 1 - beta1)
        v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
        scale = (v.sqrt() / (1 - beta2**t) ** 0.5).add_(group["eps"])
        w.addcdiv_(m, scale, value=-group["lr"] / (1 - beta1**t))
        for tensor, part in ((p, w), (state["exp_avg"], m), (state["exp_avg_sq"], v)):
            tensor.index_copy_(0, rows, part)

    def _row_sums(self, rows: int) -> RowSums:
        """One for all tables of a size: embedding and first-order weights share it."""
        if rows not in self._sums:
            self._sums[rows] = RowSums(rows)
        return self._sums[rows]


class RowSums:
    """Adds up what a sparse gradient has for the same row, without sorting.

    Args:
        rows: N, number of rows of the table.
    """

    def __init__(self, rows: int) -> None:
        # For each row the place in the gradient that last named it; what older gradients left is never read.
        self.last = torch.empty(rows, dtype=torch.int32)

    def __call__(self, gradient: Tensor) -> tuple[Tensor, Tensor]:
        """The rows named, once each, int64 ``[U]``, and their sums, ``[U, X]``."""
        named, values = gradient._indices()[0], gradient._values()
        places = torch.arange(len(named), dtype=torch.int32)
        self.last.index_copy_(0, named, places)
        last = self.last.index_select(0, named)
        first = last == places
        rows = named[first]
        number = (torch.cumsum(first, 0) - 1).index_select(0, last)
        return rows, values.new_zeros(len(rows), values.shape[1]).index_add_(0, number, values)
