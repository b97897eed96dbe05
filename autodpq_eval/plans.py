"""The runs of the tables, of Figure 3, of the readings, of ten seeds and of the page on the gain."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

from autodpq_data.split import Split
from autodpq_eval.batch import TABLE_SEEDS
from autodpq_lib.config import CHANGED_BY, MODELS, READINGS, RECIPES, STRATEGIES, RunConfig

#: Table 1 has all strategies on DeepFM; Table 2 these on every model.
COMPATIBILITY = ("others", "random", "autodpq")
TEN_SEEDS = range(1, 11)
#: Draws of Figure 3's long Random: at least 60 FE trainings.
LONG_DRAWS = 50
#: The one pair whose Space is the 194k that Table 1 prints for Grid.
PAIR_OF_TABLE_1 = (8, 8)
#: The ladder of the page on the gain: epochs of the pretrain, 0 to convergence (None); the parts that are left out.
LENGTHS = (0, 1, 2, 4, 8, None)
PARTS: dict[str, dict[str, Any]] = {
    "": {},
    "Eq. 2's BatchNorm": {"search_batchnorm": False},
    "compression": {"quantise": False},
}
LADDER_SEEDS, LADDER_RECIPE = range(1, 6), "paper"
#: What the sources of the text reading leave open, at other values; on seeds that no table has.
LEFT_OPEN: dict[str, dict[str, Any]] = {
    "as it is": {},
    "temperature of the codes' softmax 0.1, not 1": {"tau_kd": 0.1},
    "temperature 0.01": {"tau_kd": 0.01},
    "alpha has settled after 6 epochs without a change, of at most 60, not 3 of 30": {
        "search_patience": 6,
        "search_epochs": 60,
    },
}
OPEN_SEEDS = (11, 12, 13)


def tables(
    dataset: str,
    recipe: str,
    seeds: Sequence[int],
    models: Sequence[str] = (),
    strategies: Sequence[str] = (),
    profile: str = "full",
) -> list[RunConfig]:
    """Runs of Tables 1 and 2, or of the models and strategies that are named; cheap strategies first.

    Table 2 is on MovieLens-1M alone; the other data sets have DeepFM.
    """
    models = models or (MODELS if dataset == "ml-1m" else MODELS[:1])
    wanted = {model: strategies or (STRATEGIES if model == "deepfm" else COMPATIBILITY) for model in models}
    return [
        configure(dataset, recipe, strategy, seed, model=model, profile=profile)
        for strategy, model, seed in product(STRATEGIES, models, seeds)
        if strategy in wanted[model]
    ]


def long_random(dataset: str, recipe: str, seeds: Sequence[int]) -> list[RunConfig]:
    """Random at the length that Figure 3 shows, and FE beside it; the other curves are runs of Table 1.

    ``draws`` means nothing to FE: it only names the run whose time, taken in the same batch, is the unit of the long
    Random's. Seconds of two machines, or of one machine on two days, can't be divided by each other.
    """
    return [configure(dataset, recipe, name, seed, draws=LONG_DRAWS) for seed in seeds for name in ("fe", "random")]


def ladder_run(dataset: str, recipe: str, epochs: int | None, without: str, seed: int) -> RunConfig:
    """AutoDPQ after a pretrain of so many epochs (None: to convergence), without one of :data:`PARTS`."""
    length: dict[str, Any] = {"pretrain_epochs": epochs} if epochs else {"pretrain": epochs is None}
    return configure(dataset, recipe, "autodpq", seed, **length, **PARTS[without])


def ladder(dataset: str, recipe: str) -> list[RunConfig]:
    """FE, and AutoDPQ after each length of the pretrain, with and without its parts, seed by seed."""
    steps = list(product(LENGTHS, PARTS))
    return [
        run
        for seed in LADDER_SEEDS
        for run in (
            configure(dataset, recipe, "fe", seed),
            *(ladder_run(dataset, recipe, epochs, without, seed) for epochs, without in steps),
        )
    ]


def all_together(dataset: str, recipe: str, seed: int) -> dict[str, RunConfig]:
    """AutoDPQ, FE and Others under everything, short of the test split, that makes AutoDPQ's gain larger."""
    own: dict[str, dict[str, Any]] = {"autodpq": {"reading": "laboratory"}, "others": {}}
    runs = {name: configure(dataset, recipe, name, seed, threshold=160, patience=1, **own[name]) for name in own}
    return {**runs, "fe": configure(dataset, recipe, "fe", seed, patience=1)}


def gain_runs(dataset: str, recipe: str) -> list[RunConfig]:
    """What the page on the paper's gain shows beyond the other parts: a ladder, all together, and two at once."""
    together = [run for seed in TEN_SEEDS for run in all_together(dataset, recipe, seed).values()]
    return [
        *(ladder(dataset, recipe) if recipe == LADDER_RECIPE else []),
        *together,
        *threshold_from_zero(dataset, recipe),
    ]


def threshold_from_zero(dataset: str, recipe: str) -> list[RunConfig]:
    """AutoDPQ with threshold 160 and first-order weights from zero, where the recipe's are not: both at once."""
    own: dict[str, Any] = {"threshold": 160, "first_order_sd": 0.0}
    wanted = TEN_SEEDS if RECIPES[recipe].first_order_sd else ()
    return [configure(dataset, recipe, "autodpq", seed, **own) for seed in wanted]


def ten_seeds(dataset: str, recipe: str, pair: tuple[int, int]) -> list[RunConfig]:
    """FE, Others, DPQ with Grid's best pair and AutoDPQ on ten seeds."""
    plans = [
        [*baselines(dataset, recipe, seed, pair).values(), configure(dataset, recipe, "autodpq", seed)]
        for seed in TEN_SEEDS
    ]
    return [run for runs in zip(*plans, strict=True) for run in runs]


