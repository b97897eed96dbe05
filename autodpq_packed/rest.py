"""What a packed file keeps of a model beside its tables."""

from __future__ import annotations

from torch import Tensor, nn

from autodpq_packed.check import TABLES


def rest(model: nn.Module) -> dict[str, Tensor]:
    """The tensors of all that is no table, but for BatchNorm's count of batches, which nothing reads."""
    tables = tuple(f"{name}." for name in TABLES)
    return {
        name: tensor
        for name, tensor in model.state_dict().items()
        if not name.startswith(tables) and not name.endswith("num_batches_tracked")
    }
