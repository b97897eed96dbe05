"""Everything that can differ between two runs, typed, with defaults; and what the paper leaves unstated."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

from autodpq_data.sources import settings
from autodpq_data.split import Split

#: The columns of Table 1.
STRATEGIES = ("fe", "others", "grid", "random", "autodpq")
Model = Literal["deepfm", "pnn", "dcn"]
MODELS: tuple[Model, ...] = ("deepfm", "pnn", "dcn")

#: Strategies that packages above this one register; their records can be read without these packages.
RIVALS = ("narrow", "merge", "int-b", "lsq", "double-hash", "dhe", "qr", "dpq-vq", "mgqe", "mpe")
OUTSIDE = ("budget", "taught", *RIVALS)

#: Strategies that a run may have, and their versions. A version is raised by hand when its strategy changes, so that
#: older records are found and named; rounding is no change. :func:`autodpq_lib.strategies.register` adds others.
METHOD_VERSION = dict.fromkeys(STRATEGIES, 1) | {"budget": 3, "taught": 1} | dict.fromkeys(RIVALS, 2)

#: What readers and NumPy count in int32.
MOST = 2**31 - 1
#: Name of an option, which is part of the names of files.
Option = Annotated[str, Field(pattern="^[a-z_]+$")]
#: Per field its (K, D): K centroids in each of D subspaces.
Decision = dict[str, tuple[int, int]]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Recipe(_Frozen):
    """What the paper does not state about the base model."""

    dropout: float
    batchnorm: bool
    weight_decay: float
    embedding_init: Literal["xavier", "normal"]
    first_order_sd: float


RECIPES: dict[str, Recipe] = {
    # The defaults of rixwew/pytorch-fm (examples/main.py), which has the paper's embedding 16 and MLP (16, 16).
    "paper": Recipe(dropout=0.2, batchnorm=True, weight_decay=1e-6, embedding_init="xavier", first_order_sd=1.0),
    "tuned": Recipe(dropout=0.0, batchnorm=False, weight_decay=0.0, embedding_init="normal", first_order_sd=0.0),
}

#: How AutoDPQ's own words are taken, each a set of switches. Notebook 00 names what each part rests on.
READINGS: dict[str, dict[str, Any]] = {
    "literal": {},
    "text": {
        "distance": "nearest",
        "centroids_from": "kmeans",
        "batchnorm_scale": "pretrained",
        "encoder_decay": False,
        "search_until": "settled",
        "search_epochs": 30,
        "search_patience": 3,
        "retrain_from": "pretrain",
    },
    "laboratory": {"pretrain_epochs": 2, "alpha_every": 10, "search_epochs": 50, "search_patience": 3},
}
#: A reading that is not literal -> the strategies that it changes.
CHANGED_BY = {"text": ("grid", "random", "autodpq"), "laboratory": ("autodpq",)}
#: Switch -> those of the five strategies that read it; the rest of the five must leave it at its default.
READ_BY: dict[str, tuple[str, ...]] = {
    "options": (),
    "extra_training": ("fe", "others", "grid", "random"),
    "trials_from": ("grid", "random"),
    **dict.fromkeys(("distance", "tau_kd", "kd_noise", "tied", "encoder_decay"), ("grid", "random", "autodpq")),
    **dict.fromkeys(("centroids_from", "search_batchnorm", "batchnorm_scale", "quantise", "tau_unit"), ("autodpq",)),
    **dict.fromkeys(("second_order", "alpha_every", "search_until"), ("autodpq",)),
    **dict.fromkeys(("pretrain", "pretrain_epochs", "retrain_from"), ("autodpq",)),
}

#: How a training ends and which of its epochs is scored: our way, or that of the laboratory's public code.
PROTOCOLS: dict[str, dict[str, Any]] = {"ours": {}, "laboratory": {"patience": 2, "scored": "last"}}


class Limit(_Frozen):
    """When a fit stops: after ``rounds`` rounds, or after ``patience`` in a row without improvement.

    A round ends with a validation: an epoch, or a part of it where :attr:`RunConfig.validations` says so.

    Attributes:
        until: what counts as improvement: with ``validation`` a higher validation AUC; with ``settled``, in the search
            alone, a changed arg max of alpha in some field.
    """

    rounds: int
    patience: int
    until: Literal["validation", "settled"] = "validation"


class Profile(_Frozen):
    """How long a training and the search may be, and how many decisions Grid and Random try (None: all)."""

    train: Limit
    search: Limit
    trials: int | None


PROFILES: dict[str, Profile] = {
    "full": Profile(train=Limit(rounds=60, patience=3), search=Limit(rounds=15, patience=2), trials=None),
    "smoke": Profile(train=Limit(rounds=2, patience=1), search=Limit(rounds=2, patience=1), trials=2),
    # For data so large that a second pass is known to overfit.
    "one-pass": Profile(train=Limit(rounds=1, patience=3), search=Limit(rounds=1, patience=3), trials=None),
}


class RunConfig(_Frozen):
    """One run: a notebook, a data set, a model, a seed. ``config/<dataset>.yaml`` overrides the defaults.

    Section 4.1.2 of the paper gives the defaults of the second group, except ``validations``, ``lazy``, ``device``,
    ``draws`` and ``options``. The third group holds switches; notebook 00 explains all but ``average``. A reading or a
    protocol sets several of them; one given explicitly wins. The last group overrides single parts of the recipe.

    Raises:
        pydantic.ValidationError: an unknown key, a value out of range, or values that do not go together.
    """

    dataset: str
    strategy: str
    recipe: Literal["paper", "tuned"] = "tuned"
    model: Model = "deepfm"
    seed: int = Field(1, ge=0)
    profile: Literal["full", "smoke", "one-pass"] = "full"
    reading: Literal["literal", "text", "laboratory"] = "literal"
    protocol: Literal["ours", "laboratory"] = "ours"

    embedding_dim: int = Field(16, ge=1, le=MOST)
    hidden: tuple[Annotated[int, Field(ge=1, le=MOST)], ...] = Field((16, 16), min_length=1)
    learning_rate: float = Field(1e-3, gt=0)
    batch_size: int = Field(2048, ge=1, le=MOST)
    validations: int = Field(1, ge=1)  # per epoch, evenly spread, so that a fit can stop inside an epoch
    lazy: bool = False  # tables by LazyAdam: a step's cost does not depend on the number of features
    device: Literal["cpu", "cuda"] = "cpu"
    threshold: int = Field(40, ge=0, le=MOST, strict=True)  # in YAML ``true`` is no number
    centroids: tuple[PositiveInt, ...] = Field((8, 16, 32), min_length=1)
    subspaces: tuple[PositiveInt, ...] = Field((2, 4, 8), min_length=1)
    draws: int = Field(20, ge=1)  # distinct decisions that Random tries
    options: dict[Option, bool | int | float] = {}  # for strategies registered from outside

    distance: Literal["inner", "nearest"] = "inner"  # Eq. 1 as printed, or "the index of the nearest centroid"
    tau_kd: float = Field(1.0, gt=0)
    kd_noise: bool = False
    tied: bool = True
    centroids_from: Literal["random", "kmeans"] = "random"  # kmeans: of the pretrained low-frequency rows
    search_batchnorm: bool = True
    batchnorm_scale: Literal["unit", "pretrained"] = "unit"  # of Eq. 2's output
    encoder_decay: bool = True  # False: no weight decay on rows that only feed an encoder
    quantise: bool = True  # False: the search's BatchNorm and noise without any compression, then FE
    tau_unit: Literal["steps", "epochs"] = "steps"
    second_order: bool = False
    alpha_every: int = Field(1, ge=1)  # steps of the weights for one of alpha
    pretrain: bool = True  # False: the search starts from scratch
    pretrain_epochs: int | None = Field(None, ge=1)  # None: to convergence
    search_epochs: int | None = Field(None, ge=1)  # None, here and in the next two: the profile decides
    search_patience: int | None = Field(None, ge=1)
    patience: int | None = Field(None, ge=1)  # of all trainings but the search
    search_until: Literal["validation", "settled"] = "validation"
    retrain_from: Literal["search", "pretrain", "scratch"] = "search"
    trials_from: Literal["scratch", "pretrain"] = "scratch"
    extra_training: bool = False  # train twice more, within the limits of search and retrain
    scored: Literal["best", "last"] = "best"  # which epochs of a fit are scored on test
    average: float = Field(0.0, ge=0, lt=1)  # r of a moving mean of the weights over steps; not in the search
    fixed_order: bool = False  # the training rows keep one order in all epochs
    split_seed: int = Field(0, ge=0)
    split: Split = "fixed"

    dropout: float | None = Field(None, ge=0, lt=1)
    batchnorm: bool | None = None
    weight_decay: float | None = Field(None, ge=0)
    embedding_init: Literal["xavier", "normal"] | None = None
    first_order_sd: float | None = Field(None, ge=0)

    @model_validator(mode="before")
    @classmethod
    def _with_named_sets(cls, values: dict[str, Any]) -> dict[str, Any]:
        strategy, own = values.get("strategy"), settings(str(values.get("dataset")))
        if unknown := sorted(map(str, own.keys() - {*cls.model_fields, "table"})):
            raise ValueError(f"config/{values['dataset']}.yaml: expected keys of RunConfig, found {', '.join(unknown)}")
        unread = [key for key, readers in READ_BY.items() if strategy in STRATEGIES and strategy not in readers]
        unread += ["reading"] * (strategy not in CHANGED_BY.get(str(own.get("reading")), (strategy,)))
        defaults = {key: value for key, value in own.items() if key not in ("table", *unread)}
        named = defaults | values
        every = READINGS.get(str(named.get("reading")), {})
        reading = {key: value for key, value in every.items() if strategy in READ_BY.get(key, ("autodpq",))}
        return defaults | reading | PROTOCOLS.get(str(named.get("protocol")), {}) | values

    @model_validator(mode="after")
    def _check(self) -> Self:
        for key, holds, expected in self._rules():
            if not holds:
                raise ValueError(f"{key}: expected {expected}, found {getattr(self, key)}")
        return self

    def _rules(self) -> Iterator[tuple[str, bool, str]]:
        """For each rule the key, whether its value is allowed, and what would be."""
        five, decay = self.strategy in STRATEGIES, self.base_model.weight_decay > 0
        yield "strategy", self.strategy in METHOD_VERSION, f"one of {', '.join(METHOD_VERSION)}"
        changed = self.strategy in CHANGED_BY.get(self.reading, (self.strategy,))
        yield "reading", changed, f"literal for {self.strategy}, which {self.reading} does not change"
        fits = all(self.embedding_dim % parts == 0 for parts in self.subspaces)
        yield "subspaces", fits, f"divisors of embedding_dim {self.embedding_dim}"
        for key in ("centroids", "subspaces"):
            yield key, len(set(getattr(self, key))) == len(getattr(self, key)), "different ones"
        for key, readers in READ_BY.items():
            default, read = type(self).model_fields[key].default, not five or self.strategy in readers
            said = f"{default} for {self.strategy}, which does not read it"
            yield key, read or getattr(self, key) == default, said
        free = {"retrain_from": ("search", "scratch"), "centroids_from": ("random",), "batchnorm_scale": ("unit",)}
        for key, values in free.items():
            holds = self.pretrain or getattr(self, key) in values
            yield key, holds, f"{' or '.join(values)} where pretrain is off"
        yield "second_order", not (self.second_order and self.lazy), "false where lazy is on, for it moves all rows"
        yield "average", not (self.average and self.lazy), "0 where lazy is on, for it moves all rows"
        yield "device", self.device == "cpu" or not self.second_order, "cpu where second_order is on"
        for key in ("lazy", "second_order"):
            holds = self.encoder_decay or not getattr(self, key) or not decay
            yield "encoder_decay", holds, f"true where {key} is on and there is weight decay"
        published = self.split == "laboratory"
        yield "split", not published or self.dataset == "ml-1m", f"fixed on {self.dataset}"
        yield "split_seed", not published or not self.split_seed, "0 where split is laboratory"

    def __hash__(self) -> int:
        rest = tuple(getattr(self, key) for key in type(self).model_fields if key != "options")
        return hash((rest, frozenset(self.options.items())))  # the order of the options does not count

    @property
    def base_model(self) -> Recipe:
        """The recipe named by :attr:`recipe`; parts given explicitly win."""
        given = {key: getattr(self, key) for key in Recipe.model_fields}
        return RECIPES[self.recipe].model_copy(update={k: v for k, v in given.items() if v is not None})

    @property
    def limits(self) -> Profile:
        """The profile named by :attr:`profile`, in rounds; in a ``full`` one limits given explicitly win."""
        given, full = PROFILES[self.profile], self.profile == "full"
        own = {"rounds": self.search_epochs, "patience": self.search_patience}
        train = self._limit(given.train, {"patience": self.patience} if full else {})
        search = self._limit(given.search, {"until": self.search_until, **(own if full else {})})
        return given.model_copy(update={"train": train, "search": search})

    def _limit(self, limit: Limit, own: Mapping[str, int | str | None]) -> Limit:
        """A profile's limit with epochs turned into rounds; values given explicitly win. Patience is in rounds."""
        given = limit.model_dump() | {key: value for key, value in own.items() if value is not None}
        return Limit(**given | {"rounds": given["rounds"] * self.validations})

    @property
    def pretrain_limit(self) -> Limit:
        """The limit of the pretrain: a training's, or a number of epochs."""
        if self.pretrain_epochs is None or self.profile != "full":
            return self.limits.train
        rounds = self.pretrain_epochs * self.validations
        return Limit(rounds=rounds, patience=rounds)

    @property
    def candidates(self) -> list[tuple[int, int]]:
        """The T candidate pairs (K, D), K varying slowest."""
        return [(k, d) for k in self.centroids for d in self.subspaces]

    def changed(self) -> dict[str, Any]:
        """The keys that differ from what named sets, YAML and defaults say, but for the five that name a run."""
        plain = _plain(self.dataset, self.strategy, self.reading, self.protocol, repr(settings(self.dataset)))
        named = {"dataset", "strategy", "recipe", "model", "seed"}
        return {k: v for k, v in self.model_dump(mode="json").items() if k not in named and v != plain[k]}

    def parameters(self) -> dict[str, Any]:
        """Parameters of the strategy's notebook, and ``strategy``, which says which notebook that is."""
        named = {key: getattr(self, key) for key in ("dataset", "strategy", "recipe", "model", "seed", "profile")}
        return named | {"switches": {key: value for key, value in self.changed().items() if key != "profile"}}

    def name(self) -> str:
        """File name of the run's record: ``deepfm-fe-seed1``, then words and a hash for what is :meth:`changed`."""
        changed = self.changed()
        words = "-".join(_words(key, value) for key, value in changed.items())[:60].rstrip("-")  # the hash has all
        stem = f"{self.model}-{self.strategy}-seed{self.seed}"
        return f"{stem}-{words}-{_digest(changed)[:8]}" if changed else stem

    def identity(self, fingerprint: str, *, compiled: bool = True) -> str:
        """sha256 over the non-default configuration, the data's fingerprint and the method version.

        A run without C has its own identity: its numbers differ in their last bits and, after a search, in more.
        """
        said = {"config": self.model_dump(mode="json", exclude_defaults=True), "seed": self.seed, "data": fingerprint}
        return _digest(said | {"method": METHOD_VERSION[self.strategy]} | ({} if compiled else {"compiled": False}))


@cache
def _plain(dataset: str, strategy: str, reading: str, protocol: str, _settings: str) -> dict[str, Any]:
    """What :meth:`RunConfig.changed` compares with: named sets count, their names do not. Cached per YAML content."""
    sets: dict[str, Any] = {"reading": reading, "protocol": protocol}
    plain = RunConfig(dataset=dataset, strategy=strategy, **sets).model_dump(mode="json")
    return plain | {key: RunConfig.model_fields[key].default for key in sets}


def _words(key: str, value: object) -> str:
    """A change as a part of a file name: ``threshold-160``, ``no-pretrain``, ``reading-text``."""
    if isinstance(value, bool):
        return ("" if value else "no-") + key.replace("_", "-")
    if isinstance(value, dict):
        return "-".join(_words(name, one) for name, one in sorted(value.items()))
    values = value if isinstance(value, list) else [value]
    return "-".join([key.replace("_", "-"), *map(str, values)])


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
