"""Files and arguments with one thing wrong, and what the one sentence says of it."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from refused_commands import SEARCHED
from tiny_movielens import WRITE, write_lines
from torch import nn

from autodpq_budget.arrays import compress_arrays
from autodpq_budget.compress import compress as small
from autodpq_budget.compress import smallest
from autodpq_data.avazu import FIELDS, HEADER, HOURS
from autodpq_packed.module import load
from autodpq_packed.score import PackedModel
from autodpq_runs.explore import LoadedRun
from autodpq_runs.record import read_record
from scripts import compress, replicate

#: What is done in an empty folder, and what the sentence says; HOME is the folder.
Case = tuple[Callable[[Path], object], str]
TABLE = {"path": "mine/rows.csv", "label": "clicked", "fields": ["user", "film"]}
ROWS = ["user,clicked,film", "u1,1,Up", "u2,0,M", "u1,0,M"]
PACKED = Path(__file__).parent / "files" / "packed-2.safetensors"
ONE = {"a": "a0", "b": "b0", "c": "c0"}


def batch(dataset: str) -> Callable[[Path], int]:
    """A small batch on a data set."""
    return lambda home: replicate.main([f"--dataset={dataset}", f"--out={home}/out", "--strategies=fe", "--seeds=1"])


def described(text: str | None = None, rows: list[str] = ROWS, encoding: str = "utf-8", **changed: Any) -> Any:
    """A batch on a table of one's own, which a YAML describes; None leaves a key out."""
    table = {key: value for key, value in {**TABLE, **changed}.items() if value is not None}
    content = yaml.safe_dump({"threshold": 7, "table": table}) if text is None else text

    def run(home: Path) -> int:
        (home / "config" / "mine.yaml").write_text(content, encoding="utf-8")
        (home / "raw" / "mine").mkdir()
        write_lines(home / "raw" / "mine" / "rows.csv", rows, encoding)
        return batch("mine")(home)

    return run


def with_line(number: int, line: str) -> list[str]:
    return [*ROWS[:number], line, *ROWS[number + 1 :]]


YAML: dict[str, Case] = {
    "empty": (described(""), "mine.yaml: expected lines of the form key: value, found NoneType"),
    "a list": (described("- threshold"), "mine.yaml: expected lines of the form key: value, found list"),
    "half": (described("table: {path"), "mine.yaml: expected YAML, found: .* line 1, column"),
    "a tab": (described("table:\n\tpath: x"), "mine.yaml: expected YAML, found: .* line 2, column"),
    "a threshold of text": (
        described(f"threshold: x\ntable: {json.dumps(TABLE)}"),
        "threshold: expected .*, found 'x'",
    ),
    "a negative threshold": (
        described(f"threshold: -1\ntable: {json.dumps(TABLE)}"),
        "threshold: expected greater than",
    ),
    "a key that is a number": (
        described(f"40: 3\ntable: {json.dumps(TABLE)}"),
        "config/mine.yaml: expected keys of RunConfig, found 40",
    ),
    "an unknown key": (
        described(f"treshold: 9\ntable: {json.dumps(TABLE)}"),
        "config/mine.yaml: expected keys of RunConfig, found treshold",
    ),
    "an octal number": (described("threshold: 040"), "mine.yaml: expected YAML, found: the number 040, not in plain "),
    "a number of base 60": (described("threshold: 1:30"), "mine.yaml: expected YAML, found: the number 1:30, not in"),
    "a huge number": (described(f"threshold: 0x{'f' * 5000}"), "mine.yaml: expected YAML, found: the number 0xfff"),
    "a yes for a number": (described("threshold: true"), "threshold: expected a valid integer, found True"),
    "half of a letter": (described('table: "\\ud800"'), "mine.yaml: expected YAML, found: .*surrogates not allowed"),
    "no name of a split": (described(split=""), "config/mine.yaml, table.split: String should have at least 1 char"),
    "no table": (described("threshold: 40"), "config/mine.yaml, table: .* dictionary .*, found None"),
    "a table of text": (described("table: rows.csv"), "config/mine.yaml, table: .* dictionary .*, found 'rows.csv'"),
    "no label": (described(label=None), "config/mine.yaml, table.label: Field required"),
    "no path": (described(path=None), "config/mine.yaml, table.path: Field required"),
    "an empty path": (described(path=""), "table.path: String should have at least 1 character, found ''"),
    "one field": (described(fields=["user"]), r"table.fields: .* at least 2 items .*, found \['user'\]"),
    "fields of text": (described(fields="user"), "table.fields: .*, found 'user'"),
    "a number for a field": (described(fields=["user", 3]), "table.fields.1: expected a valid string, found 3"),
    "a misspelt key": (described(feilds=["user"]), r"table.feilds: Extra inputs are not permitted, found \['user'\]"),
    "the label as a field": (
        described(fields=["user", "clicked"]),
        "each column in one place .*, found clicked in two",
    ),
    "a field twice": (described(fields=["user", "user"]), "each column in one place .*, found user in two"),
}

