"""The packed table as a torch module, interchangeable with the embeddings that were trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from autodpq_lib.config import RunConfig
from autodpq_lib.models.build import assemble
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_packed.bits import bits_for
from autodpq_packed.reader import BITS, Table, read


class Packed(nn.Module):
    """Looks up kept rows and decodes the rest from packed codes, to the bits of the trained module.

    Args:
        table: read from a packed file.
    """

    low: Tensor
    before: Tensor
    bits: Tensor
    kept: Tensor

    def __init__(self, table: Table) -> None:
        super().__init__()
        before = table.before.astype(np.int32)  # one a byte of the bitmap, so half a byte a feature
        buffers = {"kept": table.kept, "low": table.low, "before": before, "bits": BITS}
        for name, array in buffers.items():
            self.register_buffer(name, torch.from_numpy(np.array(array)))
        self.first: dict[int, int] = {}
        for m, (first, codes, centroids) in table.fields.items():
            self.first[m] = int(first)
            self.register_buffer(f"codes_{m}", torch.from_numpy(np.array(codes)))
            self.register_buffer(f"centroids_{m}", torch.from_numpy(np.array(centroids)))
            self.register_buffer(f"bytes_{m}", byte_table(torch.from_numpy(np.array(centroids))))

    def forward(self, ids: Tensor) -> Tensor:
        """Vectors of features: ids int64 ``[B, M]`` -> ``[B, M, X]``."""
        byte, bit = ids >> 3, ids & 7
        bits = self.low[byte].long()
        before = self.before[byte] + self.bits[bits & (1 << bit) - 1]
        coded = (bits >> bit) & 1 == 1
        out = self.kept[torch.where(coded, 0, ids - before)]
        for m, first in self.first.items():
            rows = coded[:, m].nonzero().squeeze(1)
            out[rows, m] = self._decode(m, before[rows, m] - first)
        return out

    def _decode(self, m: int, rank: Tensor) -> Tensor:
        """Vectors of the coded features of field m with these ranks: ``[P]`` -> ``[P, X]``."""
        codes, centroids, whole = (self.get_buffer(f"{name}_{m}") for name in ("codes", "centroids", "bytes"))
        if len(whole):  # each byte has codes of one feature alone: look up what the byte stands for
            per_feature = len(whole) // 256
            found = codes.view(-1, per_feature).index_select(0, rank).long()  # [P, bytes]
            places = found + 256 * torch.arange(per_feature)
            return whole.index_select(0, places.flatten()).view(len(rank), per_feature * whole.shape[1])
        subspaces, k, _ = centroids.shape
        d, b = torch.arange(subspaces), bits_for(k)
        start = (rank[:, None] * subspaces + d) * b
        if b == 0:
            return centroids[d, torch.zeros_like(start)].flatten(1)
        byte = start >> 3
        window = codes[byte].long() | codes[(byte + 1).clamp(max=len(codes) - 1)].long() << 8
        return centroids[d, window >> (start & 7) & (1 << b) - 1].flatten(1)


def byte_table(centroids: Tensor) -> Tensor:
    """What each value of each byte of a feature's codes decodes to: ``[bytes * 256, codes in a byte * X/D]``.

    Empty unless the codes of a feature fill whole bytes, and no code lies in two.
    """
    subspaces, k, width = centroids.shape
    b = bits_for(k)
    if b == 0 or 8 % b or subspaces * b % 8:
        return torch.zeros(0, 0)
    inside = 8 // b  # codes in a byte
    codes = torch.arange(256)[:, None] >> b * torch.arange(inside) & (1 << b) - 1  # [256, inside]
    parts = centroids.view(-1, inside, k, width)  # [bytes, inside, K, X/D]
    each = [parts[:, n, codes[:, n].clamp(max=k - 1)] for n in range(inside)]
    return torch.cat(each, 2).flatten(0, 1)


def load(path: Path) -> CTRModel:
    """The complete model in evaluation mode, on :class:`Packed` tables.

    Raises:
        PackedError: the file is not a packed model, or not as it was written.
    """
    about, tensors = read(path)
    config = RunConfig.model_validate(about["config"])
    tables = [Packed(Table(name, about, tensors)) for name in ("embedding", "first_order") if f"{name}.kept" in tensors]
    model = assemble(config, len(about["fields"]), *tables)
    rest = {
        name.removeprefix("rest."): torch.from_numpy(np.array(array))
        for name, array in tensors.items()
        if name.startswith("rest.")
    }
    missing, unexpected = model.load_state_dict(rest, strict=False)
    assert not unexpected
    assert all(name.startswith(("embedding.", "first_order.")) or "num_batches" in name for name in missing)
    return model.eval()
