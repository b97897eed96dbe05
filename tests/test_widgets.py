"""What is moved: sliders are set, and the numbers that are shown are compared with numbers made another way."""

import math
import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import COUNTS, small_config
from nbformat.v4 import new_code_cell, new_notebook, new_output

from autodpq_budget.choice_table import choice
from autodpq_budget.of_model import menu_of
from autodpq_budget.settings import budget_of
from autodpq_lab.budget import budget_slider, point
from autodpq_lab.encoder import encode, encoder
from autodpq_lab.features import feature_finder, field_inspector, field_vectors, neighbours, staying
from autodpq_lab.live import LiveCurves
from autodpq_lab.mixture import epoch_scrubber, gumbel_slider, mixture
from autodpq_lab.runs import chosen, in_words, runs_table
from autodpq_lab.shown import Shown, present
from autodpq_lab.threshold import Rarity, rarity, said, threshold_slider
from autodpq_lab.view import VIEW
from autodpq_lib.models.build import dpq_model, full_model
from autodpq_lib.training.metrics import evaluate
from autodpq_runs.explore import LoadedRun
from autodpq_runs.record import read_record
from autodpq_system.paths import ROOT, runs_root
from scripts.run_notebook import keep_still

RECORD = ROOT / "results/ml-1m/tuned/records/deepfm-autodpq-seed1.json"


def control(box, name):
    """The control with a description."""
    (found,) = [child for child in box.children[:-1] if child.description == name]
    return found


def shown(box):
    """The sentence below the picture."""
    return re.sub(r"<img[^>]*>", "", box.children[-1].value)


def test_moving_a_control_draws_again_and_others_see_the_first_picture(capsys, monkeypatch):
    import ipywidgets  # noqa: PLC0415

    displayed = []
    monkeypatch.setattr("autodpq_lab.shown.display", lambda data, raw: displayed.append(data))
    box = present(lambda x: Shown(f"<b>{x * x}</b>", f"{x * x}"), x=ipywidgets.IntSlider(3, description="x"))
    control(box, "x").value = 5
    assert shown(box) == "<b>25</b>"
    ((data),) = displayed
    assert (data["text/html"], data["text/plain"]) == ("<b>9</b>", "9")
    assert data[VIEW]["model_id"] == box.model_id


def test_an_executed_copy_keeps_the_picture_and_no_widget():
    data = {VIEW: {"model_id": "1"}, "text/html": "<b>9</b>"}
    alone = {VIEW: {"model_id": "2"}, "text/plain": "bar"}
    cell = new_code_cell("1", outputs=[new_output("display_data", d) for d in (data, alone)])
    notebook = new_notebook(cells=[cell], metadata={"widgets": {}})
    keep_still(notebook)
    assert [set(output.data) for output in cell.outputs] == [{"text/html"}, {VIEW, "text/plain"}]
    assert "widgets" not in notebook.metadata


@pytest.mark.parametrize("threshold", [0, 40, 400])
def test_threshold_slider_begins_at_the_threshold_of_the_data(schema, threshold):
    ids, labels = np.zeros((4, 3), np.int32), np.array([0, 1, 0, 1], np.uint8)
    box = threshold_slider(replace(schema, threshold=threshold), ids, labels)
    assert control(box, "threshold").value == threshold


def test_threshold_slider_counts_what_a_loop_counts(schema):
    generator = np.random.default_rng(0)
    ids = np.stack([generator.integers(low, low + n, 300) for low, n in ((0, 6), (6, 3), (9, 5))], 1).astype(np.int32)
    labels = generator.integers(0, 2, 300).astype(np.uint8)
    box = threshold_slider(schema, ids, labels)
    control(box, "threshold").value = 4  # features with counts 3, 2, 1 of field a, and 2 of field c
    touched = np.array([any(COUNTS[i] < 4 for i in row) for row in ids])
    pairs = np.mean([a | b for a in touched[labels == 1] for b in touched[labels == 0]])
    others, quantised = (14 - 4 + 2) * 16, (14 - 4) * 16 + 4 * 8 + 2 * 8 * 16
    assert f"{4 / 14:.1%} of the features are rare; {touched.mean():.2%} of the rows and {pairs:.2%}" in shown(box)
    assert f"Others {others:,}, DPQ (8, 8) {quantised:,}" in shown(box)
    assert f"takes one of {0.0068 / pairs:.4f} on these pairs" in shown(box)