TABLES: dict[str, Case] = {
    "no such file": (described(path="other.csv"), "mine: expected other.csv in .*, found no such file"),
    "a folder": (described(path="mine"), "mine: expected mine in .*, found no such file"),
    "no such label": (described(label="bought"), "expected a column bought, found 'user, clicked, film'"),
    "no such field": (described(fields=["user", "day"]), "expected a column day, found 'user, clicked, film'"),
    "no such split": (described(split="part"), "expected a column part, found 'user, clicked, film'"),
    "label 2": (described(rows=with_line(2, "u2,2,M")), "row 2: expected clicked 0 or 1, found '2'"),
    "label yes": (described(rows=with_line(2, "u2,yes,M")), "row 2: expected clicked 0 or 1, found 'yes'"),
    "no label": (described(rows=with_line(2, "u2,,M")), r"row 2: expected clicked 0 or 1, found none \(an empty"),
    "one label": (described(rows=ROWS[:2]), "mine: expected rows of both labels, found 1 of 1 positive"),
    "no value": (described(rows=with_line(3, "u1,0,")), r"row 3: expected a value for film, found none \(an empty"),
    "a cell too many": (described(rows=with_line(2, "u2,0,M,x")), "line 3: expected 3 cells, found 4"),
    "no rows": (described(rows=ROWS[:1]), "rows.csv: expected rows, found none"),
    "empty": (described(rows=[]), "expected a CSV or Parquet table, found: empty"),
    "another encoding": (described(rows=with_line(2, "u2,0,é"), encoding="latin-1"), "line 3: expected UTF-8, found"),
    "half a Parquet": (described(rows=["PAR1"]), "rows.csv: expected a CSV or Parquet table, found"),
}


def raw(dataset: str, name: str, change: Callable[[bytes], bytes | None]) -> Callable[[Path], int]:
    """A batch on a small folder of MovieLens in which one file is changed, or None: removed."""

    def run(home: Path) -> int:
        path = WRITE[dataset](home / "raw" / dataset) / name
        content = change(path.read_bytes())
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        return batch(dataset)(home)

    return run


def replaced(old: str, new: str) -> Callable[[bytes], bytes]:
    return lambda content: content.replace(old.encode(), new.encode())


def avazu(content: bytes) -> Callable[[Path], int]:
    """A batch on a train file of Avazu."""

    def run(home: Path) -> int:
        (home / "raw" / "avazu").mkdir()
        (home / "raw" / "avazu" / "train.csv").write_bytes(content)
        return batch("avazu")(home)

    return run


def rows_of(header: tuple[str, ...] | list[str] = HEADER, **changed: str) -> bytes:
    values = {"id": "1", "click": "0", "hour": HOURS[0]} | {name: "x" for name in FIELDS if name != "hour"} | changed
    return f"{','.join(header)}\n{','.join(values.values())}\n".encode()


