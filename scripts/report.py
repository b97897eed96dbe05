"""Execute the report (notebook 12) on the records of one data set and recipe, and what goes with it (10, 11, 13)."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

from autodpq_budget.batch import register_all
from autodpq_budget.settings import CHOICE_SEED
from autodpq_eval.batch import status
from autodpq_eval.derived import of_controls, of_figure3, of_ledger, of_tables
from autodpq_eval.plans import configure
from autodpq_eval.request import Request
from autodpq_system.paths import ROOT
from autodpq_system.sentence import Parser
from autodpq_system.stopping import stop_on_signals
from scripts.bootstrap import write_bootstrap
from scripts.references import write_references
from scripts.run_notebook import execute, reason

register_all()
REPORT, CONTROLS, PACKED, BUDGET = "12_report", "10_controls", "11_packed_model", "13_one_byte_budget"
#: Strategies whose models notebook 11 packs.
PACKS = ("fe", "others", "autodpq")
#: Data sets whose models are packed for the report: small ones.
SMALL = ("ml-100k", "ml-1m")


def report_path(request: Request, name: str = REPORT) -> Path:
    """Where the executed report, or another executed notebook that goes with it, lies."""
    return request.folder / "notebooks" / f"{name}.ipynb"


def notebooks_of(request: Request) -> dict[str, dict[str, Any]]:
    """The notebooks that go with this part, and their parameters. Only 13 trains: one FE or two, in minutes."""
    out, keys = str(request.out), {"dataset": request.dataset, "recipe": request.recipe}
    seeds = list(request.table_seeds)
    found: dict[str, dict[str, Any]] = {
        REPORT: {**keys, "seeds": seeds, "profile": request.profile, "found_in": out, "tables": out}
    }
    if request.part == "tables" and request.profile == "full" and request.dataset in SMALL and _packs(request):
        found[PACKED] = {**keys, "seed": seeds[0], "found_in": out}
    if request.part in ("controls", "seeds") and request.dataset == "ml-1m":
        found[CONTROLS] = {"records_of": request.dataset, "recipe": request.recipe, "found_in": out, "tables": out}
    if request.part == "budget" and request.dataset == "ml-1m" and CHOICE_SEED not in request.seeds:
        found[BUDGET] = {**keys, "found_in": out, "records_in": out}
    return found


def _packs(request: Request) -> bool:
    """Whether all that notebook 11 packs is done, which it would train otherwise."""
    runs = [configure(request.dataset, request.recipe, name, request.table_seeds[0]) for name in PACKS]
    return all(status(ROOT / request.out, run).state == "done" for run in runs)


def is_current(request: Request) -> bool:
    """Whether the executed notebooks exist and what they have written beside them is what these records give."""
    notebooks, place = notebooks_of(request), (request.out, request.dataset, request.recipe)
    wanted = dict(of_tables(*place, request.table_seeds, request.profile))
    wanted |= of_figure3(*place, request.table_seeds, request.profile)
    if CONTROLS in notebooks:
        wanted |= of_controls(*place)
    if request.dataset == "ml-1m" and request.profile == "full":
        wanted |= of_ledger(request.out)
    return all(report_path(request, name).exists() for name in notebooks) and all(
        path.exists() and path.read_bytes() == text.encode() for path, text in wanted.items()
    )


def make_report(request: Request) -> None:
    """Execute the report, which writes the tables beside the records, and the notebooks that go with this part."""
    if request.profile == "full":
        write_references(request.dataset, ROOT / request.out)
    if request.part == "seeds":
        sys.stdout.write(write_bootstrap(ROOT / request.out, request.dataset, request.recipe) + "\n")
    wanted = notebooks_of(request)
    for name in wanted:  # a report that is stopped is not taken for a whole one
        (ROOT / report_path(request, name)).unlink(missing_ok=True)
    for name, parameters in wanted.items():
        failed = request.logs / f"{name}.ipynb"
        execute(ROOT / "notebooks" / f"{name}.ipynb", parameters, ROOT / report_path(request, name), failed=failed)


def main(arguments: list[str] | None = None) -> int:
    """Entry point of the Snakefile's rule ``report``."""
    parser = Parser(description=__doc__)
    parser.add_argument("request", help="a Request as JSON")
    request = parser.parse_args(arguments)
    try:
        make_report(Request.model_validate_json(request.request))
    except Exception as error:
        sys.stderr.write(f"FAILED: {reason(error)}\n")
        return 1
    return 0


if __name__ == "__main__":
    logging.getLogger("papermill").setLevel(logging.ERROR)
    stop_on_signals()
    sys.exit(main())
