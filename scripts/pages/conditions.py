"""results/conditions.md: what the paper's gain could be made of."""

from __future__ import annotations

from functools import cache

import pandas as pd
from matplotlib.figure import Figure

from autodpq_eval import conditions, ladder
from autodpq_eval.effects import by_seed
from autodpq_eval.layout import markdown
from autodpq_eval.paper import gain, table_value
from autodpq_eval.plans import LENGTHS, PARTS
from autodpq_eval.stats import paired_effect
from autodpq_lib.config import RECIPES
from scripts.pages.committed import RESULTS, ten_seeds


@cache
def tables() -> dict[str, pd.DataFrame]:
    """Recipe -> a row a condition and baseline."""
    return {recipe: conditions.table(RESULTS, recipe) for recipe in RECIPES}


def data() -> pd.DataFrame:
    """What the picture shows."""
    return pd.concat([rows.assign(recipe=recipe) for recipe, rows in tables().items()], ignore_index=True)


def draw(table: pd.DataFrame) -> Figure:
    """See :func:`autodpq_eval.conditions.draw`."""
    return conditions.draw({str(recipe): rows for recipe, rows in table.groupby("recipe", sort=False)})


def numbers() -> str:
    """A row a recipe and condition: mean AUCs, and the gains over both baselines."""
    rows = []
    for (recipe, name), group in data().groupby(["recipe", "condition"], sort=False):
        over = group.set_index("over").reindex(["FE", "Others"])
        seeds = "/".join(f"{n:.0f}" for n in dict.fromkeys(group["n"]))
        aucs = [f"{auc:.4f}" if pd.notna(auc) else "" for auc in (group["ours"].iloc[0], *over["base"])]
        cells = [_cell(row) if row["n"] > 1 else "" for _, row in over.iterrows()]
        rows.append([f"`{recipe}`", f"{name} †" if group["on test"].any() else str(name), seeds, *aucs, *cells])
    head = ["recipe", "condition", "seeds", "AutoDPQ", "FE", "Others"]
    gaps = [
        f"over {name}, the paper {gain('auc', key):+.4f}: mean (interval), median"
        for key, name in (("fe", "FE"), ("others", "Others"))
    ]
    return markdown([*head, *gaps], rows)


def _cell(row: pd.Series) -> str:
    return f"{_interval(row)}, {row['median']:+.4f}"


def _interval(row: pd.Series) -> str:
    return f"{row['effect']:+.4f} ({row['low']:+.4f} to {row['high']:+.4f})"


def verdict() -> str:
    """What must be so for the paper's gain, in sentences made from the table."""
    return "".join(f"- {said}\n" for said in (_over("FE"), _over("Others"), _nearest(), _where(), _on_test()))


def in_short() -> str:
    """README's part of it: the gain over FE."""
    from_zero = _named(on_test=False).query("over == 'FE' and condition.str.contains('from zero')")
    gains = "; ".join(_gain(row) for _, row in from_zero.iterrows())
    but = "But against FE whose first-order weights start from zero, AutoDPQ's left as they are"
    return f"{_over('FE')} {but}: {gains}. {_where()}\n"


def _over(baseline: str) -> str:
    """The largest gains over a baseline, what moved, and where intervals hold the paper's gain."""
    rows = _named(on_test=False).query("over == @baseline")
    best, middle, plain = rows.loc[rows["effect"].idxmax()], rows.loc[rows["median"].idxmax()], rows.iloc[0]
    ours, base = (f"by {best[key] - plain[key]:+.4f} to {best[key]:.4f}" for key in ("ours", "base"))
    return (
        f"Over {baseline} the paper gains {plain['paper']:+.4f}. Where nothing is chosen on the test split, the "
        f"largest mean gain is that of {_gain(best)}; from {plain['name']} AutoDPQ moves {ours} and {baseline} {base}. "
        f"The largest median is that of {_gain(middle)}. The interval reaches the paper's gain under {_reaching(rows)}."
    )


def _nearest() -> str:
    """For each AUC of the paper the condition that comes nearest to it."""
    rows, said = _named(on_test=False), []
    for strategy, name in (("autodpq", "AutoDPQ"), ("fe", "FE"), ("others", "Others")):
        paper = table_value(1, "ml-1m", "deepfm", strategy, "auc")
        some, key = (rows, "ours") if strategy == "autodpq" else (rows[rows["over"] == name], "base")
        near = some.loc[(some[key] - paper).abs().idxmin()]
        said.append(f"{near[key]:.4f} for {name} ({paper:.4f}) under {near['name']}")
    return f"The AUCs nearest to the paper's, each by itself: {', '.join(said)}."


