"""Bad input and other misfortunes of a command, told in one sentence in place of a traceback."""

from __future__ import annotations

import argparse
import os
import reprlib
import signal
import sys
import warnings
from collections.abc import Callable
from io import TextIOWrapper
from types import FrameType, TracebackType
from typing import NoReturn

import yaml
from pydantic import ValidationError

#: What a user may cause. Anything else is a mistake of ours and keeps its traceback. An extension that is out of memory
#: may raise SystemError without saying so.
MISFORTUNES = (
    ValueError,
    OSError,
    ImportError,
    MemoryError,
    SystemError,
    yaml.YAMLError,
    UserWarning,
)


class Parser(argparse.ArgumentParser):
    """Refuses a bad command line in one sentence, without the usage above it."""

    def error(self, message: str) -> NoReturn:
        """Exit with status 2."""
        self.exit(2, f"{self.prog}: {message}\n")


def whole_number(least: int) -> Callable[[str], int]:
    """Type of an argument: a whole number, at least so large."""

    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"expected a whole number of at least {least}, found {text!r}")
        return int(text)

    return number


def tell_in_one_sentence() -> None:
    """From now on one of :data:`MISFORTUNES` that ends this process is told in one sentence, without a traceback.

    So is a Ctrl-C, until :func:`~autodpq_system.stopping.stop_on_signals`. ``python -X dev`` keeps all tracebacks.
    Characters that the terminal cannot show are printed as "?".
    """
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    if not sys.flags.dev_mode:
        sys.excepthook = _tell
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, _leave)
        # Polars, out of memory, only warns of it; a NameError would follow.
        warnings.filterwarnings("error", "Polars binary is missing", UserWarning)


def _leave(number: int, _: FrameType | None) -> None:
    """End at once: nothing is begun yet, and a package that is interrupted in its import may abort the process."""
    os.write(2, b"stopped by Ctrl-C\n")
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if isinstance(error, BrokenPipeError):  # whoever read the output has had enough
        os._exit(1)
    if isinstance(error, MISFORTUNES):
        sys.stderr.write(f"{sentence(error)}\n")
        sys.stderr.flush()
        if isinstance(error, MemoryError | SystemError):
            os._exit(1)  # what else runs at an exit wants memory too, and says so
    else:
        sys.__excepthook__(kind, error, trace)


def sentence(error: BaseException) -> str:
    """What went wrong, in one line: what it is about, what was expected, what was found."""
    if isinstance(error, ValidationError):
        return _first_of(error)
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f"line {error.problem_mark.line + 1}: expected YAML, found: {error.problem}"
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return one_line(f"{where}{error.strerror}")
    if isinstance(error, MemoryError) and not str(error):
        return "MemoryError: expected more memory than this process may have"
    first = next(iter(str(error).strip().splitlines()), "")
    told = isinstance(error, ValueError) and first
    return one_line(first if told else f"{type(error).__name__}: {first}".rstrip(": "))


def _first_of(error: ValidationError) -> str:
    """The first thing that is wrong: ``key: expected ..., found ...``."""
    first = error.errors()[0]
    where = [".".join(str(part) for part in first["loc"])] if first["loc"] else []
    said = first["msg"].removeprefix("Value error, ").replace("Input should be", "expected")
    found = "" if first["type"] in ("missing", "value_error") else f", found {shortened(first['input'])}"
    return one_line(": ".join([*where, said]) + found)


def shortened(value: object) -> str:
    """How a value is written, if that is not long; Python writes no whole number of more than 4,300 digits."""
    try:
        return reprlib.repr(value)
    except ValueError:
        return f"{type(value).__name__} of too many digits"


def one_line(text: str) -> str:
    """The text on one line: it may quote text from outside that has line ends, or moves a terminal's cursor."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
