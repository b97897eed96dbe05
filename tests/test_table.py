"""A table of one's own: one YAML makes it a data set, and a bad one gets one sentence."""

import csv
import gzip
import json
import tarfile
import zipfile
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
import yaml
from pydantic import ValidationError
from tiny_movielens import entries, isolate, one_line

from autodpq_data import avazu
from autodpq_data import settings as settings_module
from autodpq_data.errors import DataError
from autodpq_data.prepared import known_fingerprint, load_samples, load_schema, prepare, raw_table, vocabulary
from autodpq_data.sources import SOURCES, locate, settings
from autodpq_lib.config import RunConfig
from autodpq_system.paths import ROOT, data_roots
from scripts import flights, recbole, run_notebook

PARTS = ("train", "valid", "test")
TABLE = {"path": "mine/rows.csv", "label": "clicked", "fields": ["user", "film"]}


def frame(rows=60):
    """Few values a field; one needs quotes in a CSV. The column ``label`` is a field, and no label."""
    rng = np.random.default_rng(4)
    films = np.array(["Up", 'Good, Bad and "Ugly"', "Amélie", "M"])
    return pl.DataFrame(
        {
            "id": range(rows),
            "user": [f"u{n}" for n in rng.integers(0, 9, rows)],
            "clicked": (rng.random(rows) < 0.4).astype(int),
            "film": films[rng.integers(0, 4, rows)],
            "label": rng.integers(10, 13, rows),
            "part": np.resize([*["train"] * 4, "valid", "test"], rows),
        }
    )


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Folders of its own, the ``config`` of data sets among them."""
    monkeypatch.setattr(settings_module, "CONFIG", tmp_path / "config")
    (tmp_path / "config").mkdir()
    (tmp_path / "raw" / "mine").mkdir(parents=True)
    return isolate(tmp_path, monkeypatch)


def describe(home, name="mine", **changed):
    """Write ``config/<name>.yaml``; None leaves a key of the table out."""
    table = {key: value for key, value in {**TABLE, **changed}.items() if value is not None}
    (home / "config" / f"{name}.yaml").write_text(yaml.safe_dump({"threshold": 7, "table": table}))


@pytest.fixture
def mine(home):
    describe(home)
    path = home / "raw" / "mine" / "rows.csv"
    frame().write_csv(path)
    return path


@pytest.mark.usefixtures("mine")
def test_ids_labels_and_counts_are_those_of_the_rows():
    known = [value for values in vocabulary("mine").values() for value in values]
    ids = np.load(prepare("mine") / "ids.npy")
    assert [tuple(known[i] for i in row) for row in ids] == frame().select("user", "film").rows()
    assert np.load(prepare("mine") / "labels.npy").tolist() == frame()["clicked"].to_list()
    assert load_schema("mine", 7).counts.tolist() == np.bincount(ids.ravel()).tolist()
    assert raw_table("mine").columns == ["user", "film", "clicked"]
    assert [len(load_samples("mine", part)) for part in PARTS] == [48, 6, 6]


def test_settings_of_the_run_come_from_the_same_file(mine):
    config = RunConfig(dataset="mine", strategy="fe")
    assert config.threshold == 7
    assert locate("mine") == mine.parent


def renamed(rows):
    """With a column that is called as polars calls one that is there twice."""
    return rows.rename({"part": "film_duplicated_0"})


def as_parquet(path, rows):
    columns = {"user": pl.Categorical, "clicked": pl.Boolean}
    rows.with_columns(day=pl.lit(date(2013, 1, 1)), price=pl.lit(1.5)).cast(columns).write_parquet(path)


FORMS = {
    "plain": lambda path, rows: rows.write_csv(path),
    "quoted everywhere": lambda path, rows: rows.write_csv(path, quote_style="always"),
    "byte order mark": lambda path, rows: rows.write_csv(path, include_bom=True),
    "windows": lambda path, rows: rows.write_csv(path, line_terminator="\r\n"),
    "gzip": lambda path, rows: path.write_bytes(gzip.compress(rows.write_csv().encode())),
    "labels as floats": lambda path, rows: rows.cast({"clicked": pl.Float32}).write_csv(path),
    "other order of columns": lambda path, rows: rows.select(rows.columns[::-1]).write_csv(path),
    "parquet named csv": as_parquet,
    "a name as of a double": lambda path, rows: renamed(rows).write_csv(path),
    "such a name in parquet": lambda path, rows: renamed(rows).write_parquet(path),
    "columns without names": lambda path, rows: path.write_text(rows.write_csv().replace("\n", ",,\n")),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_data(mine, monkeypatch, tmp_path, form):
    expected = load_schema("mine", 7).fingerprint
    FORMS[form](mine, frame())
    monkeypatch.setenv("AUTODPQ_RUNS", str(tmp_path / "other"))
    assert load_schema("mine", 7).fingerprint == expected


def test_numbers_and_dates_of_parquet_are_values(home):
    describe(home, fields=["day", "price"])
    as_parquet(home / "raw" / "mine" / "rows.csv", frame())
    assert vocabulary("mine") == {"day": ["2013-01-01"], "price": ["1.5"]}


def test_whole_numbers_that_became_floats_have_no_decimals(mine):
    frame().with_columns(film=pl.Series([0.5, *(float(n % 3) for n in range(59))])).write_parquet(mine)
    assert vocabulary("mine")["film"] == ["0", "0.5", "1", "2"]


def test_floats_beyond_64_bits_are_values(mine):
    frame().with_columns(film=pl.Series([1e20, *(float(n % 2) for n in range(59))])).write_parquet(mine)
    assert vocabulary("mine")["film"] == ["0", "1", "1e+20"]


@pytest.mark.parametrize("texts", [("0", "1"), ("false", "true"), ("False", "True"), ("0.0", "1.0")])
def test_labels_may_be_written_so(mine, texts):
    frame().with_columns(clicked=pl.Series(texts).gather(frame()["clicked"])).write_csv(mine)
    expected = frame()["clicked"].to_list()
    found = [label for part in ("train", "valid", "test") for label in load_samples("mine", part).labels.tolist()]
    assert sorted(found) == sorted(expected)


def test_a_field_may_be_called_label(home, mine):
    describe(home, fields=["user", "label"])
    assert vocabulary("mine")["label"] == ["10", "11", "12"]
    assert np.load(prepare("mine") / "labels.npy").tolist() == frame()["clicked"].to_list()


def test_path_may_be_absolute(home, mine, tmp_path):
    elsewhere = tmp_path / "else[where]" / "rows.csv"
    elsewhere.parent.mkdir()
    mine.rename(elsewhere)
    describe(home, path=str(elsewhere))
    assert load_schema("mine", 7).fields == ("user", "film")


def test_path_may_begin_at_home(home, mine, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    mine.rename(tmp_path / "rows.csv")
    describe(home, path="~/rows.csv")
    assert locate("mine") == tmp_path
    describe(home, path="~nobody-of-this-name/rows.csv")
    with pytest.raises(DataError, match=r"mine: expected ~nobody-of-this-name/rows\.csv in .*, found no such file"):
        locate("mine")


def test_what_is_prepared_serves_without_the_file(mine):
    expected = load_schema("mine", 7).fingerprint
    mine.unlink()
    assert load_schema("mine", 7).fingerprint == known_fingerprint("mine") == expected
    assert len(load_samples("mine", "test")) == 6


@pytest.mark.parametrize("changed", [{"path": "mine/none.csv"}, {"fields": ["user", "label"]}, {"label": "none"}])
def test_a_description_that_changed_is_not_served_without_the_file(home, mine, changed):
    load_schema("mine", 7)
    mine.unlink()
    describe(home, **changed)
    with pytest.raises(DataError, match=r"^mine: expected mine/\w+\.csv in .*, found no such file"):
        load_schema("mine", 7)


def test_blocks_change_nothing(mine, monkeypatch, tmp_path):
    expected = load_schema("mine", 7).fingerprint
    monkeypatch.setattr("autodpq_data.table.BLOCK_ROWS", 7)
    monkeypatch.setenv("AUTODPQ_RUNS", str(tmp_path / "other"))
    assert load_schema("mine", 7).fingerprint == expected


def test_changed_rows_or_label_are_prepared_again_and_another_threshold_is_not(home, mine):
    first = load_schema("mine", 7).fingerprint
    written = prepare("mine").stat().st_ino
    settings("mine")  # a threshold is no part of what is prepared
    (home / "config" / "mine.yaml").write_text(yaml.safe_dump({"threshold": 9, "table": TABLE}))
    assert prepare("mine").stat().st_ino == written
    rows = frame()
    rows[3, "clicked"] = 1 - rows[3, "clicked"]
    rows.write_csv(mine)
    assert known_fingerprint("mine") == load_schema("mine", 7).fingerprint != first
    rows.with_columns(bought=1 - pl.col("clicked")).write_csv(mine)
    second = load_schema("mine", 7).fingerprint
    describe(home, label="bought")
    assert load_schema("mine", 7).fingerprint != second


def test_a_file_that_is_called_table_is_watched_too(home, mine):
    """Its sum stands beside that of the description, by a name of its own."""
    file = mine.rename(mine.with_name("table"))
    describe(home, path=str(file))
    first = load_schema("mine", 7).fingerprint
    frame().with_columns(clicked=1 - pl.col("clicked")).write_csv(file)
    assert load_schema("mine", 7).fingerprint != first


def test_column_of_the_split_gives_the_parts(home, mine):
    plain = load_schema("mine", 7).fingerprint
    describe(home, split="part")
    ids = np.load(prepare("mine") / "ids.npy")
    for part in PARTS:
        samples = load_samples("mine", part)
        assert samples.ids.tolist() == ids[(frame()["part"] == part).to_numpy()].tolist()
        assert samples.labels.tolist() == frame().filter(part=part)["clicked"].to_list()
    split = load_schema("mine", 7).fingerprint
    assert split != plain
    frame().with_columns(part=pl.col("part").reverse()).write_csv(mine)
    assert load_schema("mine", 7).fingerprint not in (plain, split)
    with pytest.raises(DataError, match="split_seed: expected 0 where the split of mine is given, found 3"):
        load_samples("mine", "train", split_seed=3)


def with_value(row, column, value):
    def spoil(path):
        rows = frame().cast(pl.String)
        rows[row, column] = value
        rows.write_csv(path)

    return spoil


def without(column):
    return lambda path: frame().drop(column).write_csv(path)


def all_of(column, value):
    return lambda path: frame().with_columns(pl.lit(value).alias(column)).write_csv(path)


def with_line(number, line):
    def spoil(path):
        lines = frame().write_csv().splitlines()
        path.write_text("\n".join([*lines[:number], line, *lines[number + 1 :]]))

    return spoil


def twice(path):
    header, *lines = frame().write_csv().splitlines(keepends=True)
    path.write_text(header.replace("part", "film") + "".join(lines))


def cut_parquet(path):
    frame().write_parquet(path)
    path.write_bytes(path.read_bytes()[:-20])


def cut_gzip(path):
    path.write_bytes(gzip.compress(frame(9999).write_csv().encode())[:-2000])


def flipped_gzip(path):
    """The length of a block says otherwise than its complement."""
    raw = bytearray(gzip.compress(frame(9999).write_csv().encode(), 0))
    raw[raw.rindex(b"\xff\xff\x00\x00")] ^= 1
    path.write_bytes(raw)


def nan_in_parquet(path):
    frame().with_columns(film=pl.Series([float("nan"), *range(1, 60)])).write_parquet(path)


#: What is wrong -> how to make it so, what the YAML says otherwise, what the sentence must say.
BAD = {
    "no such file": (lambda path: path.unlink(), {}, "mine: expected mine/rows.csv in .*, found no such file"),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), {}, "found no such file"),
    "no such label": (without("clicked"), {}, "expected a column clicked, found 'id, user, film, label, part'"),
    "no such field": (without("film"), {}, "expected a column film, found 'id, user, clicked, label, part'"),
    "no such split": (without("part"), {"split": "part"}, "expected a column part, found"),
    "label 2": (with_value(4, "clicked", "2"), {}, "row 5: expected clicked 0 or 1, found '2'"),
    "label yes": (with_value(4, "clicked", "yes"), {}, "row 5: expected clicked 0 or 1, found 'yes'"),
    "label 0.5": (with_value(59, "clicked", "0.5"), {}, "row 60: expected clicked 0 or 1, found '0.5'"),
    "no label": (with_value(4, "clicked", None), {}, "row 5: expected clicked 0 or 1, found none"),
    "one label": (all_of("clicked", 0), {}, "mine: expected rows of both labels, found 0 of 60 positive"),
    "empty value": (with_value(30, "film", ""), {}, "row 31: expected a value for film, found none"),
    "missing value": (with_value(30, "user", None), {}, "row 31: expected a value for user, found none"),
    "field without values": (all_of("film", None), {}, "row 1: expected a value for film, found none"),
    "not a number in Parquet": (nan_in_parquet, {}, "row 1: expected a value for film, found none"),
    "no rows": (lambda path: frame(0).write_csv(path), {}, "expected rows, found none"),
    "a column twice": (twice, {}, "rows.csv: expected columns of different names, found 'film' twice"),
    "empty file": (lambda path: path.write_bytes(b""), {}, "expected a CSV or Parquet table, found: empty"),
    "ragged": (with_line(9, "7,u1,0,M,10,train,too,many"), {}, "rows.csv, line 10: expected 6 cells, found 8"),
    "quotes by backslash": (
        lambda path: path.write_text(frame().write_csv(quote_style="always").replace('"17"', '"1\\" 7"')), {},
        "rows.csv, line [0-9]+: expected CSV, a quote within a cell doubled, found: ',' expected after '\"'",
    ),
    "a quote alone": (
        with_line(9, 'x,5",0,M,10,train'), {},
        "rows.csv, line 10: expected CSV, a quote within a cell doubled, found an odd number of them",
    ),
    "another encoding": (
        lambda path: path.write_bytes(frame().write_csv().replace("Amélie", "M", 1).encode("latin-1")), {},
        r"rows.csv, line \d+: expected UTF-8, found the byte 0xe9",
    ),
    "binary": (lambda path: path.write_bytes(bytes(range(256)) * 9), {}, "line 3: expected UTF-8, found the byte 0x80"),
    "cut Parquet": (cut_parquet, {}, "expected a CSV or Parquet table, found"),
    "cut gzip": (cut_gzip, {}, "rows.csv: expected a CSV or Parquet table, found: "),
    "flipped gzip": (flipped_gzip, {}, "rows.csv: expected a CSV or Parquet table, found: .* invalid"),
    "lists": (
        lambda path: frame().with_columns(film=pl.lit([1])).write_parquet(path), {},
        r"rows.csv: expected texts, numbers or dates in film, found List\(Int64\)",
    ),
    "durations": (
        lambda path: frame().with_columns(film=pl.lit(timedelta(1))).write_parquet(path), {},
        "rows.csv: expected texts, numbers or dates in film, found Duration",
    ),
    "split dev": (
        with_value(2, "part", "dev"), {"split": "part"}, "row 3: expected train, valid or test in part, found 'dev'"
    ),
    "split none": (
        with_value(2, "part", None), {"split": "part"}, "row 3: expected train, valid or test in part, found none"
    ),
    "split without test": (
        all_of("part", "train"), {"split": "part"}, "rows of train, valid and test in part, found none of valid"
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_bad_file_gets_one_sentence_and_leaves_nothing(home, mine, what):
    spoil, changed, says = BAD[what]
    describe(home, **changed)
    spoil(mine)
    with pytest.raises(DataError, match=says) as caught:
        prepare("mine")
    message = one_line(caught.value)
    assert message.isprintable()
    assert len(message) < 600
    assert entries(home / "runs" / "prepared") == []


def test_quotes_are_looked_for_once_however_often_a_file_is_read(home, mine, monkeypatch):
    describe(home, split="part")
    passes, reader = [], csv.reader
    monkeypatch.setattr(csv, "reader", lambda *given, **keys: passes.append(1) or reader(*given, **keys))
    prepare("mine")
    assert len(passes) == 1
    frame(90).write_csv(mine)
    prepare("mine")
    assert len(passes) == 2


def test_a_long_text_is_no_damage(mine):
    """Longer than 131,072 characters, which is where Python's reader stops unless it is told otherwise."""
    with_value(2, "film", "x" * 200_000)(mine)
    assert prepare("mine").is_dir()


