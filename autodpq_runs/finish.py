"""The end of a run: what was kept is scored on test, in one pass, and recorded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from autodpq_data.prepared import load_samples, load_schema
from autodpq_data.samples import Samples
from autodpq_data.schema import Schema
from autodpq_lib.config import METHOD_VERSION, Decision
from autodpq_lib.embedding.dpq import DPQ
from autodpq_lib.models.build import final_model
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_lib.space import space
from autodpq_lib.training.fit import Fit
from autodpq_lib.training.metrics import Metrics, evaluate, predict, score
from autodpq_lib.training.trainer import Row
from autodpq_runs.curves import FitLog, improvements
from autodpq_runs.kept import write_weights
from autodpq_runs.open import OpenRun
from autodpq_runs.provenance import provenance
from autodpq_runs.record import Record, record_path, write_record
from autodpq_runs.run_paths import LOGITS, WEIGHTS, model_folder
from autodpq_system.atomic import atomic_path
from autodpq_system.paths import ROOT


def finish(run: OpenRun, fits: Sequence[Fit], out: str | Path) -> Record:
    """Score what was kept on test, and write model, predictions and record.

    The result is the best fit of the last stage on validation. A relative ``out`` counts from the project's folder.

    Raises:
        ValueError: the data have changed since the run began.
    """
    config = run.config
    test = load_samples(config.dataset, "test", config.split_seed, config.split).to(config.device)
    restored, result, named = _Restored(run), _result(fits), {fit.name: fit for fit in fits}
    logs = [FitLog(name=fit.name, decision=fit.decision, curve=_columns(fit.curve)) for fit in fits]
    improved = improvements(logs, config.scored)
    scores = [evaluate(restored(named[each.fit], each.epoch), test) for each in improved]
    model = restored(result, int(result.result["epoch"]))
    logits = predict(model, test)
    record = Record(
        identity=run.identity,
        method_version=METHOD_VERSION[config.strategy],
        data_fingerprint=run.schema.fingerprint,
        config=config,
        valid=Metrics(auc=result.result["valid_auc"], logloss=result.result["valid_logloss"]),
        test=score(logits, test.labels),
        test_parts=_parts(logits, test, run.schema),
        codebook_use=model.embedding.codebook_use() if isinstance(model.embedding, DPQ) else {},
        decision=result.decision,
        space=space(run.schema, config.embedding_dim, result.decision, model, tied=config.tied),
        fits=logs,
        scores=scores,
        provenance=provenance(run.origin),
    )
    if reason := record.stale(load_schema(config.dataset, config.threshold).fingerprint):
        raise ValueError(f"{config.name()}: {reason}; run it again")
    _keep(model_folder(run.identity), model, logits)
    write_record(record, record_path(ROOT / out, config))
    run.checkpoints.clear()
    return record


def _keep(folder: Path, model: CTRModel, logits: Tensor) -> None:
    with atomic_path(folder) as target:
        target.mkdir()
        write_weights(target / WEIGHTS, model.state_dict())
        np.save(target / LOGITS, logits.numpy())


def _result(fits: Sequence[Fit]) -> Fit:
    """The fit that the run ends with: the best of its last stage, the earliest of equals."""
    return max((fit for fit in fits if fit.stage == fits[-1].stage), key=lambda fit: fit.result["valid_auc"])


class _Restored:
    """Loads a fit's weights after an epoch into one model, built again only for another decision: tables are large."""

    def __init__(self, run: OpenRun) -> None:
        self.run = run
        self.model: CTRModel | None = None
        self.decision: Decision | None = None

    def __call__(self, fit: Fit, epoch: int) -> CTRModel:
        if self.model is None or fit.decision != self.decision:
            self.model, self.decision = final_model(self.run.config, self.run.schema, fit.decision), fit.decision
        self.model.load_state_dict(fit.checkpoints.weights_at(fit.name, epoch))
        return self.model


def _parts(logits: Tensor, test: Samples, schema: Schema) -> dict[str, Metrics]:
    """Metrics of the samples with a low-frequency feature, and of the others, where a part has both labels."""
    touched = torch.cat([schema.low[ids.cpu()].any(1) for ids, _ in test.in_order()])
    parts = {"touched": touched, "untouched": ~touched}
    return {
        name: score(logits[part], test.labels[part])
        for name, part in parts.items()
        if len(test.labels[part].unique()) == 2
    }


def _columns(curve: list[Row]) -> dict[str, list[float]]:
    """Rows as columns, in the order of their epochs: metrics exact, the rest to seven digits.

    A model that is fine-tuned has no training loss before its first step, so the record of its fit has none at all.
    """
    exact = ("valid_auc", "valid_logloss")
    columns = [key for key in curve[0] if key != "epoch"]
    return {key: [row[key] if key in exact else float(f"{row[key]:.7g}") for row in curve] for key in columns}
