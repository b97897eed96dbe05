"""Command lines and variables with one thing wrong, and what the one sentence says of it. HOME is an empty folder."""

from __future__ import annotations

import json
from collections.abc import Callable

from autodpq_system.paths import ROOT
from scripts import compress, explain, readme, replicate, report, run_notebook, verify

SEARCHED = ROOT / "results" / "ml-1m" / "tuned" / "records" / "deepfm-autodpq-seed1.json"
FE = {"dataset": "planted", "strategy": "fe", "profile": "smoke"}


def parameters(**changed: object) -> list[str]:
    return ["--out", "HOME/out", "--parameters", json.dumps({**FE, **changed})]


def request(**changed: object) -> list[str]:
    return [json.dumps({"dataset": "planted", "out": "HOME/out", **changed})]


SMALL = ["--dataset=planted", "--profile=smoke", "--out=HOME/out"]
#: Command, its arguments (HOME is an empty folder), and what its sentence says.
COMMANDS: list[tuple[Callable[[], int], list[str], str]] = [
    (replicate.main, ["--dataset=nope"], "dataset: expected one of avazu, .*, found 'nope'"),
    (replicate.main, ["--dataset="], "dataset: expected one of .*, found ''"),
    (replicate.main, ["--dataset=../config/planted"], "dataset: expected one of .*, found '../config/planted'"),
    (replicate.main, ["--dataset=planted.yaml"], "dataset: expected one of .*, found 'planted.yaml'"),
    (replicate.main, ["--dataset=Planted"], "dataset: expected one of .*, found 'Planted'"),
    (replicate.main, [*SMALL, "--recipe=tunned"], "recipe: expected 'paper' or 'tuned', found 'tunned'"),
    (replicate.main, [*SMALL, "--recipe="], "recipe: expected 'paper' or 'tuned', found ''"),
    (replicate.main, [*SMALL, "--recipe"], "--recipe: expected one argument"),
    (replicate.main, [*SMALL, "--part=table"], "part: expected one of tables, .*, found 'table'"),
    (replicate.main, [*SMALL, "--part="], "part: expected one of tables, .*, found ''"),
    (
        replicate.main,
        ["--part=seeds", "--dataset=planted", "--out=HOME/out"],
        "expected Grid's records of Table 1, found",
    ),
    (replicate.main, [*SMALL, "--profile=ful"], "profile: expected 'full', 'smoke' or 'one-pass', found 'ful'"),
    (replicate.main, ["--part=figure3", "--profile=smoke"], "profile: expected only with part tables, found it with"),
    (replicate.main, ["--part=figure3", "--models=dcn"], "models: expected only with part tables, found it with"),
    (replicate.main, ["--part=controls", "--strategies=fe"], "strategies: expected only with part tables, found it"),
    (replicate.main, [*SMALL, "--models", "fm"], "model: expected 'deepfm', 'pnn' or 'dcn', found 'fm'"),
    (replicate.main, [*SMALL, "--models", "dcn", "fm"], "model: expected 'deepfm', 'pnn' or 'dcn', found 'fm'"),
    (replicate.main, [*SMALL, "--models=DCN"], "model: expected 'deepfm', 'pnn' or 'dcn', found 'DCN'"),
    (replicate.main, [*SMALL, "--strategies=atodpq"], "strategies: expected some of fe, .*, found 'atodpq'"),
    (replicate.main, [*SMALL, "--strategies", "fe", "griid"], "strategies: expected some of fe, .*, found 'griid'"),
    (replicate.main, [*SMALL, "--strategies=fe,grid"], "strategies: expected some of fe, .*, found 'fe,grid'"),
    (replicate.main, [*SMALL, "--seeds", "-1"], "seeds: expected whole numbers of at least 0, found '-1'"),
    (replicate.main, [*SMALL, "--seeds", "1", "x"], "seeds: expected whole numbers of at least 0, found 'x'"),
    (replicate.main, [*SMALL, "--seeds=1_0 3.0"], "seeds: expected whole numbers of at least 0, found '1_0'"),
    (replicate.main, [*SMALL, "--models=dcn dcn"], "models: expected different ones, found dcn dcn"),
    (replicate.main, [*SMALL, "--strategies=-fe"], "strategies: expected some of fe, .*, found '-fe'"),
    (
        replicate.main,
        [*SMALL, "--seeds=1.5"],
        "seeds: expected whole numbers of at least 0, found '1.5'",
    ),
    (
        replicate.main,
        [*SMALL, "--seeds=1,2"],
        "seeds: expected whole numbers of at least 0, found '1,2'",
    ),
    (replicate.main, [*SMALL, "--seeds=2 2"], "seeds: expected different ones, found 2 2"),
    (replicate.main, [*SMALL, "--seeds="], "seeds: expected one or more, found none"),
    (replicate.main, [*SMALL, "--seeds"], "--seeds: expected at least one argument"),
    (
        replicate.main,
        [*SMALL, "--out="],
        "out: expected a folder without braces and unprintable .*, found ''",
    ),
    (replicate.main, [*SMALL, "--out= "], "out: expected a folder .*, found ' '"),
    (replicate.main, [*SMALL, "--out={name}"], "out: expected a folder .*, found '{name}'"),
    (replicate.main, [*SMALL, "--out=a\nb"], r"out: expected a folder .*, found 'a\\nb'"),
    (replicate.main, [*SMALL, "--out=README.md"], "README.md/planted/tuned: Not a directory"),
    (replicate.main, [*SMALL, "--out=/proc/nowhere"], "proc/nowhere: No such file or directory"),
    (replicate.main, [*SMALL, "--jobs=0"], "--jobs: expected a whole number of at least 1, found '0'"),
    (replicate.main, [*SMALL, "--jobs=-2"], "--jobs: expected a whole number of at least 1, found '-2'"),
    (replicate.main, [*SMALL, "--jobs=two"], "--jobs: expected a whole number of at least 1, found 'two'"),
    (replicate.main, [*SMALL, "--jobs="], "--jobs: expected a whole number of at least 1, found ''"),
    (replicate.main, [*SMALL, "--executor=slrum"], "--executor: invalid choice: 'slrum'"),
    (replicate.main, [*SMALL, "--plan=yes"], "--plan: ignored explicit argument 'yes'"),
    (replicate.main, [*SMALL, "--dry-run"], "unrecognized arguments: --dry-run"),
    (replicate.main, [*SMALL, "fe"], "unrecognized arguments: fe"),
    (replicate.main, [*SMALL, "--gaps=1"], "unrecognized arguments: --gaps=1"),
    (run_notebook.main, [], "the following arguments are required: --parameters, --out"),
    (run_notebook.main, parameters()[2:], "the following arguments are required: --out"),
    (run_notebook.main, [*parameters()[2:], "--out="], "out: expected a folder without braces .*, found ''"),
    (run_notebook.main, ["--out=HOME/out", "--parameters={"], "--parameters: expected a JSON object, found '{'"),
    (
        run_notebook.main,
        ["--out=HOME/out", "--parameters=[1]"],
        "--parameters: expected a JSON object, found '\\[1\\]'",
    ),
    (run_notebook.main, parameters(strategy="fa"), "strategy: expected one of fe, .*, found fa"),
    (run_notebook.main, parameters(seed=-3), "seed: expected greater than or equal to 0, found -3"),
    (run_notebook.main, parameters(sead=3), "sead: Extra inputs are not permitted, found 3"),
    (run_notebook.main, parameters(switches={"tau": 1}), "tau: Extra inputs are not permitted, found 1"),
    (run_notebook.main, parameters(switches={"threshold": -1}), "threshold: expected greater than or equal"),
    (run_notebook.main, parameters(switches={"subspaces": [3]}), "subspaces: expected divisors of embedding_dim 16"),
    (run_notebook.main, parameters(switches={"dropout": 1}), "dropout: expected less than 1, found 1"),
    (run_notebook.main, [*parameters(), "--minutes=0"], "--minutes: expected a whole number of at least 1, found '0'"),
    (report.main, [], "the following arguments are required: request"),
    (report.main, ["{"], "Invalid JSON: .*, found '{'"),
    (report.main, request(part="x"), "part: expected one of tables, .*, found 'x'"),
    (report.main, request(seeds=[]), "seeds: expected one or more, found none"),
    (report.main, request(nope=1), "nope: Extra inputs are not permitted, found 1"),
    (explain.main, [], "the following arguments are required: claim"),
    (explain.main, ["nope"], "CLAIM: expected an id of results/ml-1m/ledger.csv, found 'nope'"),
    (verify.main, ["--out="], "OUT: expected a folder without braces .*, found ''"),
    (verify.main, ["--rerun=x"], "--rerun: expected a whole number of at least 0, found 'x'"),
    (verify.main, ["--rerun=-1"], "--rerun: expected a whole number of at least 0, found '-1'"),
    (verify.main, ["--rerun="], "--rerun: expected a whole number of at least 0, found ''"),
    (verify.main, ["--strategies=fa"], "--strategies: expected some of fe, .*, found 'fa'"),
    (verify.main, ["--strategies="], "--strategies: expected some of fe, .*, found ''"),
    (verify.main, ["results"], "unrecognized arguments: results"),
    (readme.main, ["--chek"], "unrecognized arguments: --chek"),
    (compress.main, [], "the following arguments are required: record"),
    (compress.main, ["", "--bytes=9000"], "RECORD: expected a run's record, found none"),
    (compress.main, ["r.json"], "expected one of --bytes, --ratio, --tables, --loss, found none"),
    (compress.main, ["r.json", "--bytes=0"], "--bytes: expected a whole number of at least 1, found '0'"),
    (compress.main, ["r.json", "--bytes=30kB"], "--bytes: expected a whole number of at least 1, found '30kB'"),
    (compress.main, ["r.json", "--bytes=1e5"], "--bytes: expected a whole number of at least 1, found '1e5'"),
    (compress.main, ["r.json", "--ratio=5%"], "--ratio: expected a number above 0 and below 1, found '5%'"),
    (compress.main, ["r.json", "--ratio=0"], "--ratio: expected a number above 0 and below 1, found '0'"),
    (compress.main, ["r.json", "--ratio=nan"], "--ratio: expected a number above 0 and below 1, found 'nan'"),
    (compress.main, ["r.json", "--loss=1"], "--loss: expected a number above 0 and below 1, found '1'"),
    (compress.main, ["r.json", "--loss=-0.1"], "--loss: expected a number above 0 and below 1, found '-0.1'"),
    (
        compress.main,
        ["r.json", "--bytes=9", "--loss=0.1"],
        "expected one of --bytes, --ratio, --tables, --loss, found --bytes and --loss",
    ),
    (compress.main, ["r.json", "--tables=x"], "--tables: expected a whole number of at least 1, found 'x'"),
    (
        compress.main,
        ["r.json", "--tables=9", "--bytes=9"],
        "expected one of --bytes, --ratio, --tables, --loss, found --bytes and --tables",
    ),
    (
        compress.main,
        ["r.json", "--loss=0.1", "--width=8"],
        "--width: expected only with --bytes, --ratio or --t",
    ),
    (
        compress.main,
        ["r.json", "--bytes=9000", "--width=0"],
        "--width: expected a whole number of at least 1, found '0'",
    ),
    (compress.main, ["HOME/none.json", "--bytes=9000"], "HOME/none.json: No such file or directory"),
    (
        compress.main,
        ["r.json", "--bytes=9000", "--to=/proc/nowhere/m.safetensors"],
        "/proc/nowhere: No such file or directory",
    ),
    (compress.main, ["HOME", "--bytes=9000"], "HOME: Is a directory"),
    (compress.main, [str(SEARCHED), "--bytes=9000"], "model of deepfm-autodpq-seed1 is not on this machine; run it ag"),
]
#: Variable, value, and what the sentence of a small batch says.
ENVIRONMENT = [
    ("AUTODPQ_THREADS", "x", "AUTODPQ_THREADS: expected a whole number from 1 to 1024, found 'x'"),
    ("AUTODPQ_THREADS", "0", "AUTODPQ_THREADS: expected a whole number from 1 to 1024, found '0'"),
    ("AUTODPQ_THREADS", "-1", "AUTODPQ_THREADS: expected a whole number from 1 to 1024, found '-1'"),
    ("AUTODPQ_THREADS", "1.5", "AUTODPQ_THREADS: expected a whole number from 1 to 1024, found '1.5'"),
    ("AUTODPQ_THREADS", "9999999", "AUTODPQ_THREADS: expected a whole number from 1 to 1024, found '9999999'"),
    ("AUTODPQ_RUNS", "", "AUTODPQ_RUNS: expected a folder without braces and unprintable signs in its name, found ''"),
    ("AUTODPQ_RUNS", "a\tb", r"AUTODPQ_RUNS: expected a folder .*, found 'a\\tb'"),
    ("AUTODPQ_RUNS", "a{b}", "AUTODPQ_RUNS: expected a folder .*, found 'a{b}'"),
    ("AUTODPQ_RUNS", str(ROOT / "README.md"), "README.md/.*: Not a directory"),
    ("AUTODPQ_RUNS", "/proc/nowhere", "/proc/nowhere.*: No such file or directory"),
    ("AUTODPQ_RUNS", " ", "AUTODPQ_RUNS: expected a folder .*, found ' '"),
    ("AUTODPQ_RUNS", "a\nb", r"AUTODPQ_RUNS: expected a folder .*, found 'a\\nb'"),
    ("AUTODPQ_THREADS", "", "AUTODPQ_THREADS: expected a whole number from 1 to 1024, found ''"),
    ("AUTODPQ_THREADS", "²", "AUTODPQ_THREADS: expected a whole number from 1 to 1024, found '²'"),
    (
        "AUTODPQ_DATA",
        "/proc/nowhere",
        "avazu: expected avazu/train.csv or .* in /proc/nowhere or .*, found no such file",
    ),
    (
        "AUTODPQ_DATA",
        str(ROOT / "README.md"),
        "avazu: expected avazu/train.csv or .*README.md or .*, found no such file",
    ),
]
