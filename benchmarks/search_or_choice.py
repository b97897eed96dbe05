"""Does AutoDPQ's search find anything? Its decisions beside others of as many bytes, on MovieLens-1M.

For each seed, and each reading's decision: random decisions of at most as many bits, and the rate-distortion choice
among the paper's candidates, for the paper's low-frequency features, in at most as many bytes of a file: codes and
float16 centroids. Under the measure in which all are compared, with float32 centroids, that may be a little more; the
table says how much. Each decision is judged twice: by what k-means with it makes of the same trained FE, and by a
training from scratch under it, as Random has it. What differs is the decision alone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from itertools import product
from random import Random
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from autodpq_budget.menu import Menu, Offer
from autodpq_budget.sensitivity import sensitivities
from autodpq_budget.tables import Group
from autodpq_budget.ways import store
from autodpq_eval.batch import TABLE_SEEDS
from autodpq_eval.layout import markdown
from autodpq_eval.plans import configure
from autodpq_eval.stats import LEVEL, MARGIN, holm, paired_effect
from autodpq_eval.words import gap, p_value
from autodpq_lib.config import READINGS, RECIPES, Decision
from autodpq_lib.models.build import dpq_model
from autodpq_lib.space import quantised_bits
from autodpq_lib.training.metrics import evaluate
from autodpq_packed.grouped import centroids_option
from autodpq_runs.explore import LoadedRun, load_or_train
from autodpq_runs.open import scratch_run
from autodpq_runs.record import read_record, record_path
from autodpq_system.paths import ROOT, runs_root
from autodpq_system.sentence import Parser
from benchmarks.after_training import after_training
from benchmarks.measured import read_measures, write_measures

#: Random decisions of each case, of which the first is trained; and how much of what the decision has beyond the
#: smallest one they have at least.
DRAWS, LEAST = 5, 0.8


def main() -> int:
    """Measure and keep ``results/bench/search_or_choice.json``."""
    Parser(description=__doc__).parse_args()
    cases = [*product(RECIPES, TABLE_SEEDS)]
    write_measures("search_or_choice", rows=[row for case in tqdm(cases) for row in measure(*case)])
    sys.stdout.write(table())
    return 0


def measure(recipe: str, seed: int) -> Iterator[dict[str, Any]]:
    """A row a decision: of which reading's size, whose it is, bits, and test AUC, kept rows apart or trained."""
    run = load_or_train(configure("ml-1m", recipe, "fe", seed), ROOT / "results", runs_root())
    offered = menu(run)
    for reading in READINGS:
        record = read_record(
            record_path(ROOT / "results", configure("ml-1m", recipe, "autodpq", seed, reading=reading))
        )
        assert record.decision is not None
        drawn = draws(run, record.decision, seed)
        named = [("AutoDPQ", record.decision), ("choice", choose(offered, record.decision))]
        for what, decision in named + [("random", each) for each in drawn]:
            row = {"recipe": recipe, "seed": seed, "reading": reading, "what": what, "bits": bits(run, decision)}
            stored = evaluate(after_training(run, run.schema, decision), run.test).auc
            trained = train(run, decision) if what != "random" or decision is drawn[0] else None
            yield row | {"stored": stored, "trained": trained}


def bits(run: LoadedRun, decision: Mapping[str, tuple[int, int]]) -> int:
    """Bits of the embedding under a decision."""
    return quantised_bits(run.schema, run.record.config.embedding_dim, dict(decision))


def menu(run: LoadedRun) -> dict[str, dict[tuple[int, int], Offer]]:
    """Field -> candidate -> what it loses on the field's low-frequency rows, which form one group."""
    schema, table = run.schema, run.model.get_parameter("embedding.table").detach().numpy()
    found = sensitivities(run.model, run.train)["embedding"]
    pairs = configure("ml-1m", "tuned", "random", 1).candidates
    made = {}
    for name in schema.low_fields:
        m = schema.fields.index(name)
        ids = np.flatnonzero((schema.low & (schema.field_of == m)).numpy())
        group = Group(table[ids], schema.counts.numpy()[ids].astype(float), np.sqrt(found[m]))
        few = [(k, d) for k, d in pairs if k <= len(ids)] or pairs[:1]
        made[name] = {(k, d): Offer(*store(group, centroids_option(min(k, len(ids)), d))) for k, d in few}
    return made


