"""C beside Python where a compiler is at hand: built once, kept under ``runs/``, loaded by ctypes."""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
from functools import cache
from pathlib import Path

from autodpq_system.atomic import atomic_path, write_text
from autodpq_system.paths import runs_root
from autodpq_system.process import cpu

FLAGS = ("-O3", "-march=native", "-fno-math-errno", "-shared", "-fPIC")
SOURCES = sorted(Path(__file__).parent.glob("*.[ch]"))


@cache
def library() -> ctypes.CDLL | None:
    """All functions in C; None without a C compiler, or where ``AUTODPQ_COMPILER`` is empty.

    Raises:
        OSError: the result can't be written below ``runs/``, or not be loaded from there.
        ValueError: the compiler does not take the files.
    """
    if not (compiler := _compiler()):
        return None
    # The processor is named because the code is made for it, and runs/ may be shared.
    made_of = ([path.read_text() for path in SOURCES], compiler, FLAGS, platform.node(), cpu())
    built = runs_root() / "compiled" / f"native-{_digest(repr(made_of).encode())[:16]}.so"
    if not _whole(built):
        _build(compiler, built)
    return ctypes.CDLL(str(built))


def _compiler() -> list[str]:
    """``AUTODPQ_COMPILER``, the compiler with options if it needs any, or the first one found."""
    found = (shutil.which(name) for name in ("cc", "gcc", "clang"))
    named = os.environ.get("AUTODPQ_COMPILER")
    return [path for path in found if path][:1] if named is None else shlex.split(named)


def _build(compiler: list[str], built: Path) -> None:
    with atomic_path(built) as target:
        command = [*compiler, *FLAGS, *(str(path) for path in SOURCES if path.suffix == ".c"), "-o", str(target), "-lm"]
        try:
            subprocess.run(command, capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            said = " ".join(str(getattr(error, "stderr", error)).split())[:300]
            expected = f"expected {shlex.join(compiler)} to compile it"
            without = "AUTODPQ_COMPILER= (empty) does without"
            raise ValueError(f"{SOURCES[0].parent}: {expected}, found {said}; {without}") from None
        checksum = _digest(target.read_bytes())
    write_text(built.with_suffix(".sha256"), checksum)


def _whole(built: Path) -> bool:
    """Whether the file is what was once written: the system would load a damaged one, and crash."""
    checksum = built.with_suffix(".sha256")
    return built.exists() and checksum.exists() and checksum.read_bytes() == _digest(built.read_bytes()).encode()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
