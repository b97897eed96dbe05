"""One vector through a product quantiser: its codes, what is read back, and what gradient it is sent (notebook 04)."""

from __future__ import annotations

from typing import NamedTuple

import ipywidgets as widgets
import torch
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from torch import Tensor

from autodpq_lab.shown import Shown, picture, present
from autodpq_lib.embedding.quantiser import Coding, Quantiser
from autodpq_packed.bits import bits_for

#: How far the plane is seen; it stands still while centroids move.
SEEN = 4.5


class Encoded(NamedTuple):
    """Codes ``[D]``, the vector that the model sees ``[X]``, soft weights ``[D, K]``, length of the gradient to e."""

    codes: list[int]
    decoded: Tensor
    weights: Tensor
    gradient: float


def encode(e: Tensor, centroids: Tensor, tau: float) -> Encoded:
    """Encode and decode one vector by Eq. 1, and back-propagate the sum of the decoded vector's entries to ``e``.

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


def encoder(e: Tensor) -> widgets.VBox:
    """Choose K, D and tau, draw other centroids, and move one of the first subspace in the plane of its two numbers.

    Args:
        e: the vector, ``[X]``, X a multiple of 16.
    """

    def draw(k: int, d: int, log_tau: float, drawn: int, number: int, x: float, y: float) -> Shown:
        generator = torch.Generator().manual_seed(drawn)
        centroids = torch.randn(d, k, len(e) // d, generator=generator)
        centroids[0, number % k, :2] += torch.tensor([x, y])
        found = encode(e, centroids, 10**log_tau)
        figure, axes = plt.subplots(1, 2, figsize=(10, 3.4), width_ratios=(2, 1), layout="constrained")
        _vectors(axes[0], e, found)
        axes[0].set(title=f"K = {k}, D = {d}: codes {found.codes}")
        _plane(axes[1], e, centroids[0], found.codes[0], number % k)
        sentence = said(e, found, 10**log_tau)
        return picture(figure, f"Left: the raw vector and what is read back, as steps. Right: {k} centroids of the "
                       f"first subspace and its part of e, in a plane. {sentence}", sentence)  # fmt: skip

    return present(
        draw,
        k=widgets.SelectionSlider(options=[2, 4, 8, 16, 32], value=8, description="K"),
        d=widgets.SelectionSlider(options=[1, 2, 4, 8], value=8, description="D"),
        log_tau=widgets.FloatSlider(0.0, min=-4, max=1, step=0.5, description="log10 tau"),
        drawn=widgets.IntSlider(0, 0, 20, description="draw"),
        number=widgets.IntSlider(0, 0, 31, description="centroid"),
        x=widgets.FloatSlider(0.0, min=-3, max=3, description="move x"),
        y=widgets.FloatSlider(0.0, min=-3, max=3, description="move y"),
    )


def _vectors(axis: Axes, e: Tensor, found: Encoded) -> None:
    """The raw vector and what is read back, number by number, with the edges of the subspaces."""
    d = len(found.codes)
    axis.step(range(len(e)), e, where="mid", label="raw e", color="0.5")
    axis.step(range(len(e)), found.decoded, where="mid", label="read back")
    for edge in range(len(e) // d, len(e), len(e) // d):
        axis.axvline(edge - 0.5, color="0.8", lw=0.8)
    axis.set(xlabel="dimension", ylabel="value (no unit)")
    axis.legend(fontsize=8)


def _plane(axis: Axes, e: Tensor, centroids: Tensor, code: int, moved: int) -> None:
    """The first two numbers of the first subspace: its centroids ``[K, X/D]``, and e's part as an arrow."""
    axis.axhline(0, color="0.85", lw=0.8, zorder=0)
    axis.axvline(0, color="0.85", lw=0.8, zorder=0)
    axis.plot(centroids[:, 0], centroids[:, 1], "o", color="0.6", ms=4)
    axis.plot(*centroids[code, :2].tolist(), "o", color="#d55e00", ms=8, label=f"chosen, {code}")
    axis.plot(*centroids[moved, :2].tolist(), "o", mfc="none", mec="black", ms=12, label=f"moved, {moved}")
    axis.annotate("", (float(e[0]), float(e[1])), (0, 0), arrowprops={"arrowstyle": "->", "color": "0.3"})
    axis.set(title="subspace 0, its first two numbers", xlabel="first", ylabel="second")
    axis.set(xlim=(-SEEN, SEEN), ylim=(-SEEN, SEEN), aspect="equal")
    axis.legend(fontsize=8)


def said(e: Tensor, found: Encoded, tau: float) -> str:
    """Codes, error, soft weight of the chosen centroids and gradient, in a sentence."""
    error = float((e - found.decoded).norm() / e.norm())
    chosen = found.weights.gather(1, torch.tensor(found.codes)[:, None]).mean()
    bits = len(found.codes) * bits_for(found.weights.shape[1])
    return (
        f"codes {found.codes}, {bits} bits; what is read back differs by {error:.0%} of the vector's length; at tau "
        f"{tau:g} the chosen centroids have {float(chosen):.1%} of the soft weight, and the gradient sent to e a "
        f"length of {found.gradient:.2g}."
    )
