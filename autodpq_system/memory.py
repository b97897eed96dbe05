"""Anonymous memory of this process: what it asked for itself, without mapped files (Linux)."""

from __future__ import annotations

from threading import Event, Thread
from weakref import ReferenceType, ref

import psutil


def anonymous_mib() -> float | None:
    """Resident memory now, less what it shares with files, in MiB; None where the system does not tell."""
    now = psutil.Process().memory_info()
    return (now.rss - now.shared) / 2**20 if hasattr(now, "shared") else None


class PeakMemory:
    """The largest anonymous memory since this was made, sampled until :meth:`stop`, or until nobody holds it any more.

    Args:
        every: seconds between two samples.
    """

    def __init__(self, every: float = 0.1) -> None:
        self.mib, self._ended = anonymous_mib(), Event()
        if self.mib is not None:
            Thread(target=_watch, args=(ref(self), self._ended, every), daemon=True).start()

    def stop(self) -> float | None:
        """The peak, in MiB; nothing is sampled from now on."""
        self._ended.set()
        self.sample()
        return self.mib

    def sample(self) -> None:
        """Look now."""
        now = anonymous_mib()
        if self.mib is not None and now is not None:
            self.mib = max(self.mib, now)


def _watch(peak: ReferenceType[PeakMemory], ended: Event, every: float) -> None:
    while not ended.wait(every) and (held := peak()) is not None:
        held.sample()
        del held
