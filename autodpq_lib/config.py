"""Everything that can differ between two runs, typed, with defaults; and what the paper leaves unstated."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from autodpq_system.paths import ROOT

Strategy = Literal["fe", "others", "grid", "random", "autodpq"]
STRATEGIES: tuple[Strategy, ...] = ("fe", "others", "grid", "random", "autodpq")
Model = Literal["deepfm", "pnn", "dcn"]
MODELS: tuple[Model, ...] = ("deepfm", "pnn", "dcn")

#: Raised by hand when what a strategy does changes, so that older records are found and named; rounding is no change.
METHOD_VERSION: dict[str, int] = {"fe": 1, "others": 1, "grid": 1, "random": 1, "autodpq": 1}

#: Per field its (K, D): K centroids in each of D subspaces.
Decision = dict[str, tuple[int, int]]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Recipe(_Frozen):
    """What the paper does not state about the base model."""

    dropout: float
    batchnorm: bool
    weight_decay: float
    embedding_init: Literal["xavier", "normal"]
    first_order_sd: float


RECIPES: dict[str, Recipe] = {
    # The defaults of a widely copied FM code base that has the paper's embedding 16 and MLP (16, 16).
    "paper": Recipe(dropout=0.2, batchnorm=True, weight_decay=1e-6, embedding_init="xavier", first_order_sd=1.0),
    "tuned": Recipe(dropout=0.0, batchnorm=False, weight_decay=0.0, embedding_init="normal", first_order_sd=0.0),
}


class Limit(_Frozen):
    """How long a fit may go on: at most so many rounds, and until ``patience`` of them have not raised the AUC.

    A round ends with a validation: an epoch, or a part of it where :attr:`RunConfig.validations` says so.
    """

    rounds: int
    patience: int


class Budget(_Frozen):
    """How much is run: the limit of a training, of the search, and of the trials of Grid and Random (None: all)."""

    train: Limit
    search: Limit
    trials: int | None


BUDGETS: dict[str, Budget] = {
    "full": Budget(train=Limit(rounds=60, patience=3), search=Limit(rounds=15, patience=2), trials=None),
    "smoke": Budget(train=Limit(rounds=2, patience=1), search=Limit(rounds=2, patience=1), trials=2),
    # For data so large that a second pass is known to overfit.
    "one-pass": Budget(train=Limit(rounds=1, patience=3), search=Limit(rounds=1, patience=3), trials=None),
}


@cache
def _dataset_defaults(dataset: str) -> dict[str, Any]:
    path = ROOT / "config" / f"{dataset}.yaml"
    if not path.exists():
        known = ", ".join(sorted(p.stem for p in path.parent.glob("*.yaml")))
        raise ValueError(f"dataset: expected one of {known}, found {dataset!r}")
    return dict(yaml.safe_load(path.read_text()))


class RunConfig(_Frozen):
    """One run: a notebook, a data set, a model, a seed. ``config/<dataset>.yaml`` overrides the defaults.

    Section 4.1.2 of the paper gives the defaults of the second group. The rest are switches that the controls
    vary, each explained in notebook 00; those of the last group replace a part of the recipe where they are given.

    Raises:
        pydantic.ValidationError: an unknown key or a value out of range.
    """

    dataset: str
    strategy: Strategy
    recipe: Literal["paper", "tuned"] = "tuned"
    model: Model = "deepfm"
    seed: int = Field(1, ge=0)
    profile: Literal["full", "smoke", "one-pass"] = "full"

    embedding_dim: int = Field(16, ge=1)
    hidden: tuple[int, ...] = (16, 16)
    learning_rate: float = Field(1e-3, gt=0)
    batch_size: int = Field(2048, ge=1)
    validations: int = Field(1, ge=1)  # in an epoch, evenly spread: early stopping inside it
    lazy: bool = False  # tables by LazyAdam: a step's cost does not depend on the number of features
    device: Literal["cpu", "cuda"] = "cpu"
    threshold: int = Field(40, ge=0)
    centroids: tuple[int, ...] = (8, 16, 32)
    subspaces: tuple[int, ...] = (2, 4, 8)
    draws: int = Field(20, ge=1)  # distinct decisions that Random tries

    tau_kd: float = Field(1.0, gt=0)
    kd_noise: bool = False
    tied: bool = True
    search_batchnorm: bool = True
    quantise: bool = True  # False: the search's BatchNorm and noise without any compression, then FE
    tau_unit: Literal["steps", "epochs"] = "steps"
    second_order: bool = False
    pretrain: bool = True  # False: the search starts from scratch
    retrain_from: Literal["search", "pretrain", "scratch"] = "search"
    trials_from: Literal["scratch", "pretrain"] = "scratch"
    extra_training: bool = False  # FE and Others: train on twice, under the limits of the search and of the retrain
    split_seed: int = Field(0, ge=0)

    dropout: float | None = Field(None, ge=0, lt=1)
    batchnorm: bool | None = None
    weight_decay: float | None = Field(None, ge=0)
    embedding_init: Literal["xavier", "normal"] | None = None
    first_order_sd: float | None = Field(None, ge=0)

    @model_validator(mode="before")
    @classmethod
    def _with_dataset_defaults(cls, values: dict[str, Any]) -> dict[str, Any]:
        return {**_dataset_defaults(str(values.get("dataset"))), **values}

    @model_validator(mode="after")
    def _check(self) -> Self:
        for parts in self.subspaces:
            if self.embedding_dim % parts:
                raise ValueError(f"subspaces: expected divisors of embedding_dim {self.embedding_dim}, found {parts}")
        if self.retrain_from == "pretrain" and not self.pretrain:
            raise ValueError("retrain_from: expected search or scratch where pretrain is off, found pretrain")
        if self.second_order and self.lazy:
            raise ValueError("second_order: expected false where lazy is on, for it moves all rows, found true")
        if self.second_order and self.device != "cpu":
            raise ValueError(f"device: expected cpu where second_order is on, found {self.device}")
        return self

    @property
    def base(self) -> Recipe:
        """The recipe that :attr:`recipe` names, with the parts that are given apart."""
        given = {key: getattr(self, key) for key in Recipe.model_fields}
        return RECIPES[self.recipe].model_copy(update={k: v for k, v in given.items() if v is not None})

    @property
    def budget(self) -> Budget:
        """The budget that :attr:`profile` names, whose limits are written for one validation an epoch."""
        budget = BUDGETS[self.profile]
        return budget.model_copy(update={key: self._in_rounds(getattr(budget, key)) for key in ("train", "search")})

    def _in_rounds(self, limit: Limit) -> Limit:
        return limit.model_copy(update={"rounds": limit.rounds * self.validations})

    @property
    def candidates(self) -> list[tuple[int, int]]:
        """The T candidate pairs (K, D), K varying slowest."""
        return [(k, d) for k in self.centroids for d in self.subspaces]

    def changed(self) -> dict[str, Any]:
        """The keys, beyond the five that name a run, that differ from what the data set's YAML and the defaults say."""
        plain = RunConfig(dataset=self.dataset, strategy=self.strategy)
        named = {"dataset", "strategy", "recipe", "model", "seed"}
        mine, default = self.model_dump(mode="json"), plain.model_dump(mode="json")
        return {k: v for k, v in mine.items() if k not in named and v != default[k]}

    def parameters(self) -> dict[str, Any]:
        """Parameters of the strategy's notebook, and ``strategy``, which tells which notebook that is."""
        named = ("dataset", "strategy", "recipe", "model", "seed", "profile")
        switches = {key: value for key, value in self.changed().items() if key not in named}
        return {**{key: getattr(self, key) for key in named}, "switches": switches}

    def name(self) -> str:
        """File name of the run's record: ``deepfm-fe-seed1``, with a hash of :meth:`changed` if there is any."""
        stem = f"{self.model}-{self.strategy}-seed{self.seed}"
        return f"{stem}-{_digest(self.changed())[:8]}" if self.changed() else stem

    def identity(self, fingerprint: str) -> str:
        """sha256 over the non-default configuration, the data's fingerprint and the method version."""
        return _digest(
            {
                "config": self.model_dump(mode="json", exclude_defaults=True),
                "seed": self.seed,
                "data": fingerprint,
                "method": METHOD_VERSION[self.strategy],
            }
        )


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
