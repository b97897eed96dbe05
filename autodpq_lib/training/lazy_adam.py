"""Adam for tables when a batch touches few of their rows."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

import autodpq_native as native
from autodpq_lib.training.adam import BETA1, BETA2, EPSILON, Adam
from autodpq_native import lazy_adam as in_c


def step_numbers(t: int, lr: float, decay: float) -> tuple[float, ...]:
    """Of step t = 1, 2, ..., as C takes them: ``lr / (1 - beta1^t)``, both betas, ``sqrt(1 - beta2^t)``, eps, decay."""
    return lr / (1 - BETA1**t), BETA1, BETA2, math.sqrt(1 - BETA2**t), EPSILON, decay


class LazyAdam(Adam):
    """Adam that, for a sparse gradient, reads and writes only the rows that the batch touched.

    A touched row gets Adam's update, with weight decay added to its gradient and the bias corrected by the table's
    number of steps, not the row's. An untouched row keeps its weights and both moments. Dense Adam would let those
    moments fade, move the row by them, and decay it. Where every step touches every row the two are the same up to
    rounding. Dense gradients are left to :class:`Adam`.
    """

    def __init__(self, parameters: list[nn.Parameter], lr: float, weight_decay: float = 0.0) -> None:
        super().__init__(parameters, lr, weight_decay)
        self._last: dict[int, Tensor] = {}

    @torch.no_grad()
    def step(self) -> None:
        """Update all parameters that have a gradient; sparse gradients are used up."""
        for n, p in enumerate(self.parameters):
            if p.grad is not None and p.grad.is_sparse:
                self._update_rows(n, p, p.grad)
                p.grad = None
        super().step()

    def _update_rows(self, n: int, p: Tensor, grad: Tensor) -> None:
        self.steps[n] += 1
        tables = (p.data, self.first[n], self.second[n])
        named, values = grad._indices()[0].contiguous(), grad._values().contiguous()
        step = step_numbers(int(self.steps[n]), self.lr, self.weight_decay)
        update = in_c.update_rows if native.takes(p) else update_rows
        update(*tables, self._scratch(p), named, values, step)

    def _scratch(self, p: Tensor) -> Tensor:
        """Scratch int32 ``[N]``, shared by tables of equal N; what an earlier step left is never relied on."""
        if len(p) not in self._last:
            self._last[len(p)] = torch.zeros(len(p), dtype=torch.int32, device=p.device)
        return self._last[len(p)]


def update_rows(
    w: Tensor, m: Tensor, v: Tensor, last: Tensor, named: Tensor, values: Tensor, step: tuple[float, ...]
) -> None:
    """The update in torch's operators.

    Args:
        w: weights ``[N, X]``, changed in place.
        m: first moments ``[N, X]``, changed in place.
        v: second moments ``[N, X]``, changed in place.
        last: int32 ``[N]``, scratch.
        named: int64 ``[P]``, the rows that the gradient names; a row may occur repeatedly.
        values: ``[P, X]``, the gradient's value for each.
        step: see :func:`step_numbers`.
    """
    rate, beta1, beta2, correction, epsilon, decay = step
    rows, g = summed(last, named, values)
    w_, m_, v_ = (table.index_select(0, rows) for table in (w, m, v))
    g.add_(w_, alpha=decay)
    m_.lerp_(g, 1 - beta1)
    v_.mul_(beta2).addcmul_(g, g, value=1 - beta2)
    w_.addcdiv_(m_, (v_.sqrt() / correction).add_(epsilon), value=-rate)
    for table, part in ((w, w_), (m, m_), (v, v_)):
        table.index_copy_(0, rows, part)


def summed(last: Tensor, named: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
    """The rows named, once each, int64 ``[U]``, and the sums of their values ``[U, X]``; without sorting."""
    index = torch.arange(len(named), dtype=torch.int32, device=named.device)
    last.index_copy_(0, named, index)
    last_index = last.index_select(0, named)
    chosen = last_index == index
    rows = named[chosen]
    rank = (torch.cumsum(chosen, 0) - 1).index_select(0, last_index)
    return rows, values.new_zeros(len(rows), values.shape[1]).index_add_(0, rank, values)
