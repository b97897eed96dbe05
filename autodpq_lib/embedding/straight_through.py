"""Hard codes going forward, the softmax's gradient going backward: the trick that makes DPQ trainable."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable


class StraightThrough(Function):
    """Choose centroids by the largest response, differentiate as if by softmax.

    Forward, in each subspace i: ``r_k = <e^(i), q_k^(i)> + b_k``, ``c = argmax_k r_k``, output ``v_c^(i)``.
    Backward, with ``s = softmax(r / tau)`` and ``g`` the gradient of the output:

    - ``dv_c += g`` (the chosen centroid alone),
    - ``dr = s * (u - <s, u>) / tau`` with ``u_k = <g, v_k^(i)>``,
    - ``de = sum_k dr_k q_k``, ``dq_k += dr_k e`` and ``db_k += dr_k``.

    It equals autograd through ``onehot + (s - s.detach())`` at a third of the cost: no softmax in the forward pass,
    and none in the backward pass either where only later operations need a gradient, as in alpha's step.
    """

    @staticmethod
    def forward(
        ctx: Any, e: Tensor, keys: Tensor, values: Tensor, _bias: Tensor | None, responses: Tensor, tau: float
    ) -> Tensor:
        """Chosen centroids ``[T, D, P, w]`` for parts ``e`` ``[D, P, w]``, tables ``[T, D, K, w]``, ``w = X/D``.

        ``responses`` ``[T, D, P, K]`` come from ``e``, ``keys`` and ``bias``, and may include noise and a mask;
        ``bias`` ``[T, D, K]`` is passed only for its gradient.
        """
        codes = responses.argmax(-1)  # [T, D, P]
        ctx.save_for_backward(e, keys, values, responses, codes)
        ctx.tau = tau
        return look_up(values, codes)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of ``e``, ``keys``, ``values`` and, if there is one, ``bias``."""
        (grad,) = grads  # [T, D, P, w]
        e, keys, values, responses, codes = ctx.saved_tensors
        weighted = torch.softmax(responses / ctx.tau, -1)  # [T, D, P, K]
        u = grad @ values.transpose(2, 3)  # [T, D, P, K]
        weighted *= u - (weighted * u).sum(-1, keepdim=True)
        weighted /= ctx.tau  # dr
        into = codes[..., None].expand_as(grad)  # [T, D, P, w]
        chosen = torch.zeros_like(values).scatter_add_(2, into, grad)  # [T, D, K, w]
        bias_grad = weighted.sum(2) if ctx.needs_input_grad[3] else None  # [T, D, K]
        return (weighted @ keys).sum(0), weighted.transpose(2, 3) @ e, chosen, bias_grad, None, None


def look_up(values: Tensor, codes: Tensor) -> Tensor:
    """Centroids of the codes: ``[T, D, K, w]``, int64 ``[T, D, P]`` -> ``[T, D, P, w]``."""
    return values.gather(2, codes[..., None].expand(-1, -1, -1, values.shape[-1]))
