"""The best methods on another model than DeepFM, on which settings are chosen."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from autodpq_budget.chosen import Chosen
from autodpq_budget.read_runs import read_runs
from autodpq_budget.settings import CHOICE_SEED, budget_of, room
from autodpq_budget.strategy import COMPRESSOR
from autodpq_data.prepared import load_schema
from autodpq_data.schema import Schema
from autodpq_eval.plans import TEN_SEEDS
from autodpq_lib.config import RunConfig
from autodpq_rivals.budget import size_of
from autodpq_rivals.methods import METHODS


def on_another_model(found: Chosen, model: str, out: Path) -> Chosen:
    """Each method of ``found`` on another model, at the same share of that model's FE.

    The compressor is told that share. A rival takes, of all settings that fit the other model's share, the one that is
    best on DeepFM: with no first-order weights to store, larger rows or codes may fit.
    """
    if not found:
        return {}
    first = next(iter(found.values()))[0]
    schema, moved = load_schema(first.dataset, first.threshold), Chosen()
    tried = _tried(first, model, schema, out)
    for (share, method), (run, valid) in found.items():
        if method == COMPRESSOR:
            told = {"options": {"bytes": budget_of(schema, share, model)}}
            moved[share, method] = run.model_copy(update={"model": model, **told}), valid
        else:
            fits = tried[(tried["method"] == method) & (tried["bytes"] <= room(budget_of(schema, 1, model), share))]
            best = fits.loc[fits["valid"].idxmax()]
            moved[share, method] = best["run"].model_copy(update={"model": model}), best["valid"]
    return moved


def _tried(first: RunConfig, model: str, schema: Schema, out: Path) -> pd.DataFrame:
    """DeepFM's runs on the seed of choice, each with the most bytes, over seeds, of its setting on ``model``."""
    every = read_runs(out, first.dataset, first.recipe, [CHOICE_SEED, *TEN_SEEDS]).query("control == ''")
    tried = every[(every["seed"] == CHOICE_SEED) & (every["method"].isin(METHODS))]
    largest = tried["setting"].map(every.groupby("setting")["bytes"].max())
    return tried.assign(bytes=largest - tried["run"].map(lambda run: _first_order_bytes(run, model, schema)))


def _first_order_bytes(run: RunConfig, model: str, schema: Schema) -> int:
    """Bytes that another model has less than DeepFM; of MPE, whose search decides, it may have less still."""
    own, there = (
        size_of(run.strategy, each, schema, run.options) for each in (run, run.model_copy(update={"model": model}))
    )
    return own - there
