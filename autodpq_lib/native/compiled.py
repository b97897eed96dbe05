"""C beside Python where a compiler is at hand: built once, kept under ``runs/``, loaded by ctypes."""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
from functools import cache
from pathlib import Path

from autodpq_system.atomic import atomic_path
from autodpq_system.paths import runs_root
from autodpq_system.process import cpu

FLAGS = ("-O3", "-march=native", "-fno-math-errno", "-shared", "-fPIC")


@cache
def library(source: Path) -> ctypes.CDLL | None:
    """The functions of a C file; None without a C compiler, or where ``AUTODPQ_COMPILER`` is empty.

    Raises:
        RuntimeError: the compiler does not take the file.
    """
    compiler = os.environ.get("AUTODPQ_COMPILER", shutil.which("cc") or shutil.which("gcc") or shutil.which("clang"))
    if not compiler:
        return None
    # The processor is named because the code is made for it, and runs/ may be shared.
    made_of = (source.read_text(), compiler, *FLAGS, platform.node(), cpu())
    built = runs_root() / "compiled" / f"{source.stem}-{hashlib.sha256(repr(made_of).encode()).hexdigest()[:16]}.so"
    if not built.exists():
        with atomic_path(built) as target:
            command = [compiler, *FLAGS, str(source), "-o", str(target), "-lm"]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise RuntimeError(f"{source}: expected {compiler} to compile it, found {done.stderr.strip()[:300]}")
    return ctypes.CDLL(str(built))
