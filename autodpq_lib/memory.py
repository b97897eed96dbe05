"""Anonymous memory of this process: what it asked for itself, without mapped files (Linux)."""

from __future__ import annotations

from pathlib import Path
from threading import Event, Thread

STATUS = Path("/proc/self/status")


def anonymous_mib() -> float | None:
    """RssAnon now, in MiB; None where the system does not tell."""
    if not STATUS.exists():
        return None
    lines = STATUS.read_text().splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("RssAnon")), None)


class PeakMemory:
    """The largest anonymous memory since this was made, sampled by a thread of its own until :meth:`stop`.

    Args:
        every: seconds between two samples.
    """

    def __init__(self, every: float = 0.1) -> None:
        self.mib, self._every, self._ended = anonymous_mib(), every, Event()
        Thread(target=self._watch, daemon=True).start()

    def stop(self) -> float | None:
        """The peak, in MiB; nothing is sampled from now on."""
        self._ended.set()
        self._sample()
        return self.mib

    def _watch(self) -> None:
        while self.mib is not None and not self._ended.wait(self._every):
            self._sample()

    def _sample(self) -> None:
        now = anonymous_mib()
        if self.mib is not None and now is not None:
            self.mib = max(self.mib, now)