def test_row_of_a_later_block_is_counted_from_the_first(mine, monkeypatch):
    monkeypatch.setattr("autodpq_data.table.BLOCK_ROWS", 7)
    with_value(30, "film", "")(mine)
    with pytest.raises(DataError, match="row 31: expected a value for film"):
        prepare("mine")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"label": None}, "table.label: Field required"),
        ({"path": None}, "table.path: Field required"),
        ({"path": ""}, "table.path: String should have at least 1 character, found ''"),
        ({"fields": ["user"]}, r"table.fields: .* at least 2 items .*, found \['user'\]"),
        ({"fields": "user"}, "table.fields: .*, found 'user'"),
        ({"fields": ["user", 3]}, "table.fields.1: expected a valid string, found 3"),
        ({"feilds": ["user"]}, r"table.feilds: Extra inputs are not permitted, found \['user'\]"),
        ({"fields": ["user", "clicked"]}, "expected each column in one place .*, found clicked in two"),
        ({"fields": ["user", "user"]}, "expected each column in one place .*, found user in two"),
        ({"fields": ["user", "^fi.*$"]}, r"expected names of columns, found the pattern \^fi\.\*\$"),
        ({"label": "*"}, r"expected names of columns, found the pattern \*"),
        ({"split": "film"}, "expected each column in one place .*, found film in two"),
    ],
)
@pytest.mark.usefixtures("mine")
def test_bad_description_names_the_file_and_the_key(home, changed, says):
    describe(home, **changed)
    with pytest.raises(DataError, match=says) as caught:
        prepare("mine")
    assert one_line(caught.value).startswith("config/mine.yaml, table")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("threshold: 40", "config/mine.yaml, table: .* dictionary .*, found None"),
        ("table: rows.csv", "config/mine.yaml, table: .* dictionary .*, found 'rows.csv'"),
        ("- threshold", "mine.yaml: expected lines of the form key: value, found list"),
        ("", "mine.yaml: expected lines of the form key: value, found NoneType"),
        ("table: {path", "mine.yaml: expected YAML, found: .* line 1, column"),
        ("threshold: 7\nlearning_rate: 0.1\nthreshold: 160\n", "expected YAML, found: the key threshold twice"),
        ("a: &a [1]\ntable: {path: *a}\n", "expected YAML, found: an alias"),
        ("a: " + "[" * 3000, "expected YAML, found: maximum recursion depth exceeded"),
        ("a: !!bool maybe", "mine.yaml: expected YAML, found: 'maybe'"),
        ("a: !!int ''", "mine.yaml: expected YAML, found: "),
        ("a: !!timestamp foo", "mine.yaml: expected YAML, found: "),
        ("threshold: 2001-99-99", "mine.yaml: expected YAML, found: month must be in 1..12"),
    ],
)
def test_bad_yaml_is_named(home, text, says):
    (home / "config" / "mine.yaml").write_text(text)
    with pytest.raises(DataError, match=says) as caught:
        prepare("mine")
    one_line(caught.value)


