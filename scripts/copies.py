"""Working copies: what a person did not change follows its source, what he changed stays his."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from autodpq_system.atomic import write_text

#: Beside the copies: name -> sha256 of the text that was copied.
COPIED = "copies.json"


def refresh(sources: Mapping[str, str], folder: Path) -> list[str]:
    """Bring the copies in ``folder`` up to date with ``sources``, a text for each name.

    A copy that still is what was copied becomes its source, or goes with it. Any other is a person's own work.

    Returns:
        The names of copies that are kept though their source says something else.
    """
    copied, kept = _copied(folder), []
    for name, text in sources.items():
        path, due = folder / name, _digest(text.encode())
        found = _digest(path.read_bytes()) if path.exists() else None
        if found not in (None, due, copied.get(name)):
            kept.append(name)
            continue
        if found != due:
            write_text(path, text)
        copied[name] = due
    for name in sorted(copied.keys() - sources.keys()):
        path, was = folder / name, copied.pop(name)
        if path.exists() and _digest(path.read_bytes()) == was:
            path.unlink()
    write_text(folder / COPIED, json.dumps(copied, indent=1, sort_keys=True) + "\n")
    return kept


def _copied(folder: Path) -> dict[str, str]:
    """What was copied; nothing is known where the file is missing or damaged, and then every copy counts as changed."""
    found: object = None
    with suppress(FileNotFoundError, ValueError):
        found = json.loads((folder / COPIED).read_bytes())
    return {str(name): str(digest) for name, digest in found.items()} if isinstance(found, dict) else {}


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()
