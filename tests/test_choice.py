"""The picture of what the compressor chooses: every feature is in one group, and the groups keep to the budget."""

from __future__ import annotations

import pytest
from matplotlib import pyplot as plt

from benchmarks import choice


@pytest.mark.parametrize("share", choice.SHOWN)
def test_all_features_are_stored_within_the_budget(share: float) -> None:
    rows = choice.data().query("share == @share")
    assert rows["features"].sum() == 13_560
    assert not rows.duplicated(["field", "counts"]).any()
    assert (rows["bits"] * rows["features"]).sum() / 8 <= share * 4 * 13_560 * 17


def test_tiers_go_from_rare_to_frequent_and_a_cell_says_how_it_is_stored() -> None:
    figure = choice.draw(choice.data())
    first, *_, last = figure.axes[: len(choice.SHOWN)]
    assert [label.get_text().split()[0] for label in last.get_xticklabels()] == ["0", "10", "40", "160", "640", "2560"]
    assert {text.get_text() for text in first.texts} > {"float16", "mean", "7 bits"}
    plt.close(figure)
