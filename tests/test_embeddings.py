"""Full, Others and DPQ: what each gives for a feature, and which tensors learn."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
from conftest import small_config, small_run
from torch import Tensor

from autodpq_data.schema import Schema
from autodpq_eval.decisions import deciding_epoch, weights_of
from autodpq_lib.embedding.candidates import Candidates
from autodpq_lib.embedding.dpq import DPQ
from autodpq_lib.embedding.full import Full
from autodpq_lib.embedding.others import Others, others_rows
from autodpq_lib.embedding.quantiser import Coding
from autodpq_lib.models.build import dpq_model
from autodpq_lib.strategies import STRATEGY

DECISION = {"a": (8, 2), "c": (2, 4)}
# Rows with two, one and no low-frequency features; 2 to 5 are low in field a, 12 and 13 in field c.
IDS = torch.tensor([[2, 6, 12], [0, 7, 13], [1, 8, 9], [5, 6, 10]])


pytestmark = pytest.mark.usefixtures("compiler")


def normal(tensor: Tensor) -> Tensor:
    return tensor.normal_()


def dpq(schema: Schema, **options: object) -> DPQ:
    torch.manual_seed(1)
    return DPQ(schema, 16, normal, DECISION, Coding(**options))


def test_full_gives_each_feature_its_row() -> None:
    full = Full(14, 16, normal)
    assert torch.equal(full(IDS), full.table[IDS])


@pytest.mark.parametrize("name", ["type", "keys", "training", "a.b", "", "user/film"])
def test_a_field_may_have_any_name(name: str, schema: Schema, tmp_path: Path) -> None:
    odd = replace(schema, fields=(name, *schema.fields[1:]))
    fits = STRATEGY["autodpq"](small_run(tmp_path, odd, small_config()))
    assert name in fits[-1].decision
    curve = pd.DataFrame(next(fit.curve for fit in fits if fit.name == "search"))
    pair = fits[-1].decision[name]
    weights = weights_of(curve, name)
    assert max(weights, key=lambda one: weights[one][deciding_epoch(curve, small_config())]) == pair


def test_others_rows_match_a_loop(schema: Schema) -> None:
    kept = [n for n, low in enumerate(schema.low.tolist()) if not low]
    expected = []
    for n in range(schema.num_features):
        field = schema.fields[int(schema.field_of[n])]
        expected.append(kept.index(n) if n in kept else len(kept) + schema.low_fields.index(field))
    assert others_rows(schema).tolist() == expected


def test_others_shares_a_row_within_a_field_and_not_between(schema: Schema) -> None:
    others = Others(schema, 16, normal)
    assert others.table.shape == (8 + 2, 16)
    first, second = others(torch.tensor([[2, 6, 12], [5, 6, 13]]))
    assert torch.equal(first, second)
    assert not torch.equal(first[0], first[2])


@pytest.mark.parametrize("training", [True, False])
def test_dpq_replaces_low_frequency_features_alone(schema: Schema, training: bool) -> None:
    module = dpq(schema).train(training)
    got = module(IDS)
    for row, ids in enumerate(IDS.tolist()):
        for m, n in enumerate(ids):
            raw = module.table[n]
            if schema.low[n]:
                quantiser = module.quantisers[schema.fields[m]]
                assert torch.equal(got[row, m], quantiser.decode(quantiser.encode(raw[None]))[0, 0])
            else:
                assert torch.equal(got[row, m], raw)


def test_dpq_evaluation_equals_decoding_its_codes_bit_for_bit(schema: Schema) -> None:
    module = dpq(schema).eval()
    codes = module.codes()
    assert {name: tuple(c.shape) for name, c in codes.items()} == {"a": (4, 2), "c": (2, 4)}
    low = schema.low.nonzero().squeeze(1)
    every = torch.tensor([[n if m == int(schema.field_of[n]) else schema.offsets[m] for m in range(3)] for n in low])
    looked_up = module(every)[torch.arange(len(low)), schema.field_of[low]]
    assert torch.equal(looked_up, module.decode(codes))


@pytest.mark.parametrize("ids", [[[1, 6, 9], [0, 7, 10]], [[1, 6, 9], [3, 7, 10]]], ids=["no low row", "one low row"])
def test_dpq_takes_any_number_of_low_rows(schema: Schema, ids: list[list[int]]) -> None:
    module, batch = dpq(schema), torch.tensor(ids)
    trained = module(batch)
    trained.sum().backward()
    assert torch.equal(trained, module.eval()(batch))


def test_gradients_reach_the_tensors_that_they_should(schema: Schema) -> None:
    module = dpq(schema)
    module(torch.tensor([[2, 6, 9], [1, 7, 9]])).square().sum().backward()
    touched = module.table.grad.abs().sum(1) > 0
    assert touched.nonzero().squeeze(1).tolist() == [1, 2, 6, 7, 9]  # 2 through the encoder, the others directly
    assert module.quantisers["a"].centroids.grad.abs().sum() > 0
    assert module.quantisers["c"].centroids.grad is None


def test_low_rows_get_no_gradient_but_the_encoders(schema: Schema) -> None:
    """With a vanishing temperature the encoder is cut off, so a low-frequency raw row must stay."""
    module = dpq(schema, tau=1e-4)
    module(IDS).sum().backward()
    assert module.table.grad[schema.low].abs().max() < 1e-6
    assert module.table.grad[IDS[2]].abs().min() == 1


def test_lookup_is_computed_once_and_forgotten(schema: Schema) -> None:
    module = dpq(schema).eval()
    before = module(IDS)
    module.table.data.neg_()
    low = schema.low[IDS]
    assert torch.equal(module(IDS)[low], before[low])  # once per evaluation
    assert not torch.equal(module.train().eval()(IDS)[low], before[low])
    weights = {name: -tensor for name, tensor in module.state_dict().items()}
    after = module(IDS)
    module.load_state_dict(weights)
    assert not torch.equal(module(IDS)[low], after[low])


def test_a_lookup_of_another_type_is_another(schema: Schema) -> None:
    module = dpq(schema).eval()
    single = module(IDS)
    torch.testing.assert_close(module.double()(IDS), single.double(), rtol=0, atol=1e-6)


def test_a_copy_forgets_its_own_lookup(schema: Schema) -> None:
    module = dpq(schema).eval()
    module(IDS)
    copy, low = deepcopy(module), schema.low[IDS]
    before = copy(IDS)
    copy.load_state_dict({name: -tensor for name, tensor in copy.state_dict().items()})
    assert not torch.equal(copy(IDS)[low], before[low])
    assert torch.equal(module(IDS), before)


def test_centroids_that_start_anew_are_looked_up_anew(schema: Schema) -> None:
    """In evaluation mode too."""
    module, low = dpq(schema).eval(), schema.low[IDS]
    before = module(IDS)
    module.cluster(0)
    clustered = module(IDS)
    assert not torch.equal(clustered[low], before[low])
    module.adopt(Candidates(schema, 16, normal, [*DECISION.values()]))
    assert not torch.equal(module(IDS)[low], clustered[low])


def test_a_field_with_fewer_values_than_centroids(schema: Schema) -> None:
    assert schema.low_sizes["c"] < DECISION["a"][0]
    module = DPQ(schema, 16, normal, {"a": (32, 2), "c": (32, 8)}).eval()
    assert module(IDS).shape == (4, 3, 16)


def test_decision_must_name_the_fields_with_low_frequency_features(schema: Schema) -> None:
    with pytest.raises(ValueError, match=r"expected a pair for \('a', 'c'\), found \('a', 'b'\)"):
        DPQ(schema, 16, normal, {"a": (8, 2), "b": (8, 2)})


def test_looking_up_in_parts_gives_the_same_vectors_and_codes(schema: Schema, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    decision = {"a": (4, 2), "c": (2, 4)}
    model = DPQ(schema, 16, lambda tensor: tensor.normal_(), decision).eval()
    whole, codes = model.low_vectors(), model.codes()
    monkeypatch.setattr("autodpq_lib.embedding.compressed.AT_ONCE", 3)
    monkeypatch.setattr("autodpq_lib.embedding.dpq.AT_ONCE", 3)
    model.train().eval()
    assert torch.equal(model.low_vectors(), whole)
    assert all(torch.equal(part, codes[name]) for name, part in model.codes().items())


@pytest.mark.parametrize(
    "build", [lambda s, i: Full(s.num_features, 16, i), lambda s, i: DPQ(s, 16, i, {"a": (4, 2), "c": (2, 4)})]
)
def test_lazy_gradients_are_the_dense_ones_in_sparse_form(build: object, schema: Schema) -> None:
    ids = torch.tensor([[0, 6, 9], [3, 6, 12], [3, 8, 10]])
    gradients = []
    for lazy in (False, True):
        torch.manual_seed(0)
        model = build(schema, lambda tensor: tensor.normal_())
        model.lazy = lazy
        model(ids).square().sum().backward()
        gradients.append(model.table.grad)
    assert gradients[1].is_sparse
    torch.testing.assert_close(gradients[1].to_dense(), gradients[0], atol=1e-6, rtol=1e-6)


def test_use_of_a_codebook_is_the_share_of_centroids_that_a_code_names(
    schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 2 x 2 centroids three, of 4 x 4 seven."""
    codes = {"a": torch.tensor([[0, 1], [1, 1], [0, 1], [0, 1]]), "c": torch.tensor([[0, 1, 2, 3], [0, 0, 0, 0]])}
    monkeypatch.setattr(DPQ, "codes", lambda _: codes)
    embedding = dpq_model(small_config(), schema, {"a": (2, 2), "c": (4, 4)}).embedding
    assert embedding.codebook_use() == {"a": 3 / 4, "c": 7 / 16}
