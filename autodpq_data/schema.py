"""What is known of a data set before training: its fields, its features and how often each occurs."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

import torch
from torch import Tensor


@dataclass(frozen=True)
class Schema:
    """Fields and features of a prepared data set, with the threshold below which a feature is low-frequency.

    Features are numbered through all fields: field ``m`` owns the ids from ``offsets[m]`` to
    ``offsets[m] + sizes[m] - 1``.

    Attributes:
        dataset: name of the data set.
        fields: names of the M fields.
        sizes: number of features of each field.
        counts: int64 ``[N]``, occurrences of each feature in the **whole** data set, before the split: only
            these counts give the 171k of the paper's Table 1.
        threshold: a feature is low-frequency when its count is below it (section 4.1.2).
        fingerprint: sha256 of sizes, ids, labels and, where the data bring their own split, each row's part.
    """

    dataset: str
    fields: tuple[str, ...]
    sizes: tuple[int, ...]
    counts: Tensor = field(repr=False)
    threshold: int
    fingerprint: str

    @property
    def num_features(self) -> int:
        """N, the number of features of all fields."""
        return sum(self.sizes)

    @cached_property
    def offsets(self) -> tuple[int, ...]:
        """First id of each field."""
        return tuple(accumulate(self.sizes, initial=0))[:-1]

    @cached_property
    def low(self) -> Tensor:
        """Bool ``[N]``: the low-frequency features."""
        return self.counts < self.threshold

    def need_low(self) -> None:
        """Refuse a data set in which nothing is low-frequency, so that there is nothing to compress.

        Raises:
            ValueError: it is so.
        """
        if not self.low.any():
            least = f"{self.dataset}: expected a threshold above {int(self.counts.min())}, the least count"
            raise ValueError(f"{least}, for else no feature is low-frequency, found {self.threshold}")

    @cached_property
    def field_of(self) -> Tensor:
        """int64 ``[N]``: the field of each feature."""
        return torch.repeat_interleave(torch.arange(len(self.sizes)), torch.tensor(self.sizes))

    @cached_property
    def low_sizes(self) -> dict[str, int]:
        """Number of low-frequency features per field, for the fields that have any."""
        per_field = torch.bincount(self.field_of[self.low], minlength=len(self.sizes)).tolist()
        return {name: n for name, n in zip(self.fields, per_field, strict=True) if n}

    @property
    def low_fields(self) -> tuple[str, ...]:
        """Names of the fields that have low-frequency features: the ones to decide on."""
        return tuple(self.low_sizes)

    @cached_property
    def low_field(self) -> Tensor:
        """int64 ``[N]``: the index in :attr:`low_fields` of a low-frequency feature's field; -1 for a kept feature."""
        index = [self.low_fields.index(name) if name in self.low_sizes else -1 for name in self.fields]
        return torch.where(self.low, torch.tensor(index)[self.field_of], -1)