def test_a_gain_that_takes_a_rise_of_more_than_one_is_called_impossible(schema):
    few = Rarity(features=0.1, rows=0.01, pairs=0.0067, others=1, quantised=1)
    assert "no gain on these pairs could make 0.0068 over all" in said(few, 0.0068)
    assert "a gain of 0.0068 over all takes one of 0.9855 on these pairs" in said(few._replace(pairs=0.0069), 0.0068)
    none = rarity(schema, np.full(4, 9), np.array([0, 1, 0, 1], np.uint8), 0)
    assert none[:3] == (0, 0, 0)
    assert "no gain on these pairs" in said(none, 0.0068)


def test_encoder_shows_what_the_example_of_notebook_04_gives():
    e = torch.tensor([0.9, -0.2, 0.1, 0.8])
    q = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]], [[1.0, 0.5], [0.5, 1.0], [-1.0, 0.0]]])
    found = encode(e, q, 1.0)
    assert found.codes == [0, 1]
    assert found.decoded.tolist() == [1.0, 0.0, 0.5, 1.0]
    assert found.weights[0, 0].item() == pytest.approx(math.exp(0.9) / sum(map(math.exp, (0.9, -0.2, -0.7))), rel=1e-6)
    s, u = found.weights, q.sum(-1)  # g = 1 everywhere: u_k is the sum of a centroid
    by_hand = torch.einsum("dk,dkw->dw", s * (u - (s * u).sum(1, keepdim=True)), q)
    assert found.gradient == pytest.approx(by_hand.norm().item(), rel=1e-5)


def test_encoder_s_controls_reach_the_quantiser():
    box = encoder(torch.randn(16, generator=torch.Generator().manual_seed(1)))
    control(box, "K").value, control(box, "D").value = 32, 8
    assert "40 bits" in shown(box)
    assert len(re.search(r"codes \[(.*?)\]", shown(box))[1].split(",")) == 8
    control(box, "log10 tau").value = -4
    assert "at tau 0.0001 the chosen centroids have 100.0%" in shown(box)
    assert float(re.search(r"a length of ([\d.e+-]+)\.", shown(box))[1]) < 1e-6


def test_a_centroid_that_is_moved_along_the_vector_wins(monkeypatch: pytest.MonkeyPatch):
    e = torch.zeros(16)
    e[:2] = torch.tensor([1.0, 0.0])
    monkeypatch.setattr(torch, "randn", lambda *size, **_: torch.zeros(size))
    box = encoder(e)
    assert "codes [0," in shown(box)  # all responses are 0, and the first is taken
    control(box, "centroid").value, control(box, "move x").value = 5, 2.0
    assert "codes [5," in shown(box)
    assert "differs by 100% of" in shown(box)  # 2 is read where 1 was
    control(box, "move x").value = -2.0
    assert "codes [0," in shown(box)


def test_gumbel_slider_is_a_softmax_and_its_noise_picks_by_softmax_of_alpha():
    box = gumbel_slider([(8, 2), (8, 4), (8, 8)])
    control(box, "noise").value = False
    control(box, "lead").value, control(box, "tau").value = 1.0, 0.5
    p = math.exp(2) / (math.exp(2) + 2)
    assert f"largest weight {p:.3f}, of (8, 2)" in shown(box)
    top = math.e / (math.e + 2)
    assert f"is the largest in {top:.1%}" in shown(box)
    alpha = torch.tensor([1.0, 0.0, 0.0])
    seen = np.mean([int(mixture(alpha, 0.1, seed).argmax()) == 0 for seed in range(2000)])
    assert seen == pytest.approx(top, abs=4 * math.sqrt(top * (1 - top) / 2000))


def test_epoch_scrubber_shows_the_weights_of_the_record():
    record = read_record(RECORD)
    curve = pd.DataFrame(next(log.curve for log in record.fits if log.name == "search"))
    box = epoch_scrubber(record)
    for epoch in (1, len(curve)):
        control(box, "epoch").value = epoch
        row = curve.iloc[epoch - 1].filter(like="p/user/")
        pair = row.idxmax().split("/")[2].replace(",", ", ")
        assert f"user ({pair}) {row.max():.4f}" in shown(box)
        assert f"tau {curve['tau'][epoch - 1]:.3f}" in shown(box)


