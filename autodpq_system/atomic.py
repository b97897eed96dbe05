"""Write under a temporary name, rename last: a file or folder with its final name is always whole."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Bytes: a failed write that left less free than this failed because the disk is full.
SHORT_OF_SPACE = 2**16


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
        written = scratch / final.name
        yield written
        if final.is_dir() and written.exists():
            final.replace(scratch / f"{final.name}.old")
        written.replace(final)
    except Exception as error:
        if _disk_full(error, scratch):
            raise OSError(errno.ENOSPC, f"no space left on disk while writing {final}") from error
        raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _disk_full(error: Exception, folder: Path) -> bool:
    """NumPy and PyTorch report a short write without its cause; then the free space decides."""
    number = getattr(error, "errno", None)
    if number == errno.ENOSPC or os.strerror(errno.ENOSPC) in str(error):
        return True
    unexplained = isinstance(error, OSError | RuntimeError) and number is None
    return unexplained and shutil.disk_usage(folder).free < SHORT_OF_SPACE


def write_text(final: Path, text: str) -> None:
    """Write ``text`` to ``final`` as UTF-8, all or nothing."""
    with atomic_path(final) as path:
        path.write_text(text, encoding="utf-8")
