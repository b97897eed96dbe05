"""A model that was trained elsewhere, made small: DeepCTR-Torch's DeepFM on MovieLens-1M, through plain arrays.

Nothing of this suite takes part in the training. Embedding and first-order weights are given as two tables that share
one budget, with counts and the mean square gradient of each column, and come back as a reader gets them.
"""

from __future__ import annotations

import sys
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from deepctr_torch.inputs import SparseFeat
from deepctr_torch.models import DeepFM
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from torch.nn import functional as F

from autodpq_budget.arrays import compress_tables
from autodpq_budget.outputs import outputs_of
from autodpq_budget.settings import SHARES
from autodpq_system.sentence import Parser
from benchmarks.measured import write_measures
from benchmarks.peers.plain_arrays import plain_arrays
from benchmarks.peers.timed import BATCH, DIM, HIDDEN, RATE, SCORING, SEED, Arrays, columns

#: Rounds that may bring nothing, as everywhere here; samples that gradients are taken from.
PATIENCE, SAMPLES = 3, 120_000


def main() -> int:
    """Train, make small, and keep AUC before and after in ``results/bench/outside.json``."""
    Parser(description=__doc__).parse_args()
    torch.set_num_threads(1)
    arrays = plain_arrays("train", "valid", "test")
    seen = np.bincount(arrays["train_ids"].ravel(), minlength=arrays["sizes"].sum())
    rows = measure(trained(arrays), arrays, seen)
    write_measures("outside", rows=rows)
    sys.stdout.writelines(f"{row}\n" for row in rows)
    return 0


def measure(model: Any, arrays: Arrays, counts: NDArray[np.int64]) -> list[dict[str, float]]:
    """Test AUC as it was trained, and with tables of each share of the bytes; counts are those of training rows."""
    names = list(columns(arrays, "test"))
    often = dict(zip(names, np.split(counts, np.cumsum(arrays["sizes"])[:-1]), strict=True))
    parts = {table: {name: part[name].weight for name in names} for table, part in _parts(model).items()}
    rows = {table: {name: w.detach().numpy().copy() for name, w in part.items()} for table, part in parts.items()}
    full = sum(array.nbytes for part in rows.values() for array in part.values())
    found = [{"share": 1.0, "bytes": full, "auc": auc(model, arrays, "test")}]
    mattering = gradients(model, arrays, names)
    for share in SHARES:
        made = compress_tables(rows, often, int(share * full), mattering, whole_file=False)
        for table, part in parts.items():
            for name, weight in part.items():
                weight.data.copy_(torch.from_numpy(made.tables[table][name]))
        found.append({"share": share, "bytes": made.table_bytes, "auc": auc(model, arrays, "test")})
    return found


def trained(arrays: Arrays) -> Any:
    """DeepCTR-Torch's DeepFM with the weights of its best epoch on validation."""
    fields = [SparseFeat(str(m), int(size), DIM) for m, size in enumerate(arrays["sizes"])]
    model = DeepFM(fields, fields, dnn_hidden_units=HIDDEN, l2_reg_embedding=0.0, l2_reg_linear=0.0, seed=SEED)
    model.compile(torch.optim.Adam(model.parameters(), lr=RATE), "binary_crossentropy")
    best, nothing, weights = 0.0, 0, model.state_dict()
    while nothing < PATIENCE:
        model.fit(columns(arrays, "train"), arrays["train_labels"], batch_size=BATCH, epochs=1, verbose=0)
        now = auc(model, arrays, "valid")
        nothing = 0 if now > best else nothing + 1
        if now > best:
            best, weights = now, deepcopy(model.state_dict())
    model.load_state_dict(weights)
    return model


def auc(model: Any, arrays: Arrays, part: str) -> float:
    """AUC of a part."""
    return float(roc_auc_score(arrays[f"{part}_labels"], model.predict(columns(arrays, part), SCORING).ravel()))


def _parts(model: Any) -> dict[str, Any]:
    return {"embedding": model.embedding_dict, "first_order": model.linear_model.embedding_dict}


def gradients(model: Any, arrays: Arrays, names: list[str]) -> dict[str, Arrays]:
    """Mean square gradient of a sample's loss by each column of each field's tables: ``[X]`` and ``[1]``."""
    parts = _parts(model)
    tables = {(table, name): parts[table][name] for table in parts for name in names}
    ids = np.stack(list(columns(arrays, "train").values()), 1)
    some = np.random.default_rng(0).permutation(len(ids))[:SAMPLES]
    total = {table: {name: np.zeros(part[name].embedding_dim) for name in names} for table, part in parts.items()}
    with outputs_of([*tables.values()]) as seen:
        for chunk in np.array_split(some, -(-len(some) // BATCH)):
            out = model.eval()(torch.from_numpy(ids[chunk]).float()).squeeze(1)
            labels = torch.from_numpy(arrays["train_labels"][chunk]).float()
            loss = F.binary_cross_entropy(out, labels, reduction="sum")
            for (table, name), each in zip(tables, torch.autograd.grad(loss, seen), strict=True):
                total[table][name] += each.flatten(1).square().sum(0).double().numpy() / len(some)
    return total


if __name__ == "__main__":
    sys.exit(main())
