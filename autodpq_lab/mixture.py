"""The search's weights p: drawn with Gumbel noise at a temperature, and as a run left them (notebook 07)."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets as widgets
import numpy as np
import torch
from matplotlib import pyplot as plt
from scipy import stats
from torch import Tensor

from autodpq_eval.decisions import fields_of, search_curve, weights_of
from autodpq_lab.shown import Shown, picture, present
from autodpq_lib.embedding.quantiser import gumbel
from autodpq_runs.record import Record

Pair = tuple[int, int]


def mixture(alpha: Tensor, tau: float, seed: int | None) -> Tensor:
    """``softmax((alpha + g) / tau)`` of one field, ``[T]`` -> ``[T]``; without noise g where there is no seed."""
    if seed is None:
        return torch.softmax(alpha / tau, -1)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return torch.softmax((alpha + gumbel(alpha)) / tau, -1)


def gumbel_slider(pairs: Sequence[Pair], lead: float = 0.0) -> widgets.VBox:
    """The weights of T candidates of which the first has an alpha of ``lead`` and the others 0.

    Args:
        pairs: the candidates (K, D).
        lead: of the first candidate's alpha, to begin with.
    """
    names = [f"{k}, {d}" for k, d in pairs]

    def draw(tau: float, lead: float, noise: bool, drawn: int) -> Shown:
        alpha = torch.zeros(len(pairs))
        alpha[0] = lead
        p = mixture(alpha, tau, drawn if noise else None)
        figure, axis = plt.subplots(figsize=(7, 2.8), layout="constrained")
        axis.bar(names, p.numpy(), color="#0072b2")
        axis.axhline(1 / len(pairs), color="black", lw=0.8)
        axis.set(title="Weights p of the candidates; the line is 1/T", xlabel="(K, D)", ylabel="p", ylim=(0, 1))
        top = float(torch.softmax(alpha, -1).max())  # whatever tau is: the Gumbel-max trick
        sentence = (
            f"largest weight {float(p.max()):.3f}, of ({names[int(p.argmax())]}); entropy "
            f"{stats.entropy(p.numpy()):.3f} of {np.log(len(pairs)):.3f}; with noise the first is the largest in "
            f"{top:.1%} of the draws."
        )
        return picture(figure, f"Bars of the weights of {len(pairs)} candidates. {sentence}", sentence)

    return present(
        draw,
        tau=widgets.FloatSlider(1.0, min=0.01, max=2, step=0.01, description="tau"),
        lead=widgets.FloatSlider(lead, min=0, max=5, step=0.1, description="lead"),
        noise=widgets.Checkbox(value=True, description="noise"),
        drawn=widgets.IntSlider(0, 0, 100, description="draw"),
    )


def epoch_scrubber(record: Record) -> widgets.VBox:
    """The weights of all candidates of every field, epoch by epoch of a run's search, without noise."""
    curve = search_curve(record)
    weights = {name: {f"{k}, {d}": p for (k, d), p in weights_of(curve, name).items()} for name in fields_of(curve)}

    def draw(epoch: int) -> Shown:
        figure, axes = plt.subplots(1, len(weights), figsize=(2.4 * len(weights) + 1, 3), sharey=True, squeeze=False,
                                    layout="constrained")  # fmt: skip
        for axis, (name, weight) in zip(axes[0], weights.items(), strict=True):
            p = {pair: values[epoch - 1] for pair, values in weight.items()}
            axis.barh(list(p), list(p.values()), color="#0072b2")
            axis.axvline(1 / len(p), color="black", lw=0.8)
            axis.set(title=f"{name}: {max(p, key=p.__getitem__)}", xlabel="p")
            axis.locator_params(axis="x", nbins=3)
        axes[0, 0].set_ylabel("(K, D)")
        largest = {
            name: max((values[epoch - 1], pair) for pair, values in weight.items()) for name, weight in weights.items()
        }
        leads = "; ".join(f"{name} ({pair}) {p:.4f}" for name, (p, pair) in largest.items())
        tau = curve["tau"][epoch - 1]
        sentence = f"epoch {epoch} of {len(curve['tau'])}, tau {tau:.3f}; largest weights: {leads}."
        return picture(figure, f"Bars of weights, a panel a field, beside the line of 1/T. {sentence}", sentence)

    last = len(curve["tau"])
    return present(draw, epoch=widgets.IntSlider(last, 1, last, description="epoch"))