RAW: dict[str, Case] = {
    "no ratings": (
        raw("ml-1m", "ratings.dat", lambda _: None),
        "ml-1m: expected ratings.dat, .*, found no ratings.dat",
    ),
    "no items": (
        raw("ml-100k", "ml-100k.item", lambda _: None),
        "ml-100k: expected ml-100k.inter.*, found no ml-100k.i",
    ),
    "half a line": (
        raw("ml-1m", "users.dat", lambda text: text[:-2]),
        "users.dat: expected a line end.*, found .*trunc",
    ),
    "empty": (raw("ml-1m", "users.dat", lambda _: b""), "users.dat: expected text.*, found an empty file"),
    "another separator": (
        raw("ml-1m", "ratings.dat", replaced("1::2::3", "1,2,3")),
        "line 2: expected 4 columns.*, found",
    ),
    "a column less": (
        raw("ml-1m", "users.dat", replaced("::70072", "")),
        "users.dat, line 2: expected 5 columns.*, found 4",
    ),
    "six stars": (raw("ml-1m", "ratings.dat", replaced("1::2::3", "1::2::6")), "expected ratings 1 to 5, found '6'"),
    "a rating twice": (
        raw("ml-1m", "ratings.dat", replaced("2::30::1", "2::10::1")),
        "found user 2 and movie 10 more th",
    ),
    "a byte order mark": (
        raw("ml-1m", "users.dat", lambda text: b"\xef\xbb\xbf" + text),
        "users.dat: expected iso-8859-1 text",
    ),
    "UTF-16": (
        raw("ml-1m", "movies.dat", lambda text: text.decode("latin-1").encode("utf-16")),
        "expected iso-8859-1 t",
    ),
    "no year": (
        raw("ml-1m", "movies.dat", replaced(" (1995)", "")),
        "line 1: expected a title ending in a year.*, found",
    ),
    "an unknown user": (raw("ml-1m", "users.dat", replaced("3::M", "4::M")), "found user 3 in no line"),
    "fewer rows": (raw("ml-1m", "users.dat", lambda text: text), "ml-1m: expected rows 1000209, found 6"),
    "an age of text": (raw("ml-100k", "ml-100k.user", replaced("53", "old")), "line 3: expected an age.*, found 'old'"),
    "no header in Avazu": (avazu(b"1,0,2\n"), "train.csv, line 1: expected the header id,click,hour,.*, found '1,0,2'"),
    "Avazu's test.csv": (
        avazu(rows_of([name for name in HEADER if name != "click"])),
        "line 1: expected the header id,click,.*, found .*; test.csv has no click",
    ),
    "Avazu's header alone": (avazu(rows_of().splitlines()[0] + b"\n"), "expected rows after the header, found none"),
    "a click of 2": (avazu(rows_of(click="2")), "train.csv, line 2: expected click 0 or 1, found '2'"),
    "hour 24": (avazu(rows_of(hour="14102124")), "line 2: expected an hour of 14102100 to 14103023, found '14102124'"),
    "no value": (avazu(rows_of(app_domain="")), "train.csv, line 2: expected a value for app_domain, found none"),
    "half an archive": (
        avazu(gzip.compress(rows_of())[:-12]),
        "train.csv, after line 1: expected an intact archive, found",
    ),
    "a picture": (avazu(bytes(range(256)) * 9), "train.csv.*: expected .*, found"),
    "one row of Avazu": (avazu(rows_of()), "avazu: expected rows 40428967, found 1"),
}


def record(change: Callable[[Any], object] | None = None, text: Callable[[str], str] = str) -> Callable[[Path], int]:
    """Compress a record of which one thing is changed."""

    def run(home: Path) -> int:
        content = json.loads(SEARCHED.read_text())
        if change:
            change(content)
        (home / "r.json").write_text(text(json.dumps(content)))
        return compress.main([f"{home}/r.json", "--bytes=30000"])

    return run