def readings(dataset: str, recipe: str, seeds: Sequence[int], pair: tuple[int, int]) -> list[RunConfig]:
    """All runs that the page of the readings compares, in one part, so that one batch makes them.

    First, seed by seed, FE, Others, DPQ with Grid's best pair, and AutoDPQ under each reading. Then Tables 1 and 2
    under the readings that are not literal, and the literal Grid and Random; last :data:`LEFT_OPEN` on seeds of its
    own. Table 1 is on ``seeds``, Table 2 on :data:`~autodpq_eval.batch.TABLE_SEEDS`.
    """
    first = [run for seed in seeds for run in against_baselines(dataset, recipe, seed, pair).values()]
    trials = tables(dataset, recipe, seeds, ["deepfm"], ["grid", "random"])
    last = [run for seed in OPEN_SEEDS for run in left_open(dataset, recipe, seed).values()]
    return list(dict.fromkeys([*first, *tables_under_readings(dataset, recipe, seeds), *trials, *last]))


def left_open(dataset: str, recipe: str, seed: int) -> dict[str, RunConfig]:
    """AutoDPQ under the text reading with each of :data:`LEFT_OPEN`."""
    return {name: configure(dataset, recipe, "autodpq", seed, reading="text", **own) for name, own in LEFT_OPEN.items()}


def tables_under_readings(dataset: str, recipe: str, seeds: Sequence[int]) -> list[RunConfig]:
    """Tables 1 and 2 under the readings that are not literal, as far as these change a strategy; cheap ones first."""
    beside = [run for run in tables(dataset, recipe, TABLE_SEEDS) if run.model != "deepfm"]
    literal = tables(dataset, recipe, seeds, ["deepfm"]) + beside
    return [
        under(run, reading)
        for strategy in reversed(STRATEGIES)
        for reading in list(READINGS)[1:]
        for run in literal
        if run.strategy == strategy in CHANGED_BY[reading]
    ]


def under(run: RunConfig, reading: str, split: Split = "fixed") -> RunConfig:
    """A run of Tables 1 and 2 under a reading, which stays literal where that does not change its strategy."""
    own: dict[str, Any] = {"model": run.model, "profile": run.profile, "split": split}
    if run.strategy in CHANGED_BY.get(reading, ()):
        own["reading"] = reading
    return configure(run.dataset, run.recipe, run.strategy, run.seed, **own)


def laboratory(dataset: str, recipe: str, seeds: Sequence[int]) -> list[RunConfig]:
    """AutoDPQ under each reading and its baselines on the laboratory's split, DPQ with :data:`PAIR_OF_TABLE_1`.

    Then the tables, under each reading: Tables 1 and 2 in recipe ``paper``, that of the laboratory's code; in recipe
    ``tuned`` only Others and AutoDPQ on PNN and DCN.
    """
    first = [
        run
        for seed in seeds
        for run in against_baselines(dataset, recipe, seed, PAIR_OF_TABLE_1, split="laboratory").values()
    ]
    own = ((), ()) if recipe == "paper" else (MODELS[1:], ("others", "autodpq"))
    more = tables(dataset, recipe, TABLE_SEEDS, *own)
    return list(dict.fromkeys([*first, *(under(run, reading, "laboratory") for run in more for reading in READINGS)]))


def against_baselines(
    dataset: str, recipe: str, seed: int, pair: tuple[int, int], **switches: Any
) -> dict[str, RunConfig]:
    """The baselines' runs of a seed, and AutoDPQ's under each reading, by their names in the tables.

    A reading that changes DPQ has, beside the literal one, a DPQ of its own.
    """
    return (
        baselines(dataset, recipe, seed, pair, **switches)
        | under_readings(f"DPQ {pair}", "grid", dataset, recipe, seed, **one_pair(pair), **switches)
        | under_readings("AutoDPQ", "autodpq", dataset, recipe, seed, **switches)
    )


def under_readings(
    name: str, strategy: str, dataset: str, recipe: str, seed: int, **switches: Any
) -> dict[str, RunConfig]:
    """A strategy's runs under the readings that change it, by its name and theirs; AutoDPQ's under all."""
    return {
        f"{name}, {reading}": configure(dataset, recipe, strategy, seed, reading=reading, **switches)
        for reading in READINGS
        if strategy in CHANGED_BY.get(reading, ("autodpq",))
    }


def baselines(dataset: str, recipe: str, seed: int, pair: tuple[int, int], **switches: Any) -> dict[str, RunConfig]:
    """The runs of a seed that AutoDPQ is compared with: FE, Others and DPQ with one pair in every field."""
    return {
        "FE": configure(dataset, recipe, "fe", seed, **switches),
        "Others": configure(dataset, recipe, "others", seed, **switches),
        f"DPQ {pair}": configure(dataset, recipe, "grid", seed, **one_pair(pair), **switches),
    }


def one_pair(pair: tuple[int, int]) -> dict[str, Any]:
    """The switches of a Grid that has this pair alone: DPQ with the same (K, D) in every field."""
    return {"centroids": pair[:1], "subspaces": pair[1:]}


def configure(dataset: str, recipe: str, strategy: str, seed: int, **switches: Any) -> RunConfig:
    """A validated configuration from plain values."""
    keys = {"dataset": dataset, "recipe": recipe, "strategy": strategy, "seed": seed}
    return RunConfig.model_validate({**keys, **switches})
