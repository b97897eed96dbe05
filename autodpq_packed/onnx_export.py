"""A packed model as ONNX, for runtimes that read neither torch nor our file."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import onnx
import torch

from autodpq_packed.module import load
from autodpq_packed.packed import Packed
from autodpq_packed.reader import read
from autodpq_system.atomic import atomic_path, check_place

#: The first torch that exports the models.
OLDEST = "2.8"


def to_onnx(path: Path | str, target: Path | str) -> None:
    """Write the complete model as one ONNX file: ``ids`` int64 ``[B, M]`` -> ``logits`` float32 ``[B]``.

    Codes stay packed and are decoded by the graph, so the file is as small as the packed one, but for the graph (some
    twenty kilobytes) and a count every 8 features. The graph checks no id, and has no row for unseen values.

    Args:
        path: of the packed file, with kept rows of any type.
        target: of the ONNX file.

    Raises:
        ImportError: torch is older than 2.8, which cannot export the models.
        PackedError: ``path`` is not a packed model, or not as it was written.
        OSError: nothing can be written to ``target``.
    """
    if torch.__version__ < OLDEST:
        raise ImportError(f"torch: expected {OLDEST} or newer for ONNX, found {torch.__version__}")
    path, target = Path(path), Path(target)
    check_place(target)
    about, _ = read(path)
    sizes = torch.tensor(about["sizes"])
    ids = (sizes.cumsum(0) - sizes).repeat(2, 1)  # of two samples the first feature of each field
    written = _graph(load(path, Packed), ids)
    for node in written.graph.node:
        del node.metadata_props[:]  # where in Python each comes from, several times as long as a small model
    with atomic_path(target) as unfinished:
        onnx.save(written, unfinished)


def _graph(model: torch.nn.Module, ids: torch.Tensor) -> onnx.ModelProto:
    """The model with any number of samples; torch's remarks about itself and about torchvision are left out."""
    logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)
    batch = ({0: torch.export.Dim("batch")},)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"`isinstance\(treespec, LeafSpec\)` is deprecated", FutureWarning)
        program = torch.onnx.export(
            model,
            (ids,),
            dynamo=True,
            dynamic_shapes=batch,
            input_names=["ids"],
            output_names=["logits"],
            verbose=False,
        )
    assert program is not None
    return program.model_proto
