"""What a reviewer of a replication takes to hand: versions with hashes, how to cite, which files to compare."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tracked import tracked

from autodpq_system.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PINNED = re.compile(r"^([\w.-]+)==([\w.]+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)\n", re.M)
PAPER = "10.1145/3539618.3591953"


def test_constraints_pin_and_hash_every_dependency_but_torch() -> None:
    text = (ROOT / "constraints.txt").read_text()
    pinned = {canonicalize_name(name): version for name, version, _ in PINNED.findall(text)}
    for wanted in map(Requirement, [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]):
        name = canonicalize_name(wanted.name)
        assert (name in pinned) == (name != "torch"), name
        assert name == "torch" or pinned[name] in wanted.specifier, name
    assert re.fullmatch(r"(?:#.*\n)*", PINNED.sub("", text))  # no host, no option, nothing without a hash


def test_constraints_are_the_versions_of_the_committed_runs() -> None:
    pinned = {f"{name}=={version}" for name, version, _ in PINNED.findall((ROOT / "constraints.txt").read_text())}
    for path in (ROOT / "results" / "ml-1m").glob("*/records/deepfm-*-seed1.json"):
        packages = json.loads(path.read_text(encoding="utf-8"))["provenance"]["packages"]
        assert {f"{name}=={version}" for name, version in packages.items() if name != "torch"} <= pinned


def test_the_citation_is_of_this_version_and_names_the_paper() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["cff-version"] == "1.2.0"
    assert (cited["version"], cited["license"]) == (PROJECT["version"], PROJECT["license"])
    assert {"message", "title", "authors", "abstract", "keywords"} <= cited.keys()
    assert f"\n## {PROJECT['version']}\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    (paper,) = cited["references"]
    checked = yaml.safe_load((ROOT / "codecheck.yml").read_text(encoding="utf-8"))["paper"]
    names = [f"{author['given-names']} {author['family-names']}" for author in paper["authors"]]
    assert names == [author["name"] for author in checked["authors"]]
    assert paper["title"] == checked["title"]
    assert f"https://doi.org/{paper['doi']}" == checked["reference"] == f"https://doi.org/{PAPER}"


def test_what_codecheck_lists_is_in_a_clone() -> None:
    manifest = yaml.safe_load((ROOT / "codecheck.yml").read_text(encoding="utf-8"))["manifest"]
    files = [Path(entry["file"]) for entry in manifest]
    assert len(files) == len(set(files)) > 10
    assert set(files) <= set(tracked())
    assert all(entry["comment"] for entry in manifest)
