"""The gallery: every record of ``results/`` as a row, with its curves in small, to be filtered and sorted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby
from pathlib import Path

from matplotlib.colors import to_hex

from autodpq_eval.figures import colour_of
from autodpq_eval.layout import LABELS
from autodpq_runs.explore import find_records
from autodpq_runs.record import Record, read_record
from autodpq_system.paths import ROOT
from scripts.title import changed

#: Pixels of a thumbnail.
WIDTH, HEIGHT = 160, 44
#: What can be filtered by; ``switch`` is a key of the configuration that was changed.
FILTERS = ("dataset", "strategy", "model", "recipe", "seed", "switch")
COLUMNS = (
    "validation AUC",
    "strategy",
    "model",
    "data",
    "recipe",
    "seed",
    "changed",
    "test AUC",
    "test logloss",
    "Space",
)
NUMBERS = ("seed", "test AUC", "test logloss", "Space")

PAGE = """# Gallery of all runs

{number} runs, one a row, from the records in `results/`. The small picture is validation AUC over the epochs of the
run, its fits one after the other, from its lowest to its highest value; the ring is what was chosen. The data set with
most runs comes first. A strategy's name
leads to the executed notebook where the book has it, and *decision* opens to the (K, D) of each field. Choose a filter,
type a word, or click on a column's name to sort.

```{{raw}} html
{html}
```
"""


def gallery(notebooks: Iterable[str]) -> str:
    """The page.

    Args:
        notebooks: of the book: paths in the project of executed notebooks.
    """
    found = [(path.relative_to(ROOT), read_record(path)) for path in find_records(ROOT / "results")]
    sizes = Counter(record.config.dataset for _, record in found)
    found.sort(key=lambda each: -sizes[each[1].config.dataset])
    known = set(notebooks)
    rows = [_row(path, record, known) for path, record in found]
    head = "".join(f'<th data-kind="{"number" if c in NUMBERS else "text"}"><button>{c}</button></th>' for c in COLUMNS)
    choices = "".join(_select(key, sorted({value for _, r in found for value in facts(r)[key]})) for key in FILTERS)
    script = (ROOT / "book" / "_static" / "gallery.js").read_text(encoding="utf-8")
    html = (
        f'<div id="gallery"><p>{choices} <label>word <input type="search"></label> <output></output></p>\n'
        f"<table><thead><tr>{head}</tr></thead>\n<tbody>\n{chr(10).join(rows)}\n</tbody></table></div>\n"
        f"<script>\n{script}</script>"
    )
    return PAGE.format(number=len(rows), html=html)


def facts(record: Record) -> dict[str, list[str]]:
    """What a run can be found by: for each filter its values."""
    config = record.config
    named = {key: [str(getattr(config, key))] for key in FILTERS[:-1]}
    return named | {"switch": sorted(config.changed()) or ["none"]}


def _select(key: str, values: Sequence[str]) -> str:
    ordered = sorted(values, key=lambda value: (int(value) if value.isdecimal() else 0, value))
    options = "".join(
        f'<option value="{escape(value)}">{escape(LABELS.get(value, value))}</option>' for value in ordered
    )
    return f'<label>{key} <select data-key="{key}"><option value="">all</option>{options}</select></label> '


def _row(path: Path, record: Record, notebooks: set[str]) -> str:
    config = record.config
    executed = path.parent.parent / "notebooks" / f"{path.stem}.ipynb"
    name = escape(LABELS.get(config.strategy, config.strategy))
    cells = [
        thumbnail(record),
        f'<a href="{executed.with_suffix(".html")}">{name}</a>' if str(executed) in notebooks else name,
        *(escape(str(each)) for each in (LABELS[config.model], config.dataset, config.recipe, config.seed)),
        escape(", ".join(changed(config))) + _decision(record),
        f"{record.test.auc:.4f}",
        f"{record.test.logloss:.4f}",
        f"{record.space.paper:,}",
    ]
    data = " ".join(f'data-{key}="{escape(" ".join(values))}"' for key, values in facts(record).items())
    return f'<tr {data} title="{escape(path.stem)}">' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _decision(record: Record) -> str:
    if not record.decision:
        return ""
    pairs = ", ".join(f"{escape(field)} ({k}, {d})" for field, (k, d) in record.decision.items())
    return f"<details><summary>decision</summary>{pairs}</details>"


def thumbnail(record: Record) -> str:
    """Validation AUC over the epochs of a run as a small SVG, with a text that can stand for it."""
    chosen, column = record.timeline[-1], "valid_auc"
    values = [value for log in record.fits for value in log.curve[column]]
    low, high, last = min(values), max(values), max(len(values) - 1, 1)

    def point(epoch: int, value: float) -> str:
        y = HEIGHT - 4 - (HEIGHT - 8) * (value - low) / ((high - low) or 1)
        return f"{4 + (WIDTH - 8) * epoch / last:.1f},{y:.1f}"

    lines, start = [], 0
    for log in record.fits:
        points = [point(start + n, value) for n, value in enumerate(log.curve[column])]
        lines.append(f'<polyline points="{" ".join(points)}" stroke="{to_hex(colour_of(record, log))}"/>')
        if log.name == chosen.fit:
            x, y = points[chosen.epoch].split(",")
            lines.append(f'<circle cx="{x}" cy="{y}" r="3"/>')
        start += len(points)
    stages = ", ".join(f"{len(list(logs))} {stage}" for stage, logs in groupby(record.fits, lambda log: log.stage))
    span = f"from {low:.4f} to {high:.4f} over {len(values)} epochs"
    said = f"validation AUC {span} ({stages}), {chosen.valid.auc:.4f} chosen"
    svg = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="{said}">'
    return f"{svg}<title>{said}</title>{''.join(lines)}</svg>"
