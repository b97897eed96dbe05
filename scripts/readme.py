"""Write the numbers of README.md and of the pages that it points to."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from functools import partial

from autodpq_eval import ladder
from autodpq_system.atomic import write_text
from autodpq_system.paths import ROOT
from autodpq_system.sentence import Parser
from autodpq_system.stopping import stop_on_signals
from benchmarks import choice, lazy, step
from benchmarks.peers import epochs
from scripts.pages import (
    about,
    avazu,
    bench,
    best_of,
    budget,
    budget_controls,
    budget_picture,
    budget_rivals,
    by_validation,
    conditions,
    conditions_picture,
    controls,
    front,
    gain,
    hours,
    how_wide,
    leads,
    left_open,
    needs,
    notebooks,
    over_trials,
    packed,
    readings,
    readings_picture,
    readings_tables,
    results,
    trainings,
)
from scripts.pages.picture import Picture

Blocks = Mapping[str, Callable[[], str]]
#: Page -> name of a block -> the function that returns its text.
PAGES: dict[str, Blocks] = {
    "README.md": front.BLOCKS,
    "notebooks/README.md": notebooks.BLOCKS,
    "results/README.md": results.BLOCKS | by_validation.BLOCKS,
    "results/readings.md": readings.BLOCKS
    | readings_picture.BLOCKS
    | leads.BLOCKS
    | over_trials.BLOCKS
    | left_open.BLOCKS,
    "results/readings-tables.md": readings_tables.BLOCKS,
    "results/conditions.md": conditions.BLOCKS | best_of.BLOCKS | needs.BLOCKS,
    "results/controls.md": controls.BLOCKS,
    "results/avazu.md": avazu.BLOCKS,
    "results/budget.md": budget.BLOCKS | budget_picture.BLOCKS | how_wide.BLOCKS,
    "results/budget-rivals.md": budget_rivals.BLOCKS | trainings.BLOCKS | hours.BLOCKS,
    "results/budget-controls.md": budget_controls.BLOCKS,
    "results/packed.md": packed.BLOCKS,
    "results/bench/README.md": bench.BLOCKS,
    "results/summary.md": about.SUMMARY,
    "results/model_card.md": about.MODEL_CARD,
    "results/trust.md": about.TRUST,
}
PICTURES = {
    "results/gain.png": Picture(gain.data, gain.draw),
    "results/readings.png": Picture(readings_picture.data, readings_picture.draw),
    "results/conditions.png": Picture(conditions.shown, conditions_picture.draw),
    "results/ladder.png": Picture(conditions.steps, ladder.draw),
    **{
        f"results/{path}": Picture(partial(budget.data, recipe), partial(budget_picture.draw, recipe=recipe))
        for recipe, path in budget_picture.PICTURES.items()
    },
    "results/choice.png": Picture(choice.data, choice.draw),
    "results/bench/peers.png": Picture(epochs.epochs, epochs.draw),
    "results/bench/search.png": Picture(step.costs, step.draw),
    "results/bench/lazy.png": Picture(lazy.costs, lazy.draw),
}


def main(arguments: list[str] | None = None) -> int:
    """Bring every page and picture up to date."""
    Parser(description=__doc__).parse_args(arguments)
    for name, text in stale_pages().items():
        write_text(ROOT / name, text)
    for name in stale_pictures():
        PICTURES[name].write(ROOT / name)
    return 0


def stale_pages() -> dict[str, str]:
    """Pages that differ from what the records say, each with the text that it should have."""
    pages = {name: rewrite(name) for name in PAGES}
    return {name: text for name, text in pages.items() if (ROOT / name).read_text(encoding="utf-8") != text}


def stale_pictures() -> list[str]:
    """Pictures that differ from what the records say."""
    return [name for name, picture in PICTURES.items() if not picture.is_current(ROOT / name)]


def rewrite(name: str) -> str:
    """A page with every block made anew.

    Raises:
        ValueError: the page has other blocks than its file in ``scripts/pages``.
    """
    text, blocks = (ROOT / name).read_text(encoding="utf-8"), PAGES[name]
    found = re.findall(r"^<!-- begin (\S+) -->$", text, re.M)
    if sorted(found) != sorted(blocks):
        raise ValueError(f"{name}: expected the blocks {', '.join(sorted(blocks))}, found {', '.join(sorted(found))}")
    for block, make in blocks.items():
        first, last = f"<!-- begin {block} -->\n", f"<!-- end {block} -->"
        text = (
            text[: text.index(first) + len(first)]
            + make().replace(" ± ", " ±\N{NO-BREAK SPACE}")
            + text[text.index(last) :]
        )
    return text


if __name__ == "__main__":
    stop_on_signals()
    sys.exit(main())
