"""Hard codes going forward, the softmax's gradient going backward: the trick that makes DPQ trainable."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function


class StraightThrough(Function):
    """Choose centroids by the largest response, differentiate as if by softmax.

    Forward, in each subspace i: ``r_k = <e^(i), q_k^(i)>``, ``c = argmax_k r_k``, output ``v_c^(i)``.
    Backward, with ``s = softmax(r / tau)`` and ``g`` the gradient of the output:

    - ``dv_c += g`` (the chosen centroid alone),
    - ``dr = s * (u - <s, u>) / tau`` with ``u_k = <g, v_k^(i)>``,
    - ``de = sum_k dr_k q_k`` and ``dq_k += dr_k e``.

    It equals autograd through ``onehot + (s - s.detach())``, with a third of its work: no softmax going
    forward, and none at all where only what follows needs a gradient, as in alpha's step.
    """

    @staticmethod
    def forward(ctx: Any, e: Tensor, keys: Tensor, values: Tensor, *rest: Any) -> Tensor:
        """Chosen centroids ``[T, D, P, w]`` for parts ``e`` ``[D, P, w]``, tables ``[T, D, K, w]``, ``w = X/D``.

        ``bias`` ``[T, D, K]`` is in the responses; it is named here for its gradient.

        ``responses`` ``[T, D, P, K]`` are those of ``e`` and ``keys``, with noise or a mask if there is any.
        """
        _bias, responses, tau = rest
        codes = responses.argmax(-1)
        ctx.save_for_backward(e, keys, values, responses, codes)
        ctx.tau = tau
        return look_up(values, codes)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor | None, None, None]:
        """Gradients of ``e``, ``keys``, ``values`` and, if there is any, ``bias``."""
        (grad,) = grads
        e, keys, values, responses, codes = ctx.saved_tensors
        weighted = torch.softmax(responses / ctx.tau, -1)
        u = grad @ values.transpose(2, 3)
        weighted *= u - (weighted * u).sum(-1, keepdim=True)
        weighted /= ctx.tau  # dr, [T, D, P, K]
        into = codes[..., None].expand_as(grad)
        chosen = torch.zeros_like(values).scatter_add_(2, into, grad)
        bias = weighted.sum(2) if ctx.needs_input_grad[3] else None
        return (weighted @ keys).sum(0), weighted.transpose(2, 3) @ e, chosen, bias, None, None


def look_up(values: Tensor, codes: Tensor) -> Tensor:
    """Centroids of the codes: ``[T, D, K, w]``, int64 ``[T, D, P]`` -> ``[T, D, P, w]``."""
    return values.gather(2, codes[..., None].expand(-1, -1, -1, values.shape[-1]))
