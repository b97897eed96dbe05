"""What a batch is asked for: one model for the command line, for Snakemake's ``--config`` and for the report."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from autodpq_eval.batch import TABLE_SEEDS, log_folder
from autodpq_eval.parts import PLANS
from autodpq_eval.plans import tables
from autodpq_lib.config import STRATEGIES, RunConfig
from autodpq_system.paths import ROOT, folder_named, runs_root


def _words(value: Any) -> list[str]:
    """Several values, which a text may hold: ``"1 2 3"``."""
    return " ".join(map(str, value if isinstance(value, list | tuple) else [value])).split()


def _numbers(value: Any) -> list[int]:
    """The same of whole numbers: ``1_0`` and ``3.0`` are none."""
    words = _words(value)
    for word in words:
        if not word.isdecimal():
            raise ValueError(f"expected whole numbers of at least 0, found {word!r}")
    return [int(word) for word in words]


Words = Annotated[tuple[str, ...], BeforeValidator(_words)]

#: Parts whose plan names its seeds.
OWN_SEEDS = ("controls", "gain", "seeds")


class Request(BaseModel):
    """Which part of the evaluation, of which data set, recipe and seeds, and where its records go.

    Raises:
        pydantic.ValidationError: an unknown key or value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    part: str = Field("tables", description=f"of the evaluation: {', '.join(PLANS)}, budget")
    dataset: str = Field("ml-1m", description="a file of config/")
    recipe: str = Field("tuned", description="paper or tuned")
    models: Words = Field((), description="of the tables; default: those of Tables 1 and 2")
    strategies: Words = Field((), description="of the tables; default: those of Tables 1 and 2")
    seeds: Annotated[tuple[int, ...], BeforeValidator(_numbers)] = TABLE_SEEDS
    profile: str = Field("full", description="how much is run: full, smoke or one-pass")
    out: Path = Field(Path("results"), description="folder of the records; a relative one is the project's")
    gaps: bool = Field(False, description="the report shows which runs are missing in place of waiting for them")

    @field_validator("part")
    @classmethod
    def _known(cls, part: str) -> str:
        if part not in PLANS:
            raise ValueError(f"expected one of {', '.join(PLANS)}, found {part!r}")
        return part

    @field_validator("seeds")
    @classmethod
    def _some(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if not seeds:
            raise ValueError("expected one or more, found none")
        return seeds

    @field_validator("seeds", "models", "strategies")
    @classmethod
    def _different(cls, values: tuple[Any, ...]) -> tuple[Any, ...]:
        if len(set(values)) < len(values):
            raise ValueError(f"expected different ones, found {' '.join(map(str, values))}")
        return values

    @field_validator("out", mode="before")
    @classmethod
    def _folder(cls, out: Any) -> str:
        return os.path.relpath(ROOT / folder_named(str(out)), ROOT)

    @model_validator(mode="after")
    def _in_folders_that_snakemake_takes(self) -> Request:
        folder_named(str(runs_root()), "folder of the project or AUTODPQ_RUNS: ")
        return self

    @model_validator(mode="after")
    def _of_one_data_set(self) -> Request:
        if self.part in ("controls", "gain", "laboratory") and self.dataset != "ml-1m":
            raise ValueError(f"dataset: expected ml-1m with part {self.part}, found {self.dataset}")
        return self

    @model_validator(mode="after")
    def _of_the_tables_alone(self) -> Request:
        for key, default in (("models", ()), ("strategies", ()), ("profile", "full")):
            if self.part != "tables" and getattr(self, key) != default:
                raise ValueError(f"{key}: expected only with part tables, found it with part {self.part}")
        return self

    @model_validator(mode="after")
    def _of_its_own_seeds(self) -> Request:
        if self.part in OWN_SEEDS and self.seeds != TABLE_SEEDS:
            found = " ".join(map(str, self.seeds))
            raise ValueError(f"seeds: expected none with part {self.part}, which has its own, found {found}")
        return self

    @property
    def logs(self) -> Path:
        """Where the logs of its batch lie."""
        return log_folder(self.out, self.dataset, self.recipe)

    @property
    def folder(self) -> Path:
        """``<out>/<dataset>/<recipe>``."""
        return self.out / self.dataset / self.recipe

    @property
    def table_seeds(self) -> tuple[int, ...]:
        """Those of Tables 1 and 2, which stay as they are where a part that has other runs asks for other seeds."""
        return self.seeds if self.part in ("tables", "figure3") else TABLE_SEEDS

    def plan(self) -> list[RunConfig]:
        """The runs.

        Raises:
            ValueError: a value that no run can have, or a strategy that this part does not have.
        """
        about = (self.dataset, self.recipe, self.seeds)
        if self.part == "tables":
            runs = tables(*about, self.models, self.strategies, self.profile)
        else:
            runs = PLANS[self.part](*about, self.out)
        for unknown in sorted({*self.strategies} - {run.strategy for run in runs}):
            raise ValueError(f"strategies: expected some of {', '.join(STRATEGIES)}, found {unknown!r}")
        return runs
