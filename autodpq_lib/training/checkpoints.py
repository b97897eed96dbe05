"""Checkpoints of one run, so that a killed run goes on where it was, to the same bits."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from filelock import FileLock, Timeout
from torch import Tensor

from autodpq_system.atomic import atomic_path, scratch_folder

Weights = dict[str, Tensor]
#: Folders that this process has claimed, with the locks that it holds until it ends.
_CLAIMED: dict[Path, FileLock] = {}


class Checkpoints:
    """Folder that holds the state of each fit of a run, and the weights of each improvement on validation.

    Args:
        folder: made on the first write; :meth:`clear` removes it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def claim(self, wait: float = 20.0) -> None:
        """Keep other processes out until this one ends: two writers of the same checkpoints would destroy them.

        Args:
            wait: seconds to wait for another to end, as the kernel of a killed batch does.

        Raises:
            BlockingIOError: another process is at this run.
        """
        if self.folder in _CLAIMED:
            return
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder.with_name(f"{self.folder.name}.lock"), thread_local=False)
        try:
            lock.acquire(timeout=wait)
        except Timeout:
            raise BlockingIOError(f"{self.folder}: expected to be alone, found another process at this run") from None
        _CLAIMED[self.folder] = lock

    def load(self, name: str) -> dict[str, Any] | None:
        """State of the fit ``name``, or None if it has not begun."""
        path = self.folder / f"{name}.pt"
        return self._read(path) if path.exists() else None

    def save(self, name: str, state: dict[str, Any]) -> None:
        """Replace the state of the fit ``name``."""
        with atomic_path(self.folder / f"{name}.pt") as path:
            torch.save(state, path)

    def keep(self, name: str, epoch: int, weights: Weights) -> None:
        """Keep the weights after an epoch that counts: see :meth:`autodpq_lib.training.fit.Fit.counted`."""
        with atomic_path(self._kept(name, epoch)) as path:
            torch.save(weights, path)

    def weights_at(self, name: str, epoch: int) -> Weights:
        """Weights given to :meth:`keep`, mapped from disk."""
        return self._read(self._kept(name, epoch), mmap=True)

    def drop(self, name: str, epoch: int) -> None:
        """Delete the weights of an epoch that no longer counts."""
        self._kept(name, epoch).unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove everything, and let others in."""
        with scratch_folder(self.folder) as gone, suppress(FileNotFoundError):  # at once: no run could go on from half
            self.folder.replace(gone / "all")
        if lock := _CLAIMED.pop(self.folder, None):
            # Removed while it is held: a process that waits for it sees that it is gone, and makes another.
            Path(lock.lock_file).unlink(missing_ok=True)
            lock.release()

    def _read(self, path: Path, *, mmap: bool = False) -> dict[str, Any]:
        try:
            return torch.load(path, weights_only=True, map_location="cpu", mmap=mmap)
        except (RuntimeError, EOFError, UnpicklingError, OSError) as error:
            expected = f"expected a whole checkpoint, found {str(error).partition(chr(10))[0] or 'the end of the file'}"
            raise ValueError(f"{path}: {expected}; remove {self.folder}, and the run begins again") from error

    def _kept(self, name: str, epoch: int) -> Path:
        return self.folder / "kept" / f"{name}-{epoch:03d}.pt"
