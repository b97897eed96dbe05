"""The controls of config/controls.yaml: one switch changed each, beside the run without the change."""

from __future__ import annotations

from itertools import product
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from autodpq_eval.plans import TEN_SEEDS, configure
from autodpq_lib.config import RECIPES, RunConfig
from autodpq_system.paths import ROOT

#: Switches that change a run from its first step on.
FROM_THE_FIRST_STEP = frozenset({"pretrain", "trials_from", "split_seed", "fixed_order", "average"})


class Control(BaseModel):
    """One change; its reference has the same strategy, recipe, reading, split, pair and seed, without the change.

    Attributes:
        group: its heading among the controls.
        switches: keys of :class:`RunConfig`; ``split_seed: seed`` moves the split with the seed.
        swap: a part of the recipe that takes the other recipe's value.
        seeds: how many it is run on, from 1.
        title: what is changed, in words; no other control has the same.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    group: str
    strategy: str
    title: str
    switches: dict[str, Any] = {}
    swap: Literal["dropout", "batchnorm", "weight_decay", "embedding_init", "first_order_sd"] | None = None
    seeds: int = Field(5, ge=2, le=len(TEN_SEEDS))

    def config(self, dataset: str, recipe: str, seed: int) -> RunConfig:
        """The run of this control."""
        switches = {key: seed if value == "seed" else value for key, value in self.switches.items()}
        if self.swap:
            (other,) = set(RECIPES) - {recipe}
            switches[self.swap] = getattr(RECIPES[other], self.swap)
        return configure(dataset, recipe, self.strategy, seed, **switches)

    @property
    def shared(self) -> dict[str, Any]:
        """The switches that its reference has too."""
        return {
            key: self.switches[key] for key in ("reading", "split", "centroids", "subspaces") if key in self.switches
        }

    @property
    def can_start_alike(self) -> bool:
        """Whether its first training can equal its reference's bit for bit; AutoDPQ's, of FE, has no threshold."""
        changed = FROM_THE_FIRST_STEP | (set() if self.strategy == "autodpq" else {"threshold"})
        return self.swap is None and not changed & self.switches.keys()

    @property
    def against(self) -> str:
        """Name of its reference: the strategy's, and what they share."""
        return ", ".join([self.strategy, *(f"{key} {value}" for key, value in self.shared.items())])

    def reference(self, dataset: str, recipe: str, seed: int) -> RunConfig:
        """The run that it is compared with."""
        return configure(dataset, recipe, self.strategy, seed, **self.shared)


def controls() -> list[Control]:
    """The controls of ``config/controls.yaml``."""
    groups = yaml.safe_load((ROOT / "config/controls.yaml").read_text())
    return [Control(group=group, **entry) for group, entries in groups.items() for entry in entries]


def control_runs(dataset: str, recipe: str) -> list[RunConfig]:
    """All controls and what they are compared with, seed by seed; first those that have ten."""
    runs = (
        config
        for decides, seed, control in product((True, False), TEN_SEEDS, controls())
        if seed <= control.seeds and (control.seeds == len(TEN_SEEDS)) == decides
        for config in (control.reference(dataset, recipe, seed), control.config(dataset, recipe, seed))
    )
    return list(dict.fromkeys(runs))
