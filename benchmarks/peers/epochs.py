"""Seconds of an epoch on MovieLens-1M: ours, the loop of a textbook, FuxiCTR and DeepCTR-Torch in turn; one thread.

The frameworks are installed from the package index into an environment of their own, ``runs/peers``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import venv
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from tqdm import tqdm

from autodpq_eval.layout import LABELS, markdown
from autodpq_lib.config import MODELS
from autodpq_system.paths import ROOT, runs_root
from autodpq_system.sentence import Parser
from benchmarks.measured import read_measures, write_measures
from benchmarks.peers.plain_arrays import plain_arrays

#: Loop -> its module in `benchmarks.peers`.
LOOPS = {
    "ours": "ours",
    "ours, without a compiler": "ours",
    "textbook": "plain",
    "textbook, batches by index": "indexed",
    "FuxiCTR": "fuxi",
    "DeepCTR-Torch": "deepctr",
}
#: A pattern a loop, for who does not tell colours apart.
HATCHES = dict(zip(LOOPS, ("", "//", "..", "xx", "\\\\", "--"), strict=True))
THEIRS = ("FuxiCTR", "DeepCTR-Torch")
#: Rounds in which all take turns, and epochs of a round; AUC is of the last.
ROUNDS, EPOCHS = 5, 1
#: keras_preprocessing is what fuxictr imports and does not name.
PACKAGES = ("deepctr-torch", "fuxictr", "keras_preprocessing")


def main() -> int:
    """Print and keep the seconds: ``results/bench/peers.json``."""
    Parser(description=__doc__).parse_args()
    python = environment()
    with tempfile.TemporaryDirectory() as folder:
        write_arrays(Path(folder))
        turns = list(product(range(ROUNDS), MODELS, LOOPS))
        rows = [
            {"loop": loop, "model": model, "round": n} | one(loop, model, Path(folder), python)
            for n, model, loop in tqdm(turns)
        ]
    write_measures("peers", threads=1, epochs=EPOCHS, versions=versions(python), rows=rows)
    sys.stdout.write(table())
    return 0


def environment() -> Path:
    """Python of the environment with the frameworks, made now if it is not there."""
    python = runs_root() / "peers" / "bin" / "python"
    if not (runs_root() / "peers" / "installed").exists():
        venv.create(runs_root() / "peers", with_pip=True, clear=True)
        same_torch = f"torch=={version('torch').split('+')[0]}"
        subprocess.run([python, "-m", "pip", "install", "--quiet", same_torch, *PACKAGES], check=True)
        (runs_root() / "peers" / "installed").touch()
    return python


def versions(python: Path) -> dict[str, str]:
    """Of the frameworks, and of torch beneath them and beneath ours."""
    code = "import json; from importlib.metadata import version as v; print(json.dumps({n: v(n) for n in %r}))"
    names = ["fuxictr", "deepctr-torch", "torch"]
    theirs = json.loads(subprocess.run([python, "-c", code % names], capture_output=True, text=True, check=True).stdout)
    return {**theirs, "torch of ours": version("torch")}


def write_arrays(folder: Path) -> None:
    """Training and validation part of MovieLens-1M, the same for all."""
    arrays: dict[str, Any] = {**plain_arrays("train", "valid")}
    np.savez(folder / "arrays.npz", **arrays)
    (folder / "peers").mkdir()  # where FuxiCTR would write its checkpoints


def one(loop: str, model: str, folder: Path, python: Path) -> dict[str, Any]:
    """A round of one loop, in a process of its own."""
    run_by = python if loop in THEIRS else Path(sys.executable)
    command = [run_by, "-m", f"benchmarks.peers.{LOOPS[loop]}", "--model", model, "--data", folder, "--epochs", EPOCHS]
    settings = {**os.environ, "OMP_NUM_THREADS": "1", "AUTODPQ_THREADS": "1"}
    if loop.endswith("without a compiler"):
        settings["AUTODPQ_COMPILER"] = ""
    done = subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, text=True, check=False, env=settings)
    if done.returncode:
        raise RuntimeError(f"{loop}, {model}: {done.stderr.strip()[-500:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def epochs() -> pd.DataFrame:
    """A row for each epoch of each round that was kept, with its seconds and the AUC after it."""
    rounds = pd.DataFrame(read_measures("peers")["rows"])
    one_each = rounds.explode(["train", "validation", "auc"]).astype(
        {"train": float, "validation": float, "auc": float}
    )
    return one_each.assign(**{"train and validation": one_each["train"] + one_each["validation"]})


def summary() -> pd.DataFrame:
    """Per model and loop: median and quartiles of the seconds, and how many times ours; AUC after the last epoch."""
    rounds = pd.DataFrame(read_measures("peers")["rows"])
    groups = epochs().groupby(["model", "loop"], sort=False)
    found = groups[["train", "train and validation"]].median()
    for name, share in (("lower quartile", 0.25), ("upper quartile", 0.75)):
        found[name] = groups["train and validation"].quantile(share)
    ours = found.xs("ours", level="loop")
    for name in ("train", "train and validation"):
        found[f"{name}, times ours"] = (
            found[name] / ours[name].reindex(found.index.get_level_values("model")).to_numpy()
        )
    found["auc"] = rounds.assign(auc=rounds["auc"].str[-1]).groupby(["model", "loop"], sort=False)["auc"].median()
    return found


def draw(found: pd.DataFrame) -> Figure:
    """A bar for each loop and model: median seconds of an epoch, with quartiles."""
    figure, axis = plt.subplots(figsize=(10, 4), layout="constrained")
    sns.barplot(
        found.assign(model=found["model"].map(LABELS)), x="train and validation", y="model", hue="loop", ax=axis,
        hue_order=list(LOOPS), estimator="median", errorbar=("pi", 50), palette="colorblind", edgecolor="white",
        legend=False,
    )  # fmt: skip
    for bars, loop in zip(axis.containers, LOOPS, strict=True):
        for bar in bars:
            bar.set_hatch(HATCHES[loop])
    axis.legend(axis.containers, list(LOOPS), loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    axis.set(
        title="An epoch of MovieLens-1M, batch 2048, one thread", xlabel="seconds, training and validation", ylabel=""
    )
    return figure


def table() -> str:
    """Seconds of an epoch of each loop, how many times ours that is, and the AUC after as many steps."""
    found = read_measures("peers")
    head = ("model", "loop", "training, s", "training and validation, s", "quartiles", "times ours", "validation AUC")
    rows = [
        [
            *(LABELS[model], str(loop), f"{row['train']:.2f}", f"{row['train and validation']:.2f}"),
            f"{row['lower quartile']:.2f} to {row['upper quartile']:.2f}",
            *(f"{row['train and validation, times ours']:.1f}", f"{row['auc']:.4f}"),
        ]
        for (model, loop), row in summary().iterrows()
    ]
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    rounds = 1 + max(row["round"] for row in found["rows"])
    said = f"{rounds} rounds, epochs in each: {found['epochs']}; AUC after the last. {found['cpu']}; {versions}.\n"
    return "\n".join([markdown(head, rows), said])


if __name__ == "__main__":
    sys.exit(main())
