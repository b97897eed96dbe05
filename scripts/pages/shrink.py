"""README.md on shrinking a trained embedding: the picture, a row a budget, and what is done elsewhere."""

from __future__ import annotations

from benchmarks.measured import read_measures
from scripts.pages import smallest_leads, which_row
from scripts.pages.aims import ALLOWED
from scripts.pages.budget import absent, data
from scripts.pages.budget_picture import PICTURES, WHAT_TO_SEE, image
from scripts.pages.equal_bytes import RECIPE

DEMO = "runs/demo/ml-100k/tuned/records/deepfm-fe-seed1.json"


def text() -> str:
    """README's picture, and what the compressor loses at each budget."""
    rows = data().set_index("method")
    kept = rows.loc["autodpq", "bytes"] / rows.loc["fe", "bytes"]
    return (
        f"AutoDPQ keeps {kept:.0%} of FE's bytes (recipe `{RECIPE}`), numbers in float32 and codes in as few bits as "
        "they need. How small can FE be made? The *compressor* takes a trained FE or, where bytes are few, a narrower "
        "one that learnt from FE. It stores each group of features of a field that are alike in frequency in the way "
        "that is worth its bytes, and fine-tunes. Its rivals are published compressors and plain ways such as narrower "
        "rows, in at most as many bytes, or a thousandth more ([a line each](results/budget-rivals.md#the-rivals)).\n\n"
        f"`make compress RECORD=… BYTES=30000` compresses a run that finished on this machine, such as `{DEMO}` of "
        "`make demo` (committed records have no model). `BYTES` is the size of the whole model file, `RATIO=0.05` a "
        "share of the run's own; `TABLES=` counts as the table below does, whose bytes are MovieLens-1M's; and "
        "`LOSS=0.001` asks for the smallest file found that loses no more AUC on validation "
        "([which row is yours](results/budget.md#which-row-is-mine)). [NumPy serves it](results/packed.md) with its "
        "vocabulary, a second file of all raw values, often the larger one, which no budget counts. A server that "
        "numbers its features does without, but must turn its ids into the file's ([how](results/packed.md)).\n\n"
        f"{image(f'results/{PICTURES[RECIPE]}')}\n*{WHAT_TO_SEE[RECIPE]}*{absent(RECIPE)}\n\n"
        f"{which_row.table(ALLOWED[RECIPE])}\n"
        f"- {which_row.about_the_table()} {which_row.example()}\n"
        f"- {smallest_leads.text()}.\n"
        f"- {which_row.ahead('paper')}\n\n"
        f"{_elsewhere()}\n"
    )


def _elsewhere() -> str:
    """What README says of plain arrays: what they lose, what their file has beside, and the largest that was tried."""
    first, *rest = read_measures("outside")["rows"]
    shown = [row for row in rest if row["share"] in (0.0625, 0.031)]
    said = " and ".join(f"{row['auc'] - first['auc']:+.4f} at {row['share']:.1%}" for row in shown)
    largest = max(read_measures("large")["shapes"], key=lambda shape: shape["features"])
    return (
        "**An embedding that was trained elsewhere** is compressed, as plain arrays, by "
        "[`compress_tables`](results/budget.md#a-table-from-elsewhere). It trains nothing, and so loses more: AUC "
        f"changed by {said} of its tables' bytes, the tables alone counted (`whole_file=False`), for DeepCTR-Torch's "
        "DeepFM, one seed, with sensitivities. "
        f"The largest choice that we tried, for the embedding alone, with {largest['features']:,} made-up rows, took "
        f"{largest['seconds']:.0f} seconds; making the tensors took up to "
        f"{max(row['seconds'] for row in largest['rows']):.0f} more. No file was written."
    )