def test_runs_table_filters_sorts_and_leads_to_notebooks_that_jupyterlab_serves(tmp_path, monkeypatch):
    for folder in (runs_root(), tmp_path):
        (folder / "notebooks").mkdir()
        (folder / "notebooks" / "a b.ipynb").touch()
    (runs_root() / "lab" / "results" / "notebooks").mkdir(parents=True)
    (runs_root() / "lab" / "results" / "notebooks" / "c.ipynb").touch()
    keys = {"dataset": "ml-1m", "model": "deepfm", "seed": 1, "test_logloss": 0.5, "space": 1, "seconds": 1.0}
    rows = [
        {**keys, "strategy": s, "recipe": r, "test_auc": auc, "decision": d, "path": path}
        for s, r, auc, d, path in [
            ("fe", "tuned", 0.81, None, runs_root() / "records" / "a b.json"),
            ("fe", "paper", 0.82, None, tmp_path / "records" / "deepfm-fe-seed1-threshold-160-0123abcd.json"),
            ("grid", "tuned", 0.83, {"movie": (8, 2)}, ROOT / "results" / "records" / "c.json"),
        ]
    ]
    frame, displayed = pd.DataFrame(rows), []
    assert chosen(frame, "", "test_auc", strategy="fe", recipe="all")["test_auc"].tolist() == [0.82, 0.81]
    assert chosen(frame, "MOVIE", "test_auc")["strategy"].tolist() == ["grid"]
    assert chosen(frame, "MOVIE", "test_auc", dataset="none").empty
    monkeypatch.setattr("autodpq_lab.shown.display", lambda data, raw: displayed.append(data["text/html"]))
    box = runs_table(frame)
    assert re.findall(r'href="([^"]+)"', shown(box)) == [
        "/lab/tree/lab/results/notebooks/c.ipynb",
        "/lab/tree/notebooks/a%20b.ipynb",
    ]
    assert "href" not in displayed[0]
    assert "movie 8, 2" in displayed[0]
    assert "<td>threshold-160</td>" in displayed[0]
    control(box, "strategy").value = "fe"
    assert "2 of 3 runs" in shown(box)
    assert shown(box).index("0.82") < shown(box).index("0.81")


@pytest.fixture
def model(schema):
    torch.manual_seed(0)
    return dpq_model(small_config(), schema, {"a": (2, 2), "c": (4, 4)}).eval()


def test_finder_shows_neighbours_and_who_shares_the_code(schema, model):
    found = field_vectors(model, schema, "a")
    assert found.places == [2, 3, 4, 5]
    raw = model.get_parameter("embedding.table")[2:6].detach().numpy()
    unit = raw / np.linalg.norm(raw, axis=1, keepdims=True)
    assert neighbours(found.raw, 0) == sorted(range(1, 4), key=lambda n: -(unit @ unit.T)[0, n])
    box = feature_finder(model, schema, "a", ["v0", "v1", "<v2>", "v3", "v4", "v5"])
    control(box, "a").value = 0
    same = sum(torch.equal(found.codes[n], found.codes[0]) for n in (1, 2, 3))
    assert f"&lt;v2&gt;, seen 3 times, code {found.codes[0].tolist()}" in shown(box)
    assert f"{same} others have the same code" in shown(box)


def test_a_neighbour_stays_if_no_listed_one_is_nearer():
    """Of nine vectors that are alike after compression all are nearest, though eight are listed."""
    alike = torch.tensor([[1.0, 0.0]] * 10 + [[0.0, 1.0]])
    assert 9 not in neighbours(alike, 0)
    assert staying(alike, 0, [9, 10, 1]) == 2
    assert staying(alike[:1], 0, []) == 0


def test_inspector_of_fields_without_two_rare_features_says_so(schema, model):
    box = field_inspector(model, replace(schema, threshold=2), {})
    assert "No field has two rare features" in box.children[0].value