def _where() -> str:
    """Where AutoDPQ, literal reading, gains and loses: on samples with a low-frequency feature, and on the others."""
    said = []
    for recipe in RECIPES:
        ours, fe = (ten_seeds(recipe)[name] for name in ("autodpq", "fe"))
        gaps = [paired_effect(by_seed(ours, part), by_seed(fe, part)) for part in ("touched auc", "untouched auc")]
        touched, rest = (f"{gap['effect']:+.4f} ± {gap['high'] - gap['effect']:.4f}" for gap in gaps)
        said.append(f"{touched} on samples with a low-frequency feature and {rest} on the others (`{recipe}`)")
    return f"AutoDPQ minus FE, literal reading, is {'; '.join(said)}."


def _on_test() -> str:
    rows = _named(on_test=True)
    said = [f"{name}, over {over}" for over, each in rows.groupby("over") for name in [_reaching(each)]]
    return f"Where the test split chooses, the interval reaches the paper's gain under {'; '.join(said)}."


def _named(*, on_test: bool) -> pd.DataFrame:
    """The rows in which the test split chose something, or did not, with the names of their conditions."""
    rows = data()[data()["on test"] == on_test]
    return rows.assign(name="*" + rows["condition"] + "* (`" + rows["recipe"] + "`)")


def _gain(row: pd.Series) -> str:
    return f"{row['name']}, {row['effect']:+.4f} by mean and {row['median']:+.4f} by median"


def _reaching(rows: pd.DataFrame) -> str:
    """The conditions whose interval ends at or above the paper's gain, and what else is to be said of it."""
    reach = rows[rows["high"] >= rows["paper"]]
    zero, beyond = reach["low"] <= 0, reach["low"] > reach["paper"]
    notes = zero.map({True: " (holds zero too)", False: ""}) + beyond.map({True: " (lies beyond it)", False: ""})
    return ", ".join(reach["name"] + notes) or "no condition"


def picture() -> str:
    """The picture with its numbers as alternative text, and what to see in it."""
    rows = "; ".join(
        f"{row['condition']}, recipe {row['recipe']}, over {row['over']}: {_interval(row)}"
        for _, row in data().iterrows()
    )
    return (
        f"![AutoDPQ's gain in AUC. {rows}.](conditions.png)\n\n*What to see: how many intervals reach the dashed "
        "line, the paper's gain, and under what condition. † is chosen on the test "
        "part. Of three seeds intervals are wide; the table has their number.*\n"
    )


@cache
def steps() -> pd.DataFrame:
    """The ladder of pretrain lengths, in recipe ``paper``."""
    return ladder.table(RESULTS, "paper")


def ladder_picture() -> str:
    """The ladder's picture, its numbers as alternative text, and what is not run yet."""
    rows = "; ".join(
        f"without {row['without']}, pretrain {row['pretrain']}: {_interval(row)}, {row['n']:.0f} seeds"
        for _, row in steps().iterrows()
    ).replace("without nothing", "whole")
    wanted = len(LENGTHS) * len(PARTS)
    left = f" Not run yet: {wanted - len(steps())} of {wanted} marks." if len(steps()) < wanted else ""
    return (
        f"![AutoDPQ's gain over FE by the epochs of its pretrain. {rows}.](ladder.png)\n\n*What to see: how the gain "
        f"changes with the pretrain, and how much of it stays when a part is taken out.{left}*\n"
    )


def ladder_parts() -> str:
    """What each part adds at each length of the pretrain."""
    found = ladder.added(RESULTS, "paper")
    cells = found.assign(cell=[_interval(row) for _, row in found.iterrows()])
    wide = cells.pivot_table(index="pretrain", columns="part", values="cell", aggfunc="first", sort=False)
    rows = [[str(length), *row] for length, row in zip(wide.index, wide.to_numpy(), strict=True)]
    return markdown(["epochs of the pretrain", *(f"{part} adds" for part in wide)], rows)


BLOCKS = {
    "ladder-parts": ladder_parts,
    "conditions-picture": picture,
    "conditions": numbers,
    "ladder-picture": ladder_picture,
    "conditions-verdict": verdict,
}
