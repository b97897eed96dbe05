"""Pages of the API: one a package, every module of it from its docstrings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from autodpq_system.paths import ROOT

#: What a person imports; the rest is how the suite runs itself.
PACKAGES = (
    "autodpq_lib",
    "autodpq_data",
    "autodpq_runs",
    "autodpq_eval",
    "autodpq_packed",
    "autodpq_rivals",
    "autodpq_budget",
    "autodpq_lab",
)


def api(packages: Iterable[str] = PACKAGES) -> Iterator[tuple[str, str]]:
    """Name and Markdown of the page of each package, and of each package in it."""
    for name in packages:
        for folder in sorted({path.parent for path in (ROOT / name).rglob("__init__.py")}):
            package = ".".join(folder.relative_to(ROOT).parts)
            yield f"api/{package}.md", _page(package, sorted(folder.glob("*.py")))


def _page(package: str, files: list[Path]) -> str:
    modules = [f"{package}.{path.stem}" for path in files if path.stem not in ("__init__", "__main__")]
    return "\n".join([f"# {package}", "", _members(package), *map(_section, modules)])


def _section(module: str) -> str:
    return f"## {module}\n\n{_members(module)}"


def _members(module: str) -> str:
    return f"```{{eval-rst}}\n.. automodule:: {module}\n   :members:\n   :show-inheritance:\n```\n"
