"""``config/<dataset>.yaml``: what a data set sets otherwise than the defaults, and where a table of one's own lies."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from autodpq_data.errors import DataError
from autodpq_system.paths import ROOT

CONFIG = ROOT / "config"
#: How a number is written.
NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})(\.[0-9]+)?(e[-+]?[0-9]{1,3})?")
#: YAML files there that are no data sets.
OTHERS = {"controls"}


def described() -> set[str]:
    """Names of the data sets that have a file."""
    return {path.stem for path in CONFIG.glob("*.yaml")} - OTHERS


def read_settings(dataset: str) -> dict[str, Any]:
    """Content of a data set's file, empty where there is none.

    Raises:
        DataError: it is not YAML, or not ``key: value``.
    """
    path = CONFIG / f"{dataset}.yaml"
    return dict(_parsed(path, path.stat().st_mtime_ns)) if path.exists() and dataset not in OTHERS else {}


class _Plain(yaml.SafeLoader):
    """YAML in which surprises are errors: aliases, which may expand without end, repeated keys, and odd numbers.

    Of two equal keys only the last would count; 040 would be the number 32, and 1:30 would be 90.
    """

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.composer.ComposerError(None, None, "an alias, which is not taken", self.peek_event().start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        for name in (name for name, times in names.items() if times > 1):
            raise yaml.constructor.ConstructorError(None, None, f"the key {name} twice", node.start_mark)
        return super().construct_mapping(node, deep)

    def construct_text(self, node: yaml.ScalarNode) -> str:
        return node.value.encode().decode()  # raises on a lone surrogate, which UTF-8 cannot hold

    def construct_number(self, node: yaml.ScalarNode) -> int | float:
        if not NUMBER.fullmatch(node.value):
            raise yaml.constructor.ConstructorError(
                None, None, f"the number {node.value:.50}, not in plain digits", node.start_mark
            )
        return float(node.value) if set(node.value) & set(".e") else int(node.value)


_Plain.add_constructor("tag:yaml.org,2002:str", _Plain.construct_text)
for kind in ("int", "float"):
    _Plain.add_constructor(f"tag:yaml.org,2002:{kind}", _Plain.construct_number)


@cache
def _parsed(path: Path, _changed: int) -> dict[str, Any]:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Plain)
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, RecursionError) as error:  # of a value, too
        raise DataError(f"{path}: expected YAML, found: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise DataError(f"{path}: expected lines of the form key: value, found {type(content).__name__}")
    return content
