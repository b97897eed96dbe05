"""How long one request takes: 22 features, a complete DeepFM in Avazu's shape, one thread; full and packed."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

import autodpq_native as native
from autodpq_data.schema import Schema
from autodpq_eval.layout import markdown
from autodpq_lib.models.build import final_model, full_model
from autodpq_packed.export import export
from autodpq_packed.module import load
from autodpq_packed.onnx_export import to_onnx
from autodpq_packed.packed import Packed
from autodpq_packed.packed_in_c import PackedInC
from autodpq_packed.score import PackedModel
from autodpq_system.sentence import Parser
from benchmarks.measured import read_measures, write_measures
from benchmarks.sizes import avazu_record, avazu_schema
from benchmarks.traffic import traffic

REQUESTS, WARM = 3000, 200
Score = Callable[[NDArray[np.int64]], object]


def main() -> int:
    """Print and keep median and 99th percentile, in microseconds, of readers that take turns."""
    Parser(description=__doc__).parse_args()
    torch.set_num_threads(1)
    schema = avazu_schema()
    with tempfile.TemporaryDirectory() as folder:
        kinds = readers(schema, Path(folder) / "model.safetensors")
    requests = traffic(np.split(schema.counts.numpy(), schema.offsets[1:]), REQUESTS)
    check(kinds, requests[:1])
    taken = np.array([[seconds(score, request[None]) for score in kinds.values()] for request in requests])
    quantiles = 1e6 * np.quantile(taken[WARM:], [0.5, 0.99], axis=0)
    rows = [{"reader": kind, "median": m, "p99": p} for kind, m, p in zip(kinds, *quantiles.tolist(), strict=True)]
    write_measures("latency", threads=1, requests=REQUESTS - WARM, rows=rows)
    sys.stdout.write(table())
    return 0


def readers(schema: Schema, path: Path) -> dict[str, Score]:
    """Each way to get a logit; the packed ones from one file, with the decision that AutoDPQ found on the stand-in."""
    record = avazu_record()
    model = final_model(record.config, schema, record.decision)
    export(model, schema, record, {name: [] for name in schema.fields}, path)
    to_onnx(path, path.with_suffix(".onnx"))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path.with_suffix(".onnx"), options)
    in_c = {"packed, C": _torch(load(path, PackedInC))} if native.available() else {}
    return {
        "FE, torch": _torch(full_model(record.config, schema).eval()),
        "packed, torch": _torch(load(path, Packed)),
        **in_c,
        "packed, ONNX": lambda ids: session.run(None, {"ids": ids})[0],
        "packed, NumPy": PackedModel(path).logits,
    }


def _torch(model: torch.nn.Module) -> Score:
    def score(ids: NDArray[np.int64]) -> object:
        with torch.inference_mode():
            return model(torch.from_numpy(ids)).numpy()

    return score


def check(kinds: dict[str, Score], ids: NDArray[np.int64]) -> None:
    """The packed readers agree, or nobody is timed."""
    _, first, *others = (np.asarray(score(ids)) for score in kinds.values())
    assert all(np.allclose(first, other, rtol=0, atol=1e-6) for other in others)


def seconds(score: Score, ids: NDArray[np.int64]) -> float:
    """Of one request."""
    start = perf_counter()
    score(ids)
    return perf_counter() - start


def table() -> str:
    """Microseconds of a request."""
    rows = [[row["reader"], f"{row['median']:,.0f}", f"{row['p99']:,.0f}"] for row in read_measures("latency")["rows"]]
    return markdown(["reader", "median, µs", "99th percentile, µs"], rows)


if __name__ == "__main__":
    sys.exit(main())
