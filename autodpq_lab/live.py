"""The curves of fits while they train (notebook 07): one picture that follows, and stays when all is done."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from math import nan
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any

from IPython.display import HTML, DisplayHandle
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from autodpq_eval.notebook import as_html
from autodpq_lib.training.checkpoints import Checkpoints
from autodpq_runs.open import OpenRun

#: Seconds between two pictures: a picture must not cost more than the training that it shows.
PAUSE = 1.0


class LiveCurves:
    """Runs that are given to it show each round as it ends: the fit at work in colour, those before it in grey.

    ::

        with LiveCurves() as watched:
            pretrain(watched(scratch_run(config), "seed 1"))
    """

    def __init__(self) -> None:
        self.curves: dict[str, list[dict[str, float]]] = {}
        self.shown, self.next = DisplayHandle(), 0.0

    def __call__(self, run: OpenRun, label: str) -> OpenRun:
        """The same run; its fits are called ``label``, and by their own names."""
        return replace(run, checkpoints=_Watched(run.checkpoints.folder, self, label))

    def __enter__(self) -> LiveCurves:
        self.shown.display(HTML(""))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.draw()

    def follow(self, name: str, curve: list[dict[str, float]]) -> None:
        """Note a curve after a round, and draw if the last picture is old enough."""
        self.curves.pop(name, None)
        self.curves[name] = list(curve)
        if monotonic() >= self.next:
            self.draw()
            self.next = monotonic() + PAUSE

    def draw(self) -> None:
        """Show all curves as they are now."""
        if self.curves:
            text = said(self.curves)
            self.shown.update(HTML(f"{as_html(drawn(self.curves), text)}<p>{escape(text)}</p>"))


class _Watched(Checkpoints):
    """Checkpoints are written once a round, with the curve so far."""

    def __init__(self, folder: Path, live: LiveCurves, label: str) -> None:
        super().__init__(folder)
        self.live, self.label = live, label

    def save(self, name: str, state: dict[str, Any]) -> None:
        super().save(name, state)
        self.live.follow(f"{self.label}, {name}", state["curve"])


def drawn(curves: dict[str, list[dict[str, float]]]) -> Figure:
    """Validation AUC and training logloss by round; the last of the curves is the one at work."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.2), layout="constrained")
    now = list(curves)[-1]
    for name, curve in curves.items():
        look = {"color": "#0072b2", "lw": 2, "marker": "."} if name == now else {"color": "0.8", "lw": 1, "zorder": 1}
        for axis, column in zip(axes, ("valid_auc", "train_loss"), strict=True):
            axis.plot(range(1, len(curve) + 1), [row.get(column, nan) for row in curve], **look)
    axes[0].set(title="Validation AUC", xlabel="round of the fit", ylabel="AUC")
    axes[1].set(title="Training logloss", xlabel="round of the fit", ylabel="logloss (nats)")
    figure.suptitle(now)
    return figure


def said(curves: dict[str, list[dict[str, float]]]) -> str:
    """What the picture shows, in a sentence."""
    now, curve = list(curves.items())[-1]
    return (
        f"Two line charts over the rounds of {len(curves)} fits, validation AUC and training logloss. "
        f"In colour: {now}, round {len(curve)}, validation AUC {curve[-1]['valid_auc']:.4f}."
    )
