"""What is said of the search's decisions, on the committed records and by hand."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from autodpq_eval.decisions import agreement, codebook_use, rank_among_random, sureness
from autodpq_eval.plans import tables
from autodpq_eval.tables import read_plan
from autodpq_lib.training.metrics import Metrics
from autodpq_runs.record import Record
from autodpq_system.paths import ROOT


@pytest.fixture(scope="module")
def found() -> dict[str, list[Record]]:
    records, _ = read_plan(ROOT / "results", tables("ml-1m", "tuned", [1, 2, 3], ["deepfm"], ["autodpq", "random"]))
    return {name: [r for r in records if r.config.strategy == name] for name in ("autodpq", "random")}


def test_agreement_counts_the_most_frequent_pair(found: dict[str, list[Record]]) -> None:
    decisions = ({"user": (8, 2)}, {"user": (16, 4)}, {"user": (8, 2)})
    made = [r.model_copy(update={"decision": d}) for r, d in zip(found["autodpq"], decisions, strict=True)]
    row = agreement(made).loc["user"]
    assert row["most frequent"] == "(8, 2)"
    assert row["share"] == pytest.approx(2 / 3)
    alike = {1: 9 * 8 * 7 / 9**3, 2: 3 * 9 * 8 / 9**3, 3: 9 / 9**3}  # of three draws from nine
    assert row["share by chance"] == pytest.approx(sum(n / 3 * p for n, p in alike.items()), abs=0.005)


def test_pairs_that_tie_are_all_named_whatever_seed_comes_first() -> None:
    decisions = [{"zip": pair} for pair in ((16, 2), (8, 2), (8, 4), (8, 2), (16, 2))]
    config = SimpleNamespace(candidates=range(9))
    row = agreement([SimpleNamespace(decision=each, config=config) for each in decisions]).loc["zip"]
    assert (row["most frequent"], row["share"]) == ("(8, 2) and (16, 2)", 0.4)


def test_sureness_is_that_of_the_epoch_that_decided(found: dict[str, list[Record]]) -> None:
    table = sureness(found["autodpq"])
    record = found["autodpq"][0]
    (log,) = [log for log in record.fits if log.name == "search"]
    best = log.curve["valid_auc"].index(max(log.curve["valid_auc"]))
    assert table.loc[1, "tau"] == log.curve["tau"][best]
    assert table.loc[1, "user"] == log.curve["entropy/user"][best]
    for name, (k, d) in record.decision.items():
        weights = {key: values[best] for key, values in log.curve.items() if key.startswith(f"p/{name}/")}
        assert max(weights, key=weights.get) == f"p/{name}/{k},{d}"


def test_sureness_of_a_search_that_ends_with_its_last_epoch_and_of_a_field_with_a_slash() -> None:
    weights = {"p/C/T/8,2": [0.9, 0.2], "p/C/T/8,4": [0.1, 0.8], "entropy/C/T": [0.3, 0.5], "tau": [0.2, 0.1]}
    log = SimpleNamespace(name="search", curve={"valid_auc": [0.8, 0.7], **weights})
    for place, scored in enumerate(("best", "last")):
        config = SimpleNamespace(seed=1, search_until="validation", scored=scored)
        row = sureness([SimpleNamespace(fits=[log], config=config)]).loc[1]
        assert row[["tau", "C/T", "changed"]].tolist() == [[0.2, 0.3, 1], [0.1, 0.5, 0]][place]


def test_rank_is_the_share_of_trials_below(found: dict[str, list[Record]]) -> None:
    trials = sorted(max(log.curve["valid_auc"]) for log in found["random"][0].fits)
    between = Metrics(auc=(trials[14] + trials[15]) / 2, logloss=0.5)
    chosen = [found["autodpq"][0].model_copy(update={"valid": between})]
    assert rank_among_random(chosen, found["random"]).loc[1, "share below"] == 0.75
    pretrain = found["autodpq"][0].fits[0]  # as where trials start from a pretrain
    begun = [found["random"][0].model_copy(update={"fits": [pretrain, *found["random"][0].fits]})]
    assert rank_among_random(chosen, begun).loc[1, "share below"] == 0.75


def test_a_trial_that_is_as_good_is_not_below(found: dict[str, list[Record]]) -> None:
    trials = sorted(max(log.curve["valid_auc"]) for log in found["random"][0].fits)
    assert trials[13] < trials[14] < trials[15]
    chosen = [found["autodpq"][0].model_copy(update={"valid": Metrics(auc=trials[14], logloss=0.5)})]
    assert rank_among_random(chosen, found["random"]).loc[1, "share below"] == 14 / 20


def test_nothing_done_yet_gives_empty_tables() -> None:
    for table in (agreement([]), sureness([]), rank_among_random([], []), codebook_use([])):
        assert table.empty
