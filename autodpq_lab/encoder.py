"""One vector through a product quantiser: its codes, what is read back, and what gradient it is sent (notebook 04)."""

from __future__ import annotations

from typing import NamedTuple

import ipywidgets as widgets
import torch
from matplotlib import pyplot as plt
from torch import Tensor

from autodpq_lab.shown import Shown, picture, present
from autodpq_lib.embedding.quantiser import Coding, Quantiser


class Encoded(NamedTuple):
    """Codes ``[D]``, the vector that the model sees ``[X]``, soft weights ``[D, K]``, length of the gradient to e."""

    codes: list[int]
    decoded: Tensor
    weights: Tensor
    gradient: float


def encode(e: Tensor, centroids: Tensor, tau: float) -> Encoded:
    """Encode one vector by Eq. 1, and send the gradient of the sum of what is read back.

    Args:
        e: ``[X]``.
        centroids: ``[D, K, X/D]``.
        tau: temperature of the softmax whose gradient goes back.
    """
    d, k, _ = centroids.shape
    quantiser = Quantiser([k], d, len(e), lambda table: table.copy_(centroids), Coding(tau=tau))
    raw = e[None].clone().requires_grad_()
    decoded = quantiser(raw)[0, 0]
    (gradient,) = torch.autograd.grad(decoded.sum(), raw)
    with torch.no_grad():
        weights = torch.softmax(quantiser.responses(raw)[0, :, 0] / tau, -1)
        return Encoded(quantiser.encode(raw)[0, :, 0].tolist(), decoded.detach(), weights, float(gradient.norm()))


def encoder(e: Tensor, draw_from: float = 1.0) -> widgets.VBox:
    """Choose K, D and tau, draw other centroids, and stretch the first of each subspace.

    Args:
        e: the vector, ``[X]``, X a multiple of 8.
        draw_from: standard deviation of the centroids.
    """

    def draw(k: int, d: int, log_tau: float, drawn: int, stretch: float) -> Shown:
        generator = torch.Generator().manual_seed(drawn)
        centroids = draw_from * torch.randn(d, k, len(e) // d, generator=generator)
        centroids[:, 0] *= stretch
        found = encode(e, centroids, 10**log_tau)
        figure, axis = plt.subplots(figsize=(7, 2.8), layout="constrained")
        axis.step(range(len(e)), e, where="mid", label="raw e", color="0.5")
        axis.step(range(len(e)), found.decoded, where="mid", label="read back")
        for edge in range(len(e) // d, len(e), len(e) // d):
            axis.axvline(edge - 0.5, color="0.8", lw=0.8)
        axis.set(title=f"K = {k}, D = {d}: codes {found.codes}", xlabel="dimension", ylabel="value (no unit)")
        axis.legend(fontsize=8)
        sentence = said(e, found, 10**log_tau)
        return picture(figure, f"Two stepped lines, the raw vector and what is read back. {sentence}", sentence)

    return present(
        draw,
        k=widgets.SelectionSlider(options=[2, 4, 8, 16, 32], value=8, description="K"),
        d=widgets.SelectionSlider(options=[1, 2, 4, 8], value=4, description="D"),
        log_tau=widgets.FloatSlider(0.0, min=-4, max=1, step=0.5, description="log10 tau"),
        drawn=widgets.IntSlider(0, 0, 20, description="draw"),
        stretch=widgets.FloatSlider(1.0, min=0, max=4, step=0.25, description="stretch 0"),
    )


def said(e: Tensor, found: Encoded, tau: float) -> str:
    """Codes, error, soft weight of the chosen centroids and gradient, in a sentence."""
    error = float((e - found.decoded).norm() / e.norm())
    chosen = found.weights.gather(1, torch.tensor(found.codes)[:, None]).mean()
    bits = len(found.codes) * (found.weights.shape[1] - 1).bit_length()
    return (
        f"codes {found.codes}, {bits} bits; what is read back differs by {error:.0%} of the vector's length; at tau "
        f"{tau:g} the chosen centroids have {float(chosen):.1%} of the soft weight, and the gradient sent to e a "
        f"length of {found.gradient:.2g}."
    )
