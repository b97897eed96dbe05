"""Time and memory of a DeepFM training step from ten thousand to ten million features; one thread.

Each optimiser and size runs in a process of its own, on batches that name the same number of distinct features.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from time import perf_counter

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional as F

from autodpq_data.schema import Schema
from autodpq_eval.layout import markdown
from autodpq_lib.config import RunConfig
from autodpq_lib.models.build import full_model
from autodpq_lib.training.adam import Adam
from autodpq_lib.training.trainer import make_optimizer
from autodpq_system.memory import PeakMemory, anonymous_mib
from autodpq_system.process import settle
from autodpq_system.sentence import Parser
from benchmarks.measured import read_measures, write_measures

FIELDS, BATCH, DISTINCT = 22, 2048, 6000
FEATURES = (10_000, 100_000, 1_000_000, 9_449_445)
KINDS = {
    "lazy": "LazyAdam in C",
    "torch": "LazyAdam without a compiler",
    "sparse": "torch's SparseAdam",
    "dense": "dense Adam",
}
WARM, STEPS, ROUNDS = 20, 60, 3


def main() -> int:
    """Measure all kinds and sizes, in alternation."""
    parser = Parser(description=__doc__)
    parser.add_argument("--one", nargs=2, help="one kind and size, in this process")
    asked = parser.parse_args()
    if asked.one:
        sys.stdout.write(json.dumps(measure(asked.one[0], int(asked.one[1]))))
        return 0
    rows = [_apart(kind, n) for _ in range(ROUNDS) for n in FEATURES for kind in KINDS]
    found = pd.DataFrame(rows).groupby(["kind", "features"], as_index=False).median()
    write_measures("lazy", threads=1, batch=BATCH, distinct=DISTINCT, rows=found.to_dict("records"))
    sys.stdout.write(table())
    return 0


def _apart(kind: str, features: int) -> dict[str, object]:
    command = [sys.executable, "-m", "benchmarks.lazy", "--one", kind, str(features)]
    mode = os.environ | {"THP_MEM_ALLOC_ENABLE": "1"} | ({"AUTODPQ_COMPILER": ""} if kind == "torch" else {})
    return dict(json.loads(subprocess.run(command, capture_output=True, text=True, check=True, env=mode).stdout))


def measure(kind: str, features: int) -> dict[str, object]:
    """Median milliseconds of a step, and the anonymous memory that training added to the process."""
    settle()
    before, peak = anonymous_mib() or 0.0, PeakMemory(0.02)
    config = RunConfig(dataset="avazu-standin", strategy="fe", lazy=kind != "dense")
    sizes = (features // FIELDS,) * (FIELDS - 1)
    sizes = (*sizes, features - sum(sizes))
    schema = Schema("shape", tuple(map(str, range(FIELDS))), sizes, torch.zeros(features), 7, "")
    model = full_model(config, schema)
    step = stepper(kind, model, config)
    slow = kind == "dense" and features > 1_000_000
    times = [step(batch(features, number)) for number in range(4 if slow else WARM + STEPS)]
    used = (peak.stop() or 0.0) - before
    return {
        "kind": kind,
        "features": features,
        "ms": 1e3 * statistics.median(times[1 if slow else WARM :]),
        "MiB": used,
    }


def stepper(kind: str, model: nn.Module, config: RunConfig) -> Callable[[Tensor], float]:
    """A function that trains on a batch and returns its seconds."""
    if kind == "sparse":
        tables = [p for name, p in model.named_parameters() if name.endswith("table")]
        rest = [p for name, p in model.named_parameters() if not name.endswith("table")]
        optimizers: list[torch.optim.Optimizer | Adam] = [
            torch.optim.SparseAdam(tables),
            Adam(rest, config.learning_rate),
        ]
    else:
        optimizers = [make_optimizer(list(model.parameters()), config)]

    def step(ids: Tensor) -> float:
        labels = torch.ones(len(ids))
        start = perf_counter()
        loss = F.binary_cross_entropy_with_logits(model(ids), labels)
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
        return perf_counter() - start

    return step


def batch(features: int, number: int) -> Tensor:
    """Ids int64 ``[BATCH, FIELDS]`` that name about ``DISTINCT`` features, spread over the table."""
    generator = torch.Generator().manual_seed(number)
    pool = torch.randint(features, (DISTINCT,), generator=generator)
    return pool[torch.randint(DISTINCT, (BATCH, FIELDS), generator=generator)]


def draw(found: pd.DataFrame) -> Figure:
    """Step time and memory against the number of features, a line an optimiser."""
    named = found.assign(optimiser=found["kind"].map(KINDS))
    look = {"hue": "optimiser", "style": "optimiser", "hue_order": KINDS.values(), "style_order": KINDS.values()}
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), constrained_layout=True)
    for axis, column, label in zip(axes, ("ms", "MiB"), ("step, ms", "anonymous memory, MiB"), strict=True):
        sns.lineplot(named, x="features", y=column, palette="colorblind", markers=True, ax=axis, **look)
        axis.set(xscale="log", yscale="log", xlabel="features N", ylabel=label)
    axes[0].set_title(f"A DeepFM step, batch {BATCH}, {DISTINCT} distinct features")
    axes[1].set_title("Memory of training")
    return figure


def table() -> str:
    """Milliseconds a step and MiB by number of features, an optimiser a column."""
    by_size = costs().pivot(index="features", columns="kind")
    rows = [
        [f"{features:,}", *(f"{row['ms', kind]:.1f} ms, {row['MiB', kind]:,.0f} MiB" for kind in KINDS)]
        for features, row in by_size.iterrows()
    ]
    return markdown(["features", *KINDS.values()], rows)


def costs() -> pd.DataFrame:
    """Median milliseconds and MiB, a row a kind and size."""
    return pd.DataFrame(read_measures("lazy")["rows"])


if __name__ == "__main__":
    sys.exit(main())
