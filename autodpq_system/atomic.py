"""Write under a temporary name, rename last: a file or folder with its final name is always whole."""

from __future__ import annotations

import errno
import glob
import os
import platform
import re
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psutil

#: Why a write ends before its end.
NO_ROOM = {
    errno.ENOSPC: "no space left on disk",
    errno.EDQUOT: "disk quota exceeded",
    errno.EFBIG: "expected a file of no more than this process may write, found a larger one",
}
#: Bytes: where a short write is not explained, another one of so many must fail, too, for want of room.
PROBE = 2**16
#: Names of temporary folders: for what, by which process of which machine.
SCRATCH = re.compile(r"\.(?P<final>.+)~(?P<pid>\d+)@(?P<machine>[^~]+)~\w+")
WEEK = 7 * 24 * 3600
#: Seconds that the clock of a file server, which says when a folder was written, may be behind ours.
BEHIND = 3600


@contextmanager
def atomic_path(final: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``final``; rename it to ``final`` if the block succeeds.

    The block may create a file or a folder there. On any failure it is removed.

    Raises:
        OSError: there is no room for it, or a file would replace a folder; the message names ``final``.
    """
    with scratch_folder(final) as scratch:
        written, old = scratch / final.name, scratch / f"{final.name}.old"
        try:
            yield written
            _flush(written)
            _make_room(final, written, old)
            written.replace(final)
        except BaseException as error:
            if old.exists() and not final.exists():  # stopped by a signal between the two
                old.replace(final)
            if isinstance(error, Exception) and (number := _no_room(error, scratch)):
                raise OSError(number, f"{NO_ROOM[number]} while writing {final}") from error
            raise


@contextmanager
def scratch_folder(final: Path) -> Iterator[Path]:
    """Yield a temporary folder beside ``final`` until the block ends.

    After a kill it stays until ``final`` is written again, or until :func:`sweep`.
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(final.parent.glob(f".{glob.escape(final.name)}~*"))
    mine = f"{os.getpid()}@{_machine()}"
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{final.name}~{mine}~", dir=final.parent))
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(final)) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def check_place(final: Path) -> None:
    """Refuse a place where no file can be written, before the work for it is done.

    Raises:
        OSError: nothing can be written there; the message names ``final`` if that is a folder, else its parent.
    """
    if final.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(final))
    there = next(folder for folder in final.absolute().parents if folder.exists())
    try:
        with scratch_folder(there / final.name):  # the folders between are made when the work is done
            pass
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(final.parent)) from error


def _make_room(final: Path, written: Path, old: Path) -> None:
    """Move a folder aside for a folder that was written; a file never replaces a folder and all that is in it."""
    if final.is_dir() and written.is_file():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(final))
    if final.is_dir() and written.exists():
        final.replace(old)


def _flush(written: Path) -> None:
    """Wait until the disk has a file, or all files of a folder: a loss of power could otherwise leave only a name."""
    for path in (written, *written.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())


def _no_room(error: Exception, folder: Path) -> int | None:
    """Which of :data:`NO_ROOM`, if any; NumPy and PyTorch report a short write without its cause."""
    number = getattr(error, "errno", None)
    if isinstance(error, OSError | RuntimeError) and number is None:
        try:
            (folder / "probe").write_bytes(bytes(PROBE))
        except OSError as second:
            error, number = second, second.errno
    return next((known for known in NO_ROOM if known == number or os.strerror(known) in str(error)), None)


def sweep(*folders: Path) -> None:
    """Remove from ``folders``, at any depth, what processes killed inside :func:`scratch_folder` left behind.

    From here nobody can tell whether a process of another machine still lives: what it left goes after a week.
    """
    # By os.walk, for others may remove what rglob is about to look into.
    _remove_abandoned(Path(here, name) for folder in folders for here, inner, _ in os.walk(folder) for name in inner)


def _remove_abandoned(folders: Iterable[Path]) -> None:
    """Remove those of the folders that are of :func:`scratch_folder` and whose process was killed."""
    for scratch in list(folders):
        if (named := SCRATCH.fullmatch(scratch.name)) and _abandoned(scratch, int(named["pid"]), named["machine"]):
            final = scratch.with_name(named["final"])
            if (scratch / f"{final.name}.old").exists() and not final.exists():  # killed between two renames
                (scratch / final.name).replace(final)
            shutil.rmtree(scratch, ignore_errors=True)


def _abandoned(scratch: Path, pid: int, machine: str) -> bool:
    try:
        written = scratch.stat().st_mtime
        if machine != _machine():
            return time.time() - written > WEEK
        return psutil.Process(pid).create_time() > written + BEHIND
    except FileNotFoundError:  # its owner has just removed it
        return False
    except psutil.NoSuchProcess:
        return True


@cache
def _machine() -> str:
    """Where a process's number means that process: a machine or, on Linux, a container that may share its name."""
    try:
        return f"{platform.node()}.{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return platform.node()


def write_text(final: Path, text: str) -> None:
    """Write ``text`` to ``final`` as UTF-8, all or nothing."""
    with atomic_path(final) as path:
        path.write_text(text, encoding="utf-8")
