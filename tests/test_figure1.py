"""Figure 1 of a vector whose code is known from notebook 04, and the features that it is drawn for."""

from __future__ import annotations

from dataclasses import replace

import torch
from matplotlib import pyplot as plt

from autodpq_data.planted import FEATURES, RICH, ROWS
from autodpq_data.prepared import load_schema
from autodpq_lab import features
from autodpq_lab.features import rare_features
from autodpq_lab.figure1 import figure_1
from autodpq_lib.embedding.quantiser import Quantiser


def test_what_is_drawn_is_encoded_and_decoded():
    e = torch.tensor([0.9, -0.2, 0.1, 0.8])
    q = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]], [[1.0, 0.5], [0.5, 1.0], [-1.0, 0.0]]])
    figure = figure_1(e, Quantiser([3], 2, 4, lambda table: table.copy_(q)).eval(), "a film")
    raw, responses, output, centroids = figure.axes
    assert [text.get_text() for text in raw.texts] == ["0.90", "-0.20", "0.10", "0.80"]
    assert [text.get_text() for text in output.texts] == ["1.00", "0.00", "0.50", "1.00"]
    assert [frame.get_xy() for frame in responses.patches] == [(0, 0), (1, 1)]
    assert [frame.get_xy() for frame in centroids.patches] == [(0, 0), (2, 1)]
    assert "for a film: its raw vector in 2 parts, the responses of 3 centroids to each with the code [0, 1]" in (
        figure.get_label()
    )
    plt.close(figure)


def test_rare_features_are_counted_under_their_ids():
    schema = load_schema("planted", 800)
    found = rare_features(schema, RICH[1])
    assert found["name"].tolist() == found["value"].tolist() == [f"rich_b-{n:03d}" for n in range(FEATURES)]
    assert found.index.tolist() == list(range(FEATURES, 2 * FEATURES))
    assert found["count"].sum() == ROWS


def test_a_film_has_its_title_for_a_name(schema, monkeypatch):
    known = {"movie": list("123456")}
    monkeypatch.setattr(features, "vocabulary", lambda dataset: known)
    monkeypatch.setattr(features, "locate", lambda dataset: None)
    monkeypatch.setattr(features, "titles", lambda dataset, folder: {"3": "Solaris"})
    assert features.names_of("ml-1m-recbole", "movie") == {}  # whose films' titles nobody reads
    found = rare_features(replace(schema, fields=("movie", "b", "c"), dataset="ml-100k"), "movie")
    assert found["value"].tolist() == ["3", "4", "5", "6"]
    assert found["name"].tolist() == ["Solaris", "4", "5", "6"]
    assert found["count"].tolist() == [3, 2, 5, 1]