@pytest.mark.parametrize("name", ["a{b", "a}b", "a{wildcard}", "a\nb"])
def test_names_that_snakemake_does_not_take_are_refused(home, mine, name):
    describe(home, name)
    with pytest.raises(DataError, match="dataset: expected a name without braces and unprintable signs, fou") as told:
        settings(name)
    assert repr(name) in one_line(told.value)


@pytest.mark.parametrize(
    "name", ["../config/mine", "../../etc/passwd", "/etc/hostname", "controls", "paper/claims", "."]
)
@pytest.mark.usefixtures("mine")
def test_names_are_the_files_of_config_and_nothing_else(home, name):
    (home / "config" / "controls.yaml").write_text("[]")
    expected = f"dataset: expected one of {', '.join(sorted([*SOURCES, 'mine']))}, found {name!r}"
    with pytest.raises(DataError) as caught:
        load_schema(name, 7)
    assert one_line(caught.value) == expected
    with pytest.raises(ValidationError) as refused:
        RunConfig(dataset=name, strategy="fe")
    assert expected in str(refused.value)


def avazu_file():
    return next((path for root in data_roots() if (path := root / "avazu" / "train.csv").exists()), None)


@pytest.mark.skipif(avazu_file() is None, reason="needs avazu/train.csv below AUTODPQ_DATA")
def test_avazu_sample_read_as_a_table_is_the_data_set_that_its_own_reader_gives(tmp_path, monkeypatch):
    sample = avazu_file()
    monkeypatch.setattr(settings_module, "CONFIG", tmp_path)
    describe_at = {"path": str(sample), "label": "click", "fields": list(avazu.FIELDS)}
    (tmp_path / "rows.yaml").write_text(yaml.safe_dump({"table": describe_at}))
    monkeypatch.setattr("autodpq_data.table.BLOCK_ROWS", 10_000)
    assert load_schema("rows", 7).fingerprint == SOURCES["avazu-sample"].fingerprint


