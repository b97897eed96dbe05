"""Write under a temporary name, rename last: a file or folder with its final name is always whole."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(final: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``final``; rename it to ``final`` if the block succeeds.

    The block may create a file or a folder there. On any failure it is removed.

    Raises:
        OSError: the disk is full; the message names ``final``.
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{final.name}-", dir=final.parent))
    try:
        yield scratch / final.name
        if final.is_dir():
            shutil.rmtree(final)
        os.replace(scratch / final.name, final)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise OSError(errno.ENOSPC, f"no space left on disk while writing {final}") from error
        raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def write_text(final: Path, text: str) -> None:
    """Write ``text`` to ``final`` as UTF-8, all or nothing."""
    with atomic_path(final) as path:
        path.write_text(text, encoding="utf-8")
