"""The settings that each method tries at each share of FE's bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from autodpq_budget.by_groups import float_bytes
from autodpq_budget.other_width import TEACHER_DIM, keys_of_width
from autodpq_budget.strategy import COMPRESSOR
from autodpq_data.prepared import load_schema
from autodpq_data.schema import Schema
from autodpq_eval.plans import configure
from autodpq_lib.config import RunConfig
from autodpq_rivals.budget import WIDTHS, rest_bytes, settings
from autodpq_rivals.methods import METHODS, NEAR_ZERO
from autodpq_rivals.rival import Options
from autodpq_runs.record import Record

#: Shares of FE's bytes.
SHARES = (0.5, 0.25, 0.125, 0.0625, 0.031, 0.016, 0.008)
#: A rival may exceed a share by a thousandth: four bits a number are just an eighth of FE, and LSQ's steps come on top.
SLACK = 1.001
#: A method's setting with the best validation AUC on this seed stands for it; the seed itself is not reported.
CHOICE_SEED = 11
#: Controls: rivals whose first-order weights have options of their own (usually they have the embedding's, and so take
#: as many bytes as the embedding at small shares); and rivals in another form than in their usual settings.
WEIGHTS, FORM = "first-order weights", "form"
#: Of each control the options that its rivals have, and the shares at which they run.
CONTROL_OPTIONS: dict[str, dict[str, list[Options]]] = {
    WEIGHTS: {
        "lsq": [{"first_order_bits": bits} for bits in (1, 2)],
        "dpq-vq": [{"first_order_centroids": k} for k in (2, 4)],
        "mgqe": [{"first_order_centroids": k} for k in (8, 16)],
    },
    FORM: {
        "lsq": [{"by_field": True}],
        "mgqe": [{"by_field": True}],
        "mpe": [
            {"price": price, "search_epochs": 1} for price in (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1)
        ],
    },
}
CONTROL_SHARES = {WEIGHTS: (0.031, 0.016, 0.008), FORM: (0.0625, 0.031, 0.016, 0.008)}
#: Options that only a rival in another form has.
OF_FORM = ("by_field", "search_epochs")

#: Share and method.
Key = tuple[float, str]
#: All settings of each.
Settings = dict[Key, list[RunConfig]]


def budget_of(schema: Schema, share: float, model: str = "deepfm") -> int:
    """Bytes: a share of FE's embedding and of the first-order weights that DeepFM has."""
    return int(share * float_bytes(schema, TEACHER_DIM, model))


def room(full: float, share: float) -> int:
    """Bytes that a method may have at a share of FE's ``full`` bytes."""
    return int(SLACK * share * full)


def table_bytes(record: Record, fields: int) -> int:
    """Bytes of embedding and first-order weights of a run on M fields."""
    return record.space.model_bytes - rest_bytes(record.config, fields)


def every_setting(dataset: str, recipe: str) -> Settings:
    """All settings of all methods on :data:`CHOICE_SEED`; a rival that cannot be so small is not there."""
    fe, schema = _fe_and_schema(dataset, recipe)
    ours = {(share, COMPRESSOR): [compressor(fe, schema, share, dim) for dim in WIDTHS] for share in SHARES}
    rivals = {(share, method): _fitting(fe, schema, method, share, {}) for share, method in product(SHARES, METHODS)}
    return {key: runs for key, runs in sorted((ours | rivals).items(), key=lambda item: -item[0][0]) if runs}


def own_settings(dataset: str, recipe: str, control: str) -> Settings:
    """A control's settings on that seed: with each of its :data:`CONTROL_OPTIONS` the largest of each width.

    Of more than six widths that fit, the six widest count.
    """
    fe, schema = _fe_and_schema(dataset, recipe)
    found = {
        (share, method): [run for own in options for run in _largest(_fitting(fe, schema, method, share, own))]
        for share, (method, options) in product(CONTROL_SHARES[control], CONTROL_OPTIONS[control].items())
    }
    return {key: runs for key, runs in found.items() if runs}


def compressor(fe: RunConfig, schema: Schema, share: float, dim: int) -> RunConfig:
    """The compressor at a share of the bytes of FE, from an FE of width ``dim``."""
    return _run(fe, COMPRESSOR, dim, {"bytes": budget_of(schema, share)})


def _fe_and_schema(dataset: str, recipe: str) -> tuple[RunConfig, Schema]:
    fe = configure(dataset, recipe, "fe", CHOICE_SEED)
    return fe, load_schema(dataset, fe.threshold)


def _fitting(fe: RunConfig, schema: Schema, method: str, share: float, own: Options) -> list[RunConfig]:
    every = settings(method, fe, schema, room(budget_of(schema, 1), share), own=own)
    return [_run(fe, method, one.dim, one.options) for one in every]


def _largest(runs: list[RunConfig]) -> list[RunConfig]:
    """The first run of each width."""
    return list({run.embedding_dim: run for run in reversed(runs)}.values())


def _run(fe: RunConfig, method: str, dim: int, options: Options) -> RunConfig:
    return configure(fe.dataset, fe.recipe, method, fe.seed, options=options, **keys_of_width(fe.dataset, dim))


def felt(switches: Mapping[str, Any], method: str) -> dict[str, Any]:
    """Those of the switches that affect a method: some rivals start first-order weights in a way of their own."""
    return {key: value for key, value in switches.items() if key != "first_order_sd" or method not in NEAR_ZERO}


def half_tried(every: Settings, done: Mapping[Key, Sequence[Record]]) -> list[Key]:
    """Shares and methods of which a setting that may stand for them (:func:`counting`) has not run."""
    return [key for key in every if any(len(done[each]) < len(every[each]) for each in counting(every, *key))]


def counting(every: Settings, share: float, method: str) -> list[Key]:
    """The shares whose settings may stand for a method at a share: its own or, of a rival, any smaller one's too."""
    least = share if method == COMPRESSOR else 0
    return [key for key in every if key[1] == method and least <= key[0] <= share]