def choose(offered: Mapping[str, Mapping[tuple[int, int], Offer]], like: Decision) -> Decision:
    """The candidates of least distortion in at most the bytes of codes and float16 centroids that a decision has."""
    own = {name: [*ways.items()] for name, ways in offered.items()}
    made = Menu(np.zeros(0, np.int32), {"": [[offer for _, offer in ways] for ways in own.values()]})
    budget = sum(dict(own[name]).get(pair, own[name][-1][1]).stored.bytes for name, pair in like.items())
    picked = made.choose(budget)[""]
    return {name: next(p for p, o in ways if o is way) for (name, ways), way in zip(own.items(), picked, strict=True)}


def draws(run: LoadedRun, like: Decision, seed: int) -> list[Decision]:
    """Other decisions of nearly as many bits, and no more, drawn at random; there may be fewer than :data:`DRAWS`."""
    names, pairs = run.schema.low_fields, configure("ml-1m", "tuned", "random", 1).candidates
    base = dict.fromkeys(names, pairs[0])
    more = [[bits(run, base | {name: pair}) - bits(run, base) for pair in pairs] for name in names]
    room = bits(run, like) - bits(run, base)
    costs = zip(product(pairs, repeat=len(more)), product(*more), strict=True)
    every = [(dict(zip(names, each, strict=True)), sum(of_fields)) for each, of_fields in costs]
    fit = [decision for decision, cost in every if LEAST * room <= cost <= room and decision != dict(like)]
    return Random(seed).sample(fit, min(DRAWS, len(fit)))


def train(run: LoadedRun, decision: Decision) -> float:
    """Test AUC of DPQ under a decision, trained from scratch as Random's trials are; the best round on validation."""
    config = run.record.config
    scratch = scratch_run(configure("ml-1m", config.recipe, "random", config.seed))
    model = dpq_model(scratch.config, scratch.schema, decision)
    scratch.fit("trial", model, decision=decision)
    scratch.checkpoints.clear()
    return evaluate(model, run.test).auc


def table() -> str:
    """Mean AUC of each, AutoDPQ's paired differences to the others, seed by seed, and how many of them are not zero."""
    found = _measured()
    means = _means(found)
    rows, gaps = [], []
    for (recipe, reading, what), runs in means.groupby(["recipe", "reading", "what"], sort=False):
        own = [] if what == "AutoDPQ" else [_gap(means, runs, column) for column in ("stored", "trained")]
        gaps += own
        rows.append([f"`{recipe}`", reading, what, f"{runs['bits'].mean() / 8:,.0f}", *_cells(runs, own)])
    head = ["recipe", "reading", "decision", "bytes"]
    for way in ("FE stored with it", "trained with it"):
        head += [f"AUC, {way}", "AutoDPQ's decision minus this", "p equal"]
    ways = [f"{way}: {_counted(gaps[n::2])}" for n, way in enumerate(("FE stored with it", "Trained with it"))]
    said = f"AutoDPQ's decision minus others of its size, over {means['seed'].nunique()} seeds. {' '.join(ways)}"
    said += f" {_most(found)} {_few(found)}"
    return f"{markdown(head, rows)}\n{said}\n"


def over_random() -> str:
    """Of AutoDPQ's decisions minus random ones of their size: how far they lie apart, in every recipe and reading."""
    means = _means(_measured())
    cases = [runs for _, runs in means.query("what == 'random'").groupby(["recipe", "reading"])]
    trained, stored = ([_gap(means, runs, column) for runs in cases] for column in ("trained", "stored"))
    apart = [each["effect"] for each in trained]
    return (
        "Models were trained from scratch, by the quantiser as printed, with the sizes that AutoDPQ finds and with "
        "random sizes of nearly as many bytes. In AUC the first minus the second is "
        f"{min(apart):+.4f} to {max(apart):+.4f} ({len(RECIPES)} recipes, {len(READINGS)} readings, "
        f"{cases[0]['seed'].nunique()} seeds each, one random draw a seed). Of {len(trained)} intervals "
        f"{_above(trained)} show a gain; the widest is ± {_widest(trained):.4f}. Corrected by Holm, {_equal(trained)} "
        f"of {len(trained)} tests of equivalence rule out a difference of {MARGIN:g}. A trained FE that is stored with "
        f"the first or with the second, the mean of up to {DRAWS} draws, differs by at most "
        f"{max(abs(each['effect']) for each in stored):.4f}."
    )


