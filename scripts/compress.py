"""Compress a finished run: ``make compress RECORD=... BYTES=30000``, or ``RATIO=0.05``, or ``LOSS=0.001``.

BYTES are those of the whole file on the disk, the vocabulary beside it apart; RATIO is its share of the file that the
run has uncompressed; LOSS is the validation AUC that may be lost, and the file the smallest that loses no more as it
is chosen: with BYTES or RATIO the model is trained on in the end, and may lose less in as many bytes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from autodpq_budget.compress import Compressed, compress, smallest
from autodpq_budget.show import choice
from autodpq_data.prepared import vocabulary
from autodpq_lib.training.metrics import evaluate
from autodpq_packed.export import check_name, export
from autodpq_runs.explore import LoadedRun, load_run
from autodpq_system.paths import runs_root
from autodpq_system.sentence import Parser, whole_number
from autodpq_system.stopping import stop_on_signals


def main(arguments: list[str] | None = None) -> int:
    """Write the file below ``runs/compressed`` and tell what it cost."""
    asked = _arguments(arguments)
    if asked.to:
        check_name(asked.to)
    run = load_run(asked.record)
    path = asked.to or _default(run, asked)
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = _uncompressed(run)
    if asked.loss is not None:
        made = smallest(run, asked.loss, path)
    else:
        made = compress(run, asked.bytes or int(asked.ratio * whole), path, width=asked.width)
    _tell(run, made, path, whole, asked.width or run.record.config.embedding_dim)
    return 0


def _default(run: LoadedRun, asked: argparse.Namespace) -> Path:
    """A place of its own for each run and budget."""
    how = next(f"{name}-{getattr(asked, name)}" for name in ("bytes", "ratio", "loss") if getattr(asked, name))
    width = f"-width-{asked.width}" if asked.width else ""
    config = run.record.config
    return runs_root() / "compressed" / config.dataset / config.recipe / f"{config.name()}-{how}{width}.safetensors"


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = Parser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("record", type=Path, help="of a finished run whose model is on this machine")
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--bytes", type=whole_number(1), help="of the whole file, at most")
    how.add_argument("--ratio", type=_above_0, help="of the uncompressed file's bytes, at most")
    how.add_argument("--loss", type=_above_0, help="of validation AUC, at most")
    parser.add_argument("--width", type=whole_number(1), help="of an FE that the run's model teaches first")
    parser.add_argument("--to", type=Path, help="the file; default: below runs/compressed")
    asked = parser.parse_args(arguments)
    if asked.width and asked.loss is not None:
        parser.error("--width: expected only with --bytes or --ratio, found it with --loss")
    return asked


def _above_0(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1:
        raise argparse.ArgumentTypeError(f"expected a number above 0 and below 1, found {text!r}")
    return number


def _uncompressed(run: LoadedRun) -> int:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "m.safetensors"
        export(run.model, run.schema, run.record, vocabulary(run.schema.dataset), path)
        return path.stat().st_size


def _tell(run: LoadedRun, made: Compressed, path: Path, whole: int, width: int) -> None:
    before, after = run.record, {name: evaluate(made.model, getattr(run, name)) for name in ("valid", "test")}
    say(choice(run.schema, made.tensors, width).to_string(index=False) + "\n\n")
    say(f"{path}: {made.file_bytes:,} bytes, {made.file_bytes / whole:.1%} of {whole:,}; ")
    say(f"of these {made.table_bytes:,} are embedding and first-order weights\n")
    say(f"validation AUC {before.valid.auc:.4f} -> {after['valid'].auc:.4f}, ")
    say(f"test AUC {before.test.auc:.4f} -> {after['test'].auc:.4f}\n")


def say(text: str) -> None:
    """Write to standard output."""
    sys.stdout.write(text)


if __name__ == "__main__":
    stop_on_signals()
    sys.exit(main())
