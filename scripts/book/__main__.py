"""``make book``."""

from __future__ import annotations

import logging
import sys

from tqdm import tqdm

from autodpq_system.paths import runs_root
from autodpq_system.stopping import stop_on_signals
from scripts.book.build import build, size_of
from scripts.book.sources import whole
from scripts.run_notebook import reason


def main() -> int:
    """Build the whole book; exit 0 if there is nothing wrong with it."""
    logging.getLogger("papermill").setLevel(logging.ERROR)
    try:
        first = build(whole(), runs_root() / "book")
    except ValueError as error:
        sys.stderr.write(f"FAILED: {error}\n")
        return 1
    except Exception as error:
        sys.stderr.write(f"FAILED: {reason(error)}\n")
        return 1
    tqdm.write(f"{size_of(first.parent) / 1e6:.0f} MB\nBook: {first}")
    return 0


if __name__ == "__main__":
    stop_on_signals()
    sys.exit(main())
