"""The paper's Figure 1 with real numbers: one vector, encoded and decoded step by step (notebook 04)."""

from __future__ import annotations

import seaborn as sns
import torch
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from autodpq_lib.embedding.quantiser import Quantiser


@torch.no_grad()
def figure_1(e: Tensor, quantiser: Quantiser, name: str) -> Figure:
    """Raw vector, responses with the code, centroids and output vector of one feature.

    Args:
        e: the raw vector, ``[X]``.
        quantiser: its field's, of one candidate.
        name: of the feature.
    """
    table = quantiser.centroids[0]  # [D, K, w]
    d, k, w = table.shape
    responses, code = quantiser.responses(e[None])[0, :, 0], quantiser.encode(e[None])[0, :, 0]
    output = quantiser.decode(code[None, :, None])[0, 0]
    figure = plt.figure(figsize=(13, 2 + 0.85 * d), layout="constrained")
    side = max(w, k // 10)  # beside many centroids, too, numbers need room
    grid = figure.add_gridspec(2, 3, width_ratios=[side, k, side])
    first, second, last = (figure.add_subplot(grid[0, n]) for n in range(3))
    _blocks(first, e.view(d, w), "1. raw e")
    title = f"2. responses <e, q_k>, the largest framed; 3. code {code.tolist()}"
    _blocks(second, responses, title, framed=code, size=7 if k <= 16 else 6)
    second.set_xlabel("centroid k")
    _blocks(last, output.view(d, w), "5. output")
    _centroids(figure.add_subplot(grid[1, :]), table, code)
    figure.suptitle(f"Encode and decode: {name} (values have no unit; each panel has its own colours)")
    figure.set_label(
        f"Four heat maps for {name}: its raw vector in {d} parts, the responses of {k} centroids to each with the code "
        f"{code.tolist()}, the centroids, the output."
    )
    return figure


def _centroids(axis: Axes, table: Tensor, code: Tensor) -> None:
    """All centroids ``[D, K, w]``, side by side; numbers where there is room."""
    _, k, w = table.shape
    size = 7 if k * w <= 32 else 0
    _blocks(axis, table.flatten(1), "4. centroids q, chosen ones framed", framed=code, width=w, size=size)
    axis.set_xticks([w * (n + 0.5) for n in range(k)], [str(n) for n in range(k)], rotation=0)
    axis.set_xlabel("centroid k")
    for n in range(1, k):
        axis.axvline(n * w, color="black", lw=0.8)


def _blocks(
    axis: Axes, values: Tensor, title: str, *, framed: Tensor | None = None, width: int = 1, size: int = 8
) -> None:
    """One annotated heat map with a row for each subspace; the chosen block of each is framed."""
    limit = float(values.abs().max())
    legend = {"cbar": size == 0, "cbar_kws": {"label": "value"}}  # where no number fits
    style = {"annot": size > 0, "fmt": ".3f" if limit < 0.1 else ".2f", "annot_kws": {"size": size}, "linewidths": 0.5}
    sns.heatmap(values.numpy(), ax=axis, cmap="PuOr", center=0, vmin=-limit, vmax=limit, **legend, **style)
    axis.set_title(title, fontsize=9)
    axis.set(ylabel="subspace i")
    axis.tick_params(axis="y", rotation=0)
    for i, c in enumerate([] if framed is None else framed.tolist()):
        axis.add_patch(Rectangle((c * width, i), width, 1, fill=False, ec="black", lw=2.5, clip_on=False))
