"""Compress a finished run: ``make compress RECORD=... BYTES=30000``, or ``RATIO=0.05``, or ``LOSS=0.001``.

BYTES limits the whole file on the disk, without the vocabulary beside it; RATIO does so as a share of the run's own
packed file; TABLES limits embedding and first-order weights alone, which README's table counts. Where bytes are few,
the run's model first teaches a narrower FE, which is compressed in its place; WIDTH sets the width instead.
LOSS is the validation AUC that may be lost: some minutes are spent on finding a small file that loses no more.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from autodpq_budget.batch import register_all
from autodpq_budget.choice_table import choice, picture
from autodpq_budget.compress import CompressedModel, compress, smallest
from autodpq_budget.starting_model import file_bytes_of
from autodpq_eval.figure_files import save
from autodpq_lib.training.metrics import evaluate
from autodpq_packed.container import VOCABULARY
from autodpq_packed.export import check_path
from autodpq_runs.explore import LoadedRun, load_run
from autodpq_system.atomic import check_place, sweep
from autodpq_system.paths import at_home, runs_root
from autodpq_system.sentence import Parser, whole_number
from autodpq_system.stopping import stop_on_signals

register_all()
#: What may be asked for.
KINDS = ("bytes", "ratio", "tables", "loss")
#: Ending of what is drawn beside the file.
PICTURE = ".png"


def main(arguments: list[str] | None = None) -> int:
    """Write the file below ``runs/compressed`` and tell what it cost."""
    asked = _arguments(arguments)
    if asked.to:
        check_path(asked.to)
    run = load_run(asked.record)
    path = asked.to or _default(run, asked)
    sweep(runs_root() / "compressed")
    check_place(path.with_suffix(PICTURE))
    whole = file_bytes_of(run.model, run.schema, run.record)
    _tell(run, _made(run, asked, path, whole), path, whole)
    return 0


def _made(run: LoadedRun, asked: argparse.Namespace, path: Path, whole: int) -> CompressedModel:
    """What was asked for; what is refused is told in the words in which it was asked."""
    if asked.loss is not None:
        return smallest(run, asked.loss, path)
    budget = asked.bytes or asked.tables or max(1, int(asked.ratio * whole))
    try:
        return compress(run, budget, path, width=asked.width, tables=asked.tables is not None)
    except ValueError as error:
        of = f", {asked.ratio:g} of {whole} bytes" if asked.ratio else ""
        raise ValueError(str(error).replace("budget_bytes", f"{asked.kind.upper()}{of}", 1)) from error


def _default(run: LoadedRun, asked: argparse.Namespace) -> Path:
    """A place of its own for each run and budget."""
    how = f"{asked.kind}-{getattr(asked, asked.kind)}"
    width = f"-width-{asked.width}" if asked.width else ""
    config = run.record.config
    return runs_root() / "compressed" / config.dataset / config.recipe / f"{config.name()}-{how}{width}.safetensors"


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = Parser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("record", help="of a finished run whose model is on this machine")
    how = parser.add_argument_group("one of these")
    how.add_argument("--bytes", type=whole_number(1), help="of the whole file, at most")
    how.add_argument("--ratio", type=_above_0, help="of the bytes of the run's own packed file, at most")
    how.add_argument("--tables", type=whole_number(1), help="of embedding and first-order weights, at most")
    how.add_argument("--loss", type=_above_0, help="of validation AUC, at most")
    parser.add_argument("--width", type=whole_number(1), help="X of what is compressed; default: by the bytes")
    parser.add_argument("--to", type=at_home, help="the file; default: below runs/compressed")
    asked = parser.parse_args(arguments)
    if not asked.record:
        parser.error("RECORD: expected a run's record, found none")
    given = [name for name in KINDS if getattr(asked, name) is not None]
    if len(given) != 1:
        every, found = ([f"--{name}" for name in names] for names in (KINDS, given))
        parser.error(f"expected one of {', '.join(every)}, found {' and '.join(found) or 'none'}")
    asked.kind = given[0]
    if asked.width and asked.loss is not None:
        parser.error("--width: expected only with --bytes, --ratio or --tables, found it with --loss")
    asked.record = at_home(asked.record)
    return asked


def _above_0(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1:
        raise argparse.ArgumentTypeError(f"expected a number above 0 and below 1, found {text!r}")
    return number


def _tell(run: LoadedRun, made: CompressedModel, path: Path, whole: int) -> None:
    before, after = run.record, {name: evaluate(made.model, getattr(run, name)) for name in ("valid", "test")}
    rows, known, drawn = choice(run.schema, made.tensors, made.width), *map(path.with_suffix, (VOCABULARY, PICTURE))
    say(f"{rows.to_string(index=False)}\nbits: per feature, including its part of what its group has in common\n\n")
    say(f"{_start(run, made)}\n")
    say(f"{path}: {made.file_bytes:,} bytes, {made.file_bytes / whole:.1%} of {whole:,}; ")
    say(f"of these {made.table_bytes:,} are embedding and first-order weights\n")
    say(f"{known}: {known.stat().st_size:,} bytes, which raw values need\n")
    say(f"{drawn}: the table above as a picture, and the curve of distortion against bytes\n")
    say(f"validation AUC {before.valid.auc:.4f} -> {after['valid'].auc:.4f}, ")
    say(f"test AUC {before.test.auc:.4f} -> {after['test'].auc:.4f}\n")
    title = f"X = {made.width}, {made.table_bytes:,} bytes of tables"
    save(picture(rows, made.menu, made.table_bytes, title), drawn)


def _start(run: LoadedRun, made: CompressedModel) -> str:
    """What was compressed, in a line."""
    own = run.record.config.embedding_dim
    what = "the run's own model" if made.width == own else f"an FE that the run's model, X = {own}, has taught"
    return f"compressed: {what}, X = {made.width}"


def say(text: str) -> None:
    """Write to standard output."""
    sys.stdout.write(text)


if __name__ == "__main__":
    stop_on_signals()
    sys.exit(main())
