"""A training step of each strategy on MovieLens-1M, by kind of work; and the search by candidates and fields."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from itertools import cycle
from statistics import median
from time import perf_counter
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
import torch
from matplotlib.figure import Figure

from autodpq_data.samples import Batch, Samples
from autodpq_data.schema import Schema
from autodpq_eval.layout import markdown
from autodpq_lib.config import RunConfig
from autodpq_lib.models.build import candidates_model, dpq_model, full_model, others_model
from autodpq_lib.training.search import Search
from autodpq_lib.training.trainer import Trainer, batches
from autodpq_runs.open import scratch_run
from autodpq_system.process import settle, threads
from autodpq_system.sentence import Parser
from benchmarks.measured import read_measures, write_measures
from benchmarks.profile import as_table, by_kind

REPEATS = 150
#: The nine pairs of the paper, then more, for the cost by number of candidates T.
PAIRS = {
    1: ((8,), (2,)),
    2: ((8,), (2, 4)),
    4: ((8, 16), (2, 4)),
    9: ((8, 16, 32), (2, 4, 8)),
    16: ((4, 8, 16, 32), (1, 2, 4, 8)),
}
FIELDS = (8, 16, 32, 64)
#: Of the generated data: features of a field, and the share of them that are low-frequency; all are as popular.
SIZE, LOW, ROWS = 1000, 0.03, 20_000


def main() -> int:
    """Print and keep all."""
    Parser(description=__doc__).parse_args()
    settle()
    strategies = as_table(profiles())
    write_measures(
        "step", threads=threads(), strategies=strategies.to_dict("index"), scaling=[*by_candidates(), *by_fields()]
    )
    sys.stdout.write(f"{table()}\n{scaling()}")
    return 0


def profiles() -> dict[str, dict[str, float]]:
    """Milliseconds by kind, for FE, Others, DPQ and the search, recipe ``tuned``."""
    run = scratch_run(RunConfig(dataset="ml-1m", strategy="autodpq"))
    decision = dict.fromkeys(run.schema.low_fields, (16, 4))
    models = {
        "FE": full_model(run.config, run.schema),
        "Others": others_model(run.config, run.schema),
        "DPQ": dpq_model(run.config, run.schema, decision),
    }
    steps = {name: descent(Trainer(model, run.train, run.config)) for name, model in models.items()}
    steps["search"] = searching(run.config, run.schema, run.train, run.valid)
    return {name: by_kind(step, REPEATS) for name, step in steps.items()}


def by_candidates() -> Iterator[dict[str, Any]]:
    """Milliseconds of a search step on MovieLens-1M by the number of candidates T."""
    run = scratch_run(RunConfig(dataset="ml-1m", strategy="autodpq"))
    fe = descent(Trainer(full_model(run.config, run.schema), run.train, run.config))
    for count, (centroids, subspaces) in PAIRS.items():
        config = run.config.model_copy(update={"centroids": centroids, "subspaces": subspaces})
        search = searching(config, run.schema, run.train, run.valid)
        yield {"by": "candidates T", "n": count} | pairs(run.schema, run.train) | compare(fe, search)


def by_fields() -> Iterator[dict[str, Any]]:
    """Milliseconds of a search step on generated data by the number of fields M, all with low-frequency features."""
    config = RunConfig(dataset="ml-1m", strategy="autodpq")
    for m in FIELDS:
        schema, samples = generated(m)
        fe = descent(Trainer(full_model(config, schema), samples, config))
        search = searching(config, schema, samples, samples)
        yield {"by": "fields M", "n": m} | pairs(schema, samples) | compare(fe, search)


def generated(m: int) -> tuple[Schema, Samples]:
    """M fields of equal size, of which the first features are low-frequency."""
    counts = torch.where(torch.arange(m * SIZE) % SIZE < LOW * SIZE, 1, 99)
    schema = Schema("generated", tuple(map(str, range(m))), (SIZE,) * m, counts, 40, "")
    generator = torch.Generator().manual_seed(m)
    ids = torch.randint(SIZE, (ROWS, m), generator=generator) + torch.arange(m) * SIZE
    labels = torch.randint(2, (ROWS,), generator=generator).byte()
    return schema, Samples(ids.int(), labels, torch.arange(ROWS, dtype=torch.int32))


def descent(trainer: Trainer) -> Callable[[], object]:
    """A function that does one step, each on the next batch."""
    trainer.model.train()
    again = endless(trainer.train, trainer.config)
    return lambda: trainer.step(next(again))


def searching(config: RunConfig, schema: Schema, train: Samples, valid: Samples) -> Callable[[], object]:
    """A function that does one turn of Algorithm 1."""
    search = Search(candidates_model(config, schema), train, valid, config)
    search.held_out = endless(valid, config)
    return descent(search)


def endless(samples: Samples, config: RunConfig) -> Iterator[Batch]:
    """Full batches, again and again."""
    return cycle([batch for batch in batches(samples, config, 0) if len(batch[0]) == config.batch_size])


def pairs(schema: Schema, samples: Samples) -> dict[str, float]:
    """Low-frequency (sample, field) pairs in an average batch."""
    share = schema.low[samples.ids.long()].double().mean().item()
    return {"low-frequency pairs": share * len(schema.fields) * RunConfig(dataset="ml-1m", strategy="fe").batch_size}


def compare(fe: Callable[[], object], search: Callable[[], object]) -> dict[str, float]:
    """Median milliseconds of a step of each, in turn."""
    seconds: dict[str, list[float]] = {"FE step, ms": [], "search step, ms": []}
    for _ in range(REPEATS):
        for name, step in zip(seconds, (fe, search), strict=True):
            start = perf_counter()
            step()
            seconds[name].append(perf_counter() - start)
    result = {name: 1e3 * median(taken) for name, taken in seconds.items()}
    return result | {"in FE steps": result["search step, ms"] / result["FE step, ms"]}


def draw(found: pd.DataFrame) -> Figure:
    """A search step in milliseconds, by candidates and by fields, with FE's beside it."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
    for axis, (by, rows) in zip(axes, found.groupby("by", sort=False), strict=True):
        for column, marker, colour in zip(
            ("search step, ms", "FE step, ms"), "os", sns.color_palette("colorblind"), strict=False
        ):
            axis.plot(rows["n"], rows[column], marker=marker, color=colour, label=column.removesuffix(", ms"))
        axis.set(xlabel=by, ylabel="milliseconds", ylim=(0, None))
    axes[0].set_title("MovieLens-1M, by number of candidates")
    axes[1].set_title("Generated data, by number of fields")
    axes[0].legend(loc="center right")
    return figure


def table() -> str:
    """Milliseconds of a step by kind of work, a strategy a column."""
    found = read_measures("step")
    strategies = pd.DataFrame(found["strategies"])
    rows = [[str(kind), *(f"{value:.2f}" for value in row)] for kind, row in strategies.iterrows()]
    return f"{markdown(['', *map(str, strategies.columns)], rows)}\n{found['cpu']}, torch {found['torch']}.\n"


def scaling() -> str:
    """A step of the search in milliseconds and in FE steps of the same data, by candidates T and by fields M."""
    rows = [
        [f"{row['by']} = {row['n']}", f"{row['search step, ms']:.1f}", f"{row['in FE steps']:.1f}"]
        for _, row in costs().iterrows()
    ]
    return markdown(["", "a step of the search, ms", "in FE steps"], rows)


def costs() -> pd.DataFrame:
    """What :func:`by_candidates` and :func:`by_fields` found."""
    return pd.DataFrame(read_measures("step")["scaling"])


if __name__ == "__main__":
    sys.exit(main())