def _measured() -> pd.DataFrame:
    return pd.DataFrame(read_measures("search_or_choice")["rows"])


def _means(found: pd.DataFrame) -> pd.DataFrame:
    """A row a decision: the mean over draws."""
    draws = found.groupby(["recipe", "reading", "what", "seed"])
    return draws[["bits", "stored", "trained"]].mean().reset_index()


def _most(found: pd.DataFrame) -> str:
    """By how much the choice may exceed AutoDPQ's decision, and how often it does."""
    sizes = found.pivot_table(index=["recipe", "reading", "seed"], columns="what", values="bits")
    more = (sizes["choice"] - sizes["AutoDPQ"]) / 8
    return (
        "The choice counted centroids in float16, the table in float32: so in "
        f"{(more > 0).sum()} of {len(more)} cases it has more bytes than AutoDPQ's decision, by at most "
        f"{max(more.max(), 0):,.0f}."
    )


def _few(found: pd.DataFrame) -> str:
    """Of how many draws a random row is, and where few decisions fit, which then are nearly AutoDPQ's own."""
    drawn = found[found["what"] == "random"].groupby(["recipe", "reading", "seed"], sort=False).size()
    few = [f"{n} for `{r}`, {reading}, seed {seed}" for (r, reading, seed), n in drawn[drawn < DRAWS].items()]
    fewer = f", fewer where few are of that size, which then are nearly AutoDPQ's own ({', '.join(few)})" if few else ""
    return (
        f"A *random* row is the mean over {DRAWS} decisions a seed{fewer}; only the first of them is trained. "
        "All training is by the literal quantiser."
    )


def _counted(gaps: list[dict[str, float]]) -> str:
    """How many differences are clear of zero by 95 % intervals, how many equal, and how wide the intervals are."""
    worse = sum(each["high"] < 0 for each in gaps)
    return (
        f"of {len(gaps)} intervals {_above(gaps)} lie above zero, in favour of AutoDPQ's decision, and {worse} below; "
        f"{_equal(gaps)} differences are shown to be within {MARGIN:g} (p equal below {LEVEL:g} after Holm's "
        f"correction; the table has it uncorrected); the widest interval is ± {_widest(gaps):.4f}."
    )


def _above(gaps: list[dict[str, float]]) -> int:
    return sum(each["low"] > 0 for each in gaps)


def _equal(gaps: list[dict[str, float]]) -> int:
    return int((holm(np.array([each["p_equal"] for each in gaps])) < LEVEL).sum())


def _widest(gaps: list[dict[str, float]]) -> float:
    return max(each["high"] - each["effect"] for each in gaps)


def _gap(means: pd.DataFrame, runs: pd.DataFrame, column: str) -> dict[str, float]:
    """AutoDPQ's decisions minus others, of one recipe and reading."""
    case = runs.iloc[0]
    alike = (means["recipe"] == case["recipe"]) & (means["reading"] == case["reading"])
    ours = means[alike & (means["what"] == "AutoDPQ")]
    theirs, mine = (each.set_index("seed")[column].to_dict() for each in (runs, ours))
    return paired_effect(mine, theirs)


def _cells(runs: pd.DataFrame, gaps: list[dict[str, float]]) -> Iterator[str]:
    said = [(gap(each), p_value(each["p_equal"])) for each in gaps]
    for column, own in zip(("stored", "trained"), said or [("", "")] * 2, strict=True):
        yield from (f"{runs[column].mean():.4f}", *own)


if __name__ == "__main__":
    sys.exit(main())