RECORDS: dict[str, Case] = {
    "NaN": (record(lambda r: r["test"].update(auc=float("nan"))), "test.auc: expected a finite number, found nan"),
    "infinity": (record(lambda r: r["valid"].update(logloss=float("inf"))), "valid.logloss: expected a finite number"),
    "AUC of 1.5": (
        record(lambda r: r["test"].update(auc=1.5)),
        "test.auc: expected less than or equal to 1, found 1.5",
    ),
    "AUC of text": (record(lambda r: r["test"].update(auc="0.8")), "test.auc: expected a valid number, found '0.8'"),
    "a better AUC": (record(lambda r: r["test"].update(auc=0.9)), "test: expected that of retrain"),
    "an empty curve": (
        record(lambda r: r["fits"][0].update(curve={})),
        "fits.0: curve: expected columns of one length",
    ),
    "a ragged curve": (
        record(lambda r: r["fits"][1]["curve"]["seconds"].pop()),
        "curve: expected columns of one length",
    ),
    "no fits": (record(lambda r: r.update(fits=[])), "scores: expected one for each of the curves' 0 improvements"),
    "a key too many": (record(lambda r: r.update(best=1)), "best: Extra inputs are not permitted, found 1"),
    "a key too few": (record(lambda r: r.pop("space")), "space: Field required"),
    "a key twice": (
        record(text=lambda text: '{"identity": "x", ' + text[1:]),
        "'identity': expected once, found 2 times",
    ),
    "a data set that is none": (
        record(lambda r: r["config"].update(dataset="x")),
        "dataset: expected one of .*, found 'x'",
    ),
    "half": (record(text=lambda text: text[:99]), "r.json: not a valid record: "),
    "empty": (record(text=lambda _: ""), "r.json: not a valid record: expected JSON in UTF-8, found: Expecting value"),
    "a list": (record(text=lambda _: "[]"), "r.json: not a valid record: expected an object, found"),
}


def packed(change: Callable[[bytes], bytes], read: Callable[[Path], object] = PackedModel) -> Callable[[Path], object]:
    """Read a packed file of which one thing is changed."""

    def run(home: Path) -> object:
        (home / "m.safetensors").write_bytes(change(PACKED.read_bytes()))
        return read(home / "m.safetensors")

    return run


def scored(samples: Any, known: Callable[[str], str | None] = str) -> Callable[[Path], object]:
    """Score with a packed model whose vocabulary is changed, or None: away."""

    def run(home: Path) -> object:
        shutil.copy(PACKED, home / "m.safetensors")
        if (text := known(PACKED.with_suffix(".vocabulary.json").read_text())) is not None:
            (home / "m.vocabulary.json").write_text(text)
        return PackedModel(home / "m.safetensors").score(samples)

    return run


