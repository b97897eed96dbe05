"""Stopping stops: a signal to a process of a batch, or the end of the one that started it, ends all that it started."""

from __future__ import annotations

import os
import platform
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep
from types import FrameType

import psutil

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
#: Seconds that children have to end before they are killed.
GRACE = 6.0
#: The signal that is ending this process.
_STOPPED_BY: list[int] = []
#: Environment: ``pid@machine`` of a process; when it ends, the processes that it started end too.
STARTER = "AUTODPQ_STARTER"


def stop_on_signals() -> None:
    """From now on a signal ends the children first; one that is ignored (``nohup``) stays so."""
    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _stop)


def exit_if_stopped() -> None:
    """End with the signal's exit status, where a program (Snakemake) has taken the exit for a mere failure."""
    if _STOPPED_BY:
        raise SystemExit(128 + _STOPPED_BY[0])


def stop_with_starter() -> None:
    """End as by SIGTERM when the process named in ``$AUTODPQ_STARTER`` ends, or a shell between it and this one.

    Processes that this one starts end with it, too. A name from another machine is ignored: a cluster passes it on.
    """
    pid, _, machine = os.environ.get(STARTER, "").partition("@")
    if machine and not pid.isdecimal():
        raise ValueError(f"{STARTER}: expected pid@machine, found {os.environ[STARTER]!r}")
    os.environ[STARTER] = f"{os.getpid()}@{platform.node()}"
    if machine == platform.node():
        try:
            followed = psutil.Process(int(pid)), psutil.Process(os.getppid())
        except psutil.NoSuchProcess:
            raise SystemExit(128 + signal.SIGTERM) from None
        # Read here: by the time that a thread begins, the starter may have got its signal.
        Thread(target=_follow, args=(*followed, _handled(followed[0])), daemon=True).start()


@contextmanager
def killed_when_idle(last_progress: Callable[[], float], seconds: float) -> Iterator[None]:
    """Kill the children that start inside the block when ``last_progress`` stays the same for ``seconds``.

    Raises:
        TimeoutError: they were killed; it replaces the error that the block raised.
    """
    before = set(psutil.Process().children(recursive=True))
    left, idle = Event(), Event()

    def watch() -> None:
        seen, since = last_progress(), monotonic()
        while not left.wait(min(seconds / 5, 10.0)):
            if (now := last_progress()) != seen:
                seen, since = now, monotonic()
            elif monotonic() - since > seconds:
                idle.set()
                _each(psutil.Process.kill, set(psutil.Process().children(recursive=True)) - before)

    Thread(target=watch, daemon=True).start()
    try:
        yield
    except Exception as error:
        if idle.is_set():
            raise TimeoutError(f"no progress for {seconds / 60:g} minutes, so it was ended") from error
        raise
    finally:
        left.set()


def _stop(number: int, _: FrameType | None) -> None:
    _STOPPED_BY.append(number)
    for repeated in SIGNALS:
        signal.signal(repeated, signal.SIG_IGN)
    children = psutil.Process().children(recursive=True)
    _each(psutil.Process.terminate, children)
    until = monotonic() + GRACE
    while any(map(_lives, children)) and monotonic() < until:
        sleep(0.1)
    _each(psutil.Process.kill, children)
    raise SystemExit(128 + number)


def _follow(starter: psutil.Process, parent: psutil.Process, handled: int) -> None:
    while _lives(starter) and _lives(parent) and not handled & ~_handled(starter):
        sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)


def _lives(process: psutil.Process) -> bool:
    """A process that has ended but that nobody has waited for does not live."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _handled(process: psutil.Process) -> int:
    """The signals of :data:`SIGNALS` that a process handles, as bits (Linux; elsewhere none).

    They show that ``make`` has got a SIGINT or SIGHUP: it then stops handling it, and waits for its children without
    telling them.
    """
    with suppress(OSError):
        for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
            if line.startswith("SigCgt:"):
                return int(line.split()[1], 16) & sum(1 << number - 1 for number in SIGNALS)
    return 0


def _each(do: Callable[[psutil.Process], None], processes: Iterable[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            do(process)