def test_inspector_counts_codes_and_dead_centroids(schema, model):
    names = {"a": ["v0", "v1", "<v2>", "v3", "v4", "v5"], "c": list("01234")}
    box = field_inspector(model, schema, names)
    control(box, "field").value = "c"
    codes = model.embedding.codes()["c"].tolist()
    used = len({(i, c) for code in codes for i, c in enumerate(code)})
    assert f"{len({*map(tuple, codes)})} distinct codes, {16 - used} of 16 centroids dead" in shown(box)
    assert "2 rare features, seen 2 to 4 times" in shown(box)
    largest = max(Counter(map(tuple, codes)).values())
    assert f"the largest group with one code has {largest}." in shown(box)


def test_inspector_marks_a_feature_and_names_those_with_its_code(schema, model):
    names = {"a": ["v0", "v1", "<v2>", "v3", "v4", "v5"], "c": list("01234")}
    box, codes = field_inspector(model, schema, names), model.embedding.codes()["a"].tolist()
    assert "Ring: v4, seen 5 times" in shown(box)  # the most frequent of the four
    control(box, "feature").value = 1
    assert f"Ring: &lt;v2&gt;, seen 3 times, code {codes[0]}; {codes.count(codes[0]) - 1} others have it" in shown(box)


def test_budget_slider_measures_what_it_shows(run):
    torch.manual_seed(0)
    config = run.config.model_copy(update={"strategy": "fe"})
    record = read_record(RECORD).model_copy(update={"config": config})
    loaded = LoadedRun(record, full_model(config, run.schema).eval(), run.schema, run.train, run.valid, run.valid)
    offered = menu_of(loaded.model, run.schema, run.train)
    few, many = (size / budget_of(run.schema, 1.0) for size in (offered.least + 20, offered.most - 60))
    box = budget_slider(loaded, offered, [many, few, 1e-6, 2.0])  # too small, and more than everything: left out
    control(box, "of FE").value = 0
    taken, auc, change = re.search(r"([\d,]+) taken: validation AUC ([\d.]+), ([+-][\d.]+)", shown(box)).groups()
    assert offered.least <= int(taken.replace(",", "")) <= offered.least + 20
    assert float(auc) - float(change) == pytest.approx(evaluate(loaded.model, run.valid).auc, abs=1.1e-4)
    control(box, "of FE").value = 1
    assert f"{many:.1%} of FE" in shown(box)
    groups = choice(run.schema, offered.stored(offered.least + 20), 16)
    groups["total"] = groups.filter(like=", bits").sum(axis=1)
    here = point(loaded, offered, (offered.least + 20.5) / budget_of(run.schema, 1.0))
    for field, one in groups.groupby("field"):
        assert here.bits[field] == pytest.approx(np.average(one["total"], weights=one["features"]))


def test_budget_slider_without_a_budget_that_fits_says_so(run):
    config = run.config.model_copy(update={"strategy": "fe"})
    record = read_record(RECORD).model_copy(update={"config": config})
    loaded = LoadedRun(record, full_model(config, run.schema).eval(), run.schema, run.train, run.valid, run.valid)
    with pytest.raises(ValueError, match=r"shares: expected one between \d+ and \d+ bytes, found none"):
        budget_slider(loaded, menu_of(loaded.model, run.schema, run.train), [1e-6])


def test_curves_follow_the_training_and_stay(run, monkeypatch):
    pictures = []

    monkeypatch.setattr("autodpq_lab.live.DisplayHandle.display", lambda handle, html: None)
    monkeypatch.setattr("autodpq_lab.live.DisplayHandle.update", lambda handle, html: pictures.append(html.data))
    monkeypatch.setattr("autodpq_lab.live.PAUSE", 0.0)
    torch.manual_seed(0)
    with LiveCurves() as watched:
        fit = watched(run, "seed 1").fit("fit", full_model(run.config, run.schema))
        assert len(pictures) == len(fit.curve) > 1
    assert f"seed 1, fit, round {len(fit.curve)}, validation AUC {fit.curve[-1]['valid_auc']:.4f}" in pictures[-1]
    torch.manual_seed(0)
    plain = run.fit("other", full_model(run.config, run.schema))
    assert [row["train_loss"] for row in plain.curve] == [row["train_loss"] for row in fit.curve]


def test_names_of_a_strangers_record_are_text_and_no_html():
    assert in_words({"<img src=x onerror=a()>": (8, 2)}) == "&lt;img src=x onerror=a()&gt; 8, 2"
