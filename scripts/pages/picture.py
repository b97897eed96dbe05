"""A picture on a page, which carries the numbers that it was drawn from, so that a stale one is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

from autodpq_eval.figure_files import png
from autodpq_eval.layout import as_csv
from autodpq_system.atomic import atomic_path


@dataclass(frozen=True)
class Picture:
    """A PNG whose ``Description`` is the table it shows, as CSV.

    Attributes:
        data: gives the table.
        draw: draws it.
    """

    data: Callable[[], pd.DataFrame]
    draw: Callable[[pd.DataFrame], Figure]

    def is_current(self, path: Path) -> bool:
        """Whether the file shows what the records say now."""
        if not path.exists():
            return False
        with Image.open(path) as image:
            return bool(image.info.get("Description") == as_csv(self.data()))

    def write(self, path: Path) -> None:
        """Draw it anew, with its numbers inside."""
        table = self.data()
        with atomic_path(path) as written:
            written.write_bytes(png(self.draw(table), dpi=150, said=as_csv(table)))