def test_the_batchs_notebook_runs_on_a_table(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    columns = {name: rng.integers(0, 9, 400) for name in flights_table()["fields"]}
    (tmp_path / "flights").mkdir()
    pl.DataFrame({**columns, "late": rng.random(400) < 0.2}).write_parquet(tmp_path / "flights" / "flights.parquet")
    monkeypatch.setenv("AUTODPQ_DATA", str(tmp_path))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    parameters = json.dumps({"dataset": "flights", "strategy": "fe", "profile": "smoke"})
    assert run_notebook.main(["--parameters", parameters, "--out", str(tmp_path / "out")]) == 0


def flights_table():
    return yaml.safe_load((ROOT / "config" / "flights.yaml").read_text())["table"]


FLIGHTS = """year,month,day,arr_delay,carrier,flight,tailnum,origin,dest,hour
2013,1,1,16,UA,1545,N14228,EWR,IAH,5
2013,1,5,15,AA,1545,N619AA,JFK,MIA,6
2013,1,6,NA,AA,1141,NA,JFK,MIA,5
"""


def test_flights_are_read_from_the_package_without_what_tells_the_label(tmp_path):
    package = tmp_path / "package.tar.gz"
    with zipfile.ZipFile(tmp_path / "flights.csv.zip", "w") as zipped:
        zipped.writestr("flights.csv", FLIGHTS)
    with tarfile.open(package, "w:gz") as packed:
        packed.add(tmp_path / "flights.csv.zip", flights.INSIDE)
    table = flights.choose(flights.read_flights(package))
    assert table.rows() == [
        (1, 2, 5, "UA", "UA1545", "N14228", "EWR", "IAH", True),
        (1, 6, 6, "AA", "AA1545", "N619AA", "JFK", "MIA", False),
    ]
    assert table.columns == [*flights_table()["fields"], flights_table()["label"]]


def test_recboles_rows_are_those_that_are_not_3_and_positive_above():
    ratings = pl.DataFrame({name: list("abcde") for name in (*recbole.FIELDS, "zip")}).with_columns(
        rating=pl.Series(["1", "3", "4", "5", "2"])
    )
    made = recbole.choose(ratings)
    assert made.columns == [*recbole.FIELDS, "positive"]
    assert made["user"].to_list() == ["a", "c", "d", "e"]
    assert made["positive"].to_list() == [False, True, True, False]