FILES: dict[str, Case] = {
    "none": (lambda home: PackedModel(home / "m.safetensors"), "HOME/m.safetensors: No such file or directory"),
    "a folder": (PackedModel, "HOME: Is a directory"),
    "empty": (packed(lambda _: b""), "m.safetensors: expected a packed model, found something else or a part of one"),
    "empty, by torch": (packed(lambda _: b"", load), "m.safetensors: expected a packed model, found something else"),
    "half": (packed(lambda raw: raw[: len(raw) // 2]), "m.safetensors: expected .*, found"),
    "a byte more": (
        packed(lambda raw: raw + b"x"),
        "m.safetensors: expected the content that sha256 .*, found another",
    ),
    "a byte changed": (
        packed(lambda raw: raw[:-1] + bytes([raw[-1] ^ 1])),
        "the content that sha256 .*, found another",
    ),
    "a record": (
        packed(lambda _: SEARCHED.read_bytes()),
        "m.safetensors: expected a packed model, found something else",
    ),
    "a huge header": (packed(lambda raw: b"\xff" * 8 + raw[8:]), "m.safetensors: expected a packed model, found"),
    "a later format": (
        packed(replaced("packed/2", "packed/9")),
        "expected format autodpq-packed/2 or .*, found 'autodpq-p",
    ),
    "a later format, by torch": (
        packed(replaced("packed/2", "packed/9"), load),
        "m.safetensors: expected format .*, found",
    ),
}

SAMPLES: dict[str, Case] = {
    "None": (scored(None), "samples: expected a list of mappings, found NoneType"),
    "one sample": (scored(ONE), "samples: expected a list of mappings, found dict"),
    "a text": (scored("a0"), "sample 0: expected a mapping of fields to values, found str"),
    "a list of None": (scored([None]), "sample 0: expected a mapping of fields to values, found NoneType"),
    "a generator of lists": (scored(["a0", "b0"] for _ in range(2)), "sample 0: expected a mapping .*, found list"),
    "ids": (scored(np.zeros((2, 3), np.int64)), "sample 0: expected a mapping of fields to values, found ndarray"),
    "a field less": (scored([ONE, {"a": "a0"}]), r"sample 1: expected a value for b, found \['a'\]"),
    "no value": (scored([{**ONE, "c": None}]), "sample 0: expected text or a whole number for c, found None"),
    "a fraction": (scored([{**ONE, "c": 0.5}]), "sample 0: expected text or a whole number for c, found 0.5"),
    "a date": (
        scored([{**ONE, "c": date(2013, 1, 1)}]),
        r"sample 0: expected text or a whole number for c, found datetime.date\(2013, 1, 1\)",
    ),
    "bytes": (scored([{**ONE, "c": b"c0"}]), "sample 0: expected text or a whole number for c, found b'c0'"),
    "no vocabulary": (
        scored([ONE], lambda _: None),
        "m.vocabulary.json: expected the vocabulary of m.*, found no such",
    ),
    "another vocabulary": (
        scored([ONE], lambda _: "{}"),
        "m.vocabulary.json: expected the vocabulary of m.*, found another",
    ),
}


def arrays(rows: Any, counts: Any, limit: Any = 300) -> Callable[[Path], object]:
    return lambda _: compress_arrays(rows, counts, limit, whole_file=False)


ARRAYS: dict[str, Case] = {
    "none": (arrays({}, {}), "rows: expected a field or more, found none"),
    "a vector": (arrays({"a": np.ones(3)}, {"a": np.ones(3)}), r"rows of a in embedding: expected \[V, X\], found"),
    "NaN": (
        arrays({"a": np.full((2, 3), np.nan)}, {"a": np.ones(2)}),
        "rows of a in embedding: expected numbers of at most 32752, found nan",
    ),
    "no counts": (arrays({"a": np.ones((2, 3))}, {}), "counts: expected a field or more, found none"),
    "counts below 0": (
        arrays({"a": np.ones((2, 3))}, {"a": -np.ones(2)}),
        "counts of a: expected none below 0, found -1",
    ),
    "a ragged list": (
        arrays({"a": [[1.0, 2.0], [3.0]]}, {"a": np.ones(2)}),
        "rows of a in embedding: expected an array of numbers, found list: setting an array element with a sequence",
    ),
    "a bare array": (arrays(np.ones((2, 3)), {"a": [1, 1]}), "rows: expected a mapping by name, found ndarray"),
    "None for counts": (arrays({"a": np.ones((2, 3))}, None), "counts: expected a mapping by name, found NoneType"),
    "shares for counts": (
        arrays({"a": np.ones((2, 3))}, {"a": [0.25, 0.75]}),
        "counts of a: expected whole numbers, how often each feature occurs in the training data, found 0.25",
    ),
    "a count beyond counting": (
        arrays({"a": np.ones((2, 3))}, {"a": [1, 1e300]}),
        r"counts of a: expected at most \d+, found 1e\+300",
    ),
    "below float16": (
        arrays({"a": np.full((2, 3), 1e-8)}, {"a": [1, 1]}),
        "rows of a in embedding: expected a largest number of 6.10352e-05 or more, .*, found 1e-08",
    ),
    "a text of bytes": (
        arrays({"a": np.ones((2, 3))}, {"a": [1, 1]}, "300"),
        "budget_bytes: expected a whole number above 0, found '300'",
    ),
    "one byte": (
        arrays({"a": np.ones((2, 3))}, {"a": np.ones(2, int)}, 1),
        "budget_bytes: expected at least 11, found 1",
    ),
    "no bytes": (
        arrays({"a": np.ones((2, 3))}, {"a": np.ones(2, int)}, 0),
        "budget_bytes: expected a whole number above 0, found 0",
    ),
}


def asked(do: Callable[..., object], **changed: Any) -> Callable[[Path], object]:
    """Ask the compressor for a file of a run, of X = 16, that is no further looked at."""

    def run(home: Path) -> object:
        found = LoadedRun(read_record(SEARCHED), *[None] * 5)
        wanted = {"run": found, "path": home / "m.safetensors"} | changed
        return do(**({} if do is smallest else {"budget_bytes": 9000}) | wanted)

    return run


WHOLE_ABOVE_0 = "budget_bytes: expected a whole number above 0, found"
TO_16 = "width: expected a whole number from 1 to 16, the run's own, found"
COMPRESSED: dict[str, Case] = {
    "a record": (
        asked(small, run=read_record(SEARCHED)),
        "run: expected a finished run, as load_run gives it, found",
    ),
    "a path": (asked(small, run=SEARCHED), "run: expected a finished run, .*, found PosixPath"),
    "a model for a loss": (
        asked(smallest, run=nn.Linear(1, 1), loss=0.1),
        "run: expected a finished run, .* Linear",
    ),
    "another ending": (
        asked(small, path="m.bin"),
        "m.bin: expected a name that ends in .safetensors, found",
    ),
    "a place where nothing can be": (
        asked(small, path="/proc/nowhere/m.safetensors"),
        "/proc/nowhere: No such file or directory",
    ),
    "such a place for a loss": (asked(smallest, loss=0.1, path="/proc/m.safetensors"), "/proc: No such file"),
    "no path": (asked(small, path=3), "path: expected a path or a text, found 3"),
    "bytes of text": (asked(small, budget_bytes="9000"), f"{WHOLE_ABOVE_0} '9000'"),
    "a fraction of bytes": (asked(small, budget_bytes=9e3), f"{WHOLE_ABOVE_0} 9000.0"),
    "True": (asked(small, budget_bytes=True), f"{WHOLE_ABOVE_0} True"),
    "no bytes": (asked(small, budget_bytes=0), f"{WHOLE_ABOVE_0} 0"),
    "X of 0": (asked(small, width=0), f"{TO_16} 0"),
    "X of 2.5": (asked(small, width=2.5), f"{TO_16} 2.5"),
    "X of text": (asked(small, width="4"), f"{TO_16} '4'"),
    "a larger X": (asked(small, width=32), f"{TO_16} 32"),
    "a loss of text": (asked(smallest, loss="0.1"), "loss: expected a number above 0 and below 1, found '0.1'"),
    "a loss of NaN": (asked(smallest, loss=float("nan")), "loss: expected a number above 0 and below 1, found nan"),
    "a loss of 2": (asked(smallest, loss=2), "loss: expected a number above 0 and below 1, found 2"),
}

KINDS = {
    "YAML": YAML,
    "own table": TABLES,
    "raw file": RAW,
    "record": RECORDS,
    "packed file": FILES,
    "sample": SAMPLES,
    "array": ARRAYS,
    "compressed": COMPRESSED,
}
