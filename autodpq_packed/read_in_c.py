"""What the tables that a C function reads share: checked once, and again where buffers were converted or moved."""

from __future__ import annotations

import warnings
from typing import Any, Self

from torch import Tensor, nn

import autodpq_native as native
from autodpq_native.checked import Checked


class ReadInC(nn.Module):
    """A table on the CPU, read by a C function. A subclass registers its buffers, and says what they make."""

    _checked: Checked | None = None

    def __init__(self) -> None:
        super().__init__()
        self.register_load_state_dict_post_hook(ReadInC._forget)

    def checked_table(self) -> Checked:
        """The buffers as they are now, checked.

        Raises:
            ValueError: one of them is not as it must be, or leads outside the table.
        """
        raise NotImplementedError

    def forward(self, ids: Tensor) -> Tensor:
        """Vectors of features: ids int64 ``[B, M]`` -> ``[B, M, X]``.

        Raises:
            IndexError: an id is none of its field's.
            ValueError: ids of another type or shape, or not on the CPU; load(path, Packed) reads anywhere.
        """
        self._checked = self._checked or self.checked_table()
        return self._checked.look_up(ids.contiguous())

    def _apply(self, *args: Any, **kwargs: Any) -> Self:
        self._forget()
        super()._apply(*args, **kwargs)
        return self

    def _forget(self, *_: object) -> None:
        self._checked = None  # buffers may be others now


def works() -> bool:
    """Whether C can be used here. A compiler that is found but fails gives a warning, and counts as none."""
    try:
        return native.available()
    except (ValueError, OSError) as error:
        warnings.warn(f"read without C: {error}", stacklevel=3)
        return False
