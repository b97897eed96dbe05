"""Each rival against its definition, feature by feature, and against its size by hand."""

from __future__ import annotations

import math
from copy import deepcopy

import numpy as np
import pytest
import torch
from conftest import COUNTS, SIZES
from torch import Tensor, nn
from torch.nn import functional as F

from autodpq_data.schema import Schema
from autodpq_rivals import mgqe
from autodpq_rivals.dhe import DHE, primes
from autodpq_rivals.double_hash import PRIME, DoubleHash
from autodpq_rivals.dpq_vq import DPQVQ
from autodpq_rivals.int_b import SPANS, IntB, quantise
from autodpq_rivals.lsq import LSQ
from autodpq_rivals.merge import Merge
from autodpq_rivals.mgqe import MGQE
from autodpq_rivals.mpe import MPE, TAU
from autodpq_rivals.narrow import Narrow
from autodpq_rivals.qr import QR
from autodpq_rivals.rival import FullTable, Rival, distinct, packed_bytes, ranks
from autodpq_rivals.rounding import SD, Rounded, Rounding
from autodpq_rivals.vq import VQ, CentroidNorm

N, X = 14, 4
#: The field of each feature.
FIELD_OF = [number for number, size in enumerate(SIZES.values()) for _ in range(size)]
#: Features, the most frequent first.
ORDER = sorted(range(N), key=lambda n: (-int(COUNTS[n]), n))
IDS = torch.tensor([[2, 6, 12], [0, 7, 13], [2, 8, 9], [5, 6, 10]])

#: Each rival with options, and its bytes by hand.
RIVALS: dict[str, tuple[type[Rival], dict[str, object], int]] = {
    "narrow": (Narrow, {}, 14 * 8),
    "merge": (Merge, {"threshold": 4}, 12 * 8),  # ten kept rows, and one for each of two fields,
    # 24, 12 and 20 codes of 3 bits; a scale and an offset for each of 3 fields and 4 dimensions.
    "int-b": (IntB, {"bits": 3}, 9 + 5 + 8 + 3 * 4 * 4),
    "lsq": (LSQ, {"bits": 3}, 21 + 2 + 8),  # 56 codes; the step; c
    "double-hash": (DoubleHash, {"kept": 4, "shared": 5}, 9 * 8 + 8),
    "lsq by field": (LSQ, {"bits": 3, "by_field": True}, 21 + 3 * 2 + 8),
    "dhe": (DHE, {"hashes": 6, "width": 5}, 2 * (35 + 4 * 30 + 24) + 8),
    "qr": (QR, {"collisions": 4}, (4 + 4) * 8),
    "one book": (
        DPQVQ,
        {"centroids": 8, "subspaces": 2, "shared": True, "tied": False, "normed": False},
        11 + 8 * 8,
    ),  # 28 codes of 3 bits
    "tied book": (DPQVQ, {"centroids": 8, "subspaces": 2, "shared": True, "tied": True, "normed": True}, 11 + 8 * 4),
    # 12 codes of 3 bits, 6 of 2 and 10 of 3; books of 5, 3 and 5 centroids.
    "book a field": (
        DPQVQ,
        {"centroids": 5, "subspaces": 2, "shared": False, "tied": False, "normed": True},
        5 + 2 + 4 + 13 * 8,
    ),
    "mgqe": (MGQE, {"centroids": 4, "subspaces": 2}, 1 + 3 + 4 * 8),  # 4 codes of 2 bits, 24 of 1; see few_centroids
    # Books of 4, 3 and 4 centroids; 2, 2 and 2 codes of 2 bits, 10, 4 and 8 of 1.
    "mgqe by field": (MGQE, {"centroids": 4, "subspaces": 2, "by_field": True}, 1 + 2 + 1 + 1 + 1 + 1 + 11 * 8),
    "mpe": (MPE, {"price": 1e-4}, 14 + 6 + 12 + 8),  # 28 entries of 4 bits; 14 widths of 3; 6 steps; c; see made
}


FEWER = mgqe.FEWER  # before few_centroids


@pytest.fixture(autouse=True)
def few_centroids(monkeypatch: pytest.MonkeyPatch) -> None:
    """MGQE: all but the two most frequent features may use half of the centroids."""
    monkeypatch.setattr(mgqe, "FEWER", 2)


def test_mgqe_gives_the_tenth_that_is_most_frequent_all_centroids_and_the_others_a_quarter(
    schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mgqe, "FEWER", FEWER)
    assert mgqe.books_of(schema, 256, by_field=False).limit.tolist() == [256, *[64] * 9, 256, *[64] * 3]


def test_mgqe_by_field_takes_a_tenth_of_each_field_and_no_more_centroids_than_it_has_features(
    schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mgqe, "FEWER", FEWER)
    books = mgqe.books_of(schema, 16, by_field=True)
    assert books.book.tolist() == schema.field_of.tolist()
    assert books.limit.tolist() == [6, *[4] * 5, *[3] * 3, 4, 5, *[4] * 3]  # 16 and 4, of 6, 3 and 5 features


def table(schema: Schema, dim: int = X) -> FullTable:
    return FullTable(schema, dim, lambda tensor: tensor.normal_())


def made(schema: Schema, name: str, seed: int = 1) -> Rival:
    """A rival whose weights are far from where they start, so that clips, sums and statistics matter."""
    torch.manual_seed(seed)
    kind, options, _ = RIVALS[name]
    rival = kind(table(schema), **options)
    for tensor in rival.state_dict().values():
        if tensor.is_floating_point():
            tensor.uniform_(0.1, 1.0)
    if isinstance(rival, MPE):
        rival.gamma.data.mul_(TAU)
        rival.bits.copy_(torch.tensor([4, 0] * 7))
    return rival


# The definitions, for one feature.


def int_b(rival: IntB, x: int) -> Tensor:
    """As loaded: what becomes of it in the end is :func:`quantise`, which has a test of its own."""
    return rival.state_dict()["table"][x]


def double_hash(rival: DoubleHash, x: int) -> Tensor:
    rank, (a, b) = ORDER.index(x), (rival.slope.tolist(), rival.offset.tolist())
    if rank < rival.kept:
        return rival.rows.table[rank]
    return sum(rival.rows.table[rival.kept + (a[i] * rank + b[i]) % PRIME % rival.shared] for i in (0, 1))


def dhe(rival: DHE, x: int) -> Tensor:
    functions = zip(rival.slope.tolist(), rival.offset.tolist(), rival.prime.tolist(), strict=True)
    u = [(a * (x + 1) + b) % p % 10**6 for a, b, p in functions]
    return rival.net(torch.tensor([[2 * n / (10**6 - 1) - 1 for n in u]]))[0]


def narrow(rival: Narrow, x: int) -> Tensor:
    return rival.rows.table[x]


def merge(rival: Merge, x: int) -> Tensor:
    """Kept rows in the order of the features, then one for the rare of the first field and one for the last's."""
    kept = [n for n in range(N) if COUNTS[n] >= 4]
    return rival.rows.table[kept.index(x) if x in kept else 10 + (x >= 9)]


def qr(rival: QR, x: int) -> Tensor:
    return rival.quotient.table[x // rival.collisions] * rival.remainder.table[x % rival.collisions]


def lsq(rival: Rounding, x: int, t: int = 0) -> Tensor:
    group = FIELD_OF[x] if rival.step.shape[1] > 1 else 0
    bits, a = int(rival.widths[t]), rival.step[t, group].item()
    levels = range(-(2 ** (bits - 1)), 2 ** (bits - 1))
    entries = zip(rival.rows.table[x].tolist(), rival.centre.tolist(), strict=True)
    return torch.tensor([a * min(levels, key=lambda n: abs((w - c) / a - n)) + c for w, c in entries])


def mpe(rival: MPE, x: int) -> Tensor:
    """Fewer features than groups: each is one of its own."""
    p = rival.probabilities()[ORDER.index(x)].tolist()
    return sum(p[b] * lsq(rival, x, b - 1) for b in range(1, 7))


def vq(rival: VQ, x: int) -> Tensor:
    book, k = int(rival.book[x]), int(rival.limit[x])
    norm = rival.norms[book] if rival.norms else CentroidNorm(k)
    mean, variance = norm.mean.tolist(), norm.variance.tolist()
    parts = []
    for d, part in enumerate(rival.rows.table[x].view(2, 2)):
        centroids = rival.centroids[book, d if rival.centroids.shape[1] > 1 else 0]
        responses = [-(part - c).square().sum().item() for c in centroids[:k]]
        responses = [(r - mean[n]) / math.sqrt(variance[n] + 1e-3) for n, r in enumerate(responses)]
        parts.append(centroids[responses.index(max(responses))])
    return torch.cat(parts)


HAND = {
    Narrow: narrow,
    Merge: merge,
    IntB: int_b,
    DoubleHash: double_hash,
    DHE: dhe,
    QR: qr,
    LSQ: lsq,
    MPE: mpe,
    DPQVQ: vq,
    MGQE: vq,
}


@pytest.mark.parametrize("name", RIVALS)
def test_vectors_are_those_of_the_definition(schema: Schema, name: str) -> None:
    rival = made(schema, name).eval()
    expected = torch.stack([torch.stack([HAND[type(rival)](rival, x) for x in row]) for row in IDS.tolist()])
    torch.testing.assert_close(rival(IDS), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", RIVALS)
def test_bytes_are_those_counted_by_hand(schema: Schema, name: str) -> None:
    kind, options, expected = RIVALS[name]
    assert made(schema, name).served_bytes() == expected
    if kind is not MPE:
        assert kind.size(table(schema), **options) == expected


@pytest.mark.parametrize("name", RIVALS)
def test_the_seed_makes_the_rival_and_weights_bring_it_back(schema: Schema, name: str) -> None:
    first, same, other = (made(schema, name, seed).eval() for seed in (1, 1, 2))
    assert torch.equal(first(IDS), same(IDS))
    assert not torch.equal(first(IDS), other(IDS))
    other.load_state_dict(first.state_dict())
    assert torch.equal(first(IDS), other(IDS))


@pytest.mark.parametrize("name", RIVALS)
def test_evaluation_does_not_depend_on_the_rest_of_the_batch(schema: Schema, name: str) -> None:
    rival = made(schema, name).eval()
    torch.testing.assert_close(rival(IDS)[1:2], rival(IDS[1:2]), atol=1e-6, rtol=1e-6)


def test_distinct_features_are_those_that_sorting_finds() -> None:
    ids = torch.randint(50, (7, 3), generator=torch.Generator().manual_seed(1))
    for got, known in zip(distinct(ids), ids.unique(return_inverse=True, return_counts=True), strict=True):
        assert torch.equal(got, known)


def test_ranks_are_those_of_a_stable_sort() -> None:
    assert [ORDER.index(x) for x in range(N)] == ranks(COUNTS).tolist()


def test_codes_are_packed_to_the_byte() -> None:
    assert [packed_bytes(n, b) for n, b in ((8, 3), (9, 3), (0, 5), (3, 0))] == [3, 4, 0, 0]


# int-b after training.


def spaced(column: list[float], span: float, bits: int) -> list[float]:
    """The nearest of 2^b values about the middle, with low and step in float16."""
    middle, half = (min(column) + max(column)) / 2, (max(column) - min(column)) / 2 * span
    low, step = (float(np.float16(x)) for x in (middle - half, 2 * half / (2**bits - 1)))
    levels = [low + n * step for n in range(2**bits)]
    return [min(levels, key=lambda level: abs(w - level)) for w in column]


def test_quantised_rows_are_the_nearest_of_evenly_spaced_values_that_lose_least(schema: Schema) -> None:
    rows = torch.randn(N, 3, generator=torch.Generator().manual_seed(0))
    rows[6:9, 1] = 0.25  # one value: kept as it is
    found, sizes, spans = quantise(rows, schema, 2), schema.sizes, set()
    parts = zip(rows.split(sizes), found.split(sizes), COUNTS.split(sizes), strict=True)
    for (column, values), counts in [(pair, n) for r, g, n in parts for pair in zip(r.T, g.T, strict=True)]:
        tried = {span: spaced(column.tolist(), span, 2) for span in SPANS}
        lost = {
            span: sum(int(n) * (w - v) ** 2 for n, w, v in zip(counts, column.tolist(), of, strict=True))
            for span, of in tried.items()
        }
        spans.add(best := min(lost, key=lambda span: lost[span]))
        torch.testing.assert_close(values, torch.tensor(tried[best]), atol=1e-6, rtol=1e-5)
    assert len(spans) > 1


def test_many_bits_change_little_and_few_bits_leave_few_values() -> None:
    rows = torch.randn(50, 2, generator=torch.Generator().manual_seed(0))
    schema = Schema("ml-100k", ("a",), (50,), torch.ones(50, dtype=torch.int64), 40, "")
    torch.testing.assert_close(quantise(rows, schema, 10), rows, atol=5e-3, rtol=0)
    assert len(quantise(rows, schema, 2)[:, 0].unique()) == 4


@pytest.mark.parametrize("name", [name for name in RIVALS if name != "int-b"])
def test_numbers_are_stored_as_float16(schema: Schema, name: str) -> None:
    rival = made(schema, name)
    before = [p.detach().clone() for p in rival.parameters()]
    rival.store()
    for was, now in zip(before, rival.parameters(), strict=True):
        assert torch.equal(now, torch.from_numpy(was.numpy().astype(np.float16).astype(np.float32)))


# LSQ+ and MPE.


@pytest.mark.parametrize("own", [False, True])
def test_gradients_of_rounding_are_those_of_the_definition(own: bool) -> None:
    """With one step a bit width, or one for each of the five rows, too."""
    generator = torch.Generator().manual_seed(0)
    w, dy = torch.randn(5, 3, generator=generator), torch.randn(2, 5, 3, generator=generator)
    steps, scales = torch.tensor([[0.3], [0.9]]), torch.tensor([[0.5], [0.25]])  # [T, 1]
    if own:
        steps, scales = (x * torch.rand(5, generator=generator).add(0.5) for x in (steps, scales))  # [T, 5]
    a, c, scale, bits = steps, torch.tensor([0.1, -0.2, 0.0]), scales, torch.tensor([3, 1])
    for tensor in (w, a, c):
        tensor.requires_grad_()
    Rounded.apply(w, a, c, bits, scale).backward(dy)
    values = (w - c).detach() / a.detach()[..., None]  # [T, 5, 3]
    dw, da, dc = torch.zeros(5, 3), torch.zeros_like(a), torch.zeros(3)
    for t, b in enumerate(bits.tolist()):
        low, high = -(2 ** (b - 1)), 2 ** (b - 1) - 1
        for n in range(5):
            of = n if own else 0
            s = float(scale[t, of])
            for d in range(3):
                v, g = float(values[t, n, d]), float(dy[t, n, d])
                clipped = low if v < low else high if v > high else None
                dw[n, d] += g if clipped is None else 0.0
                da[t, of] += s * g * (round(v) - v if clipped is None else clipped)
                dc[d] += 0.0 if clipped is None else s * g
    for tensor, expected in ((w, dw), (a, da), (c, dc)):
        torch.testing.assert_close(tensor.grad, expected, atol=1e-5, rtol=1e-5)


def test_a_step_that_crosses_zero_stays_a_step(schema: Schema) -> None:
    """Training may drive it below zero: the vectors are those of its size, and its gradient changes sign."""
    found = []
    for sign in (1, -1):
        rival = made(schema, "lsq")
        rival.step.data.mul_(sign)
        rival(IDS).square().sum().backward()
        found.append((rival(IDS), rival.step.grad))
    (vectors, slope), (mirrored, back) = found
    assert torch.equal(vectors, mirrored)
    assert torch.equal(slope, -back)
    assert slope


def test_rounding_starts_as_the_paper_says(schema: Schema) -> None:
    torch.manual_seed(0)
    rival = LSQ(table(schema), bits=3)
    rows = rival.rows.table
    assert rows.std().item() == pytest.approx(SD, rel=0.3)
    assert rival.step.item() == pytest.approx(2 * rows.abs().mean().item() / math.sqrt(4), rel=1e-5)
    assert rival.scale.item() == pytest.approx(1 / math.sqrt(4 * N * X), rel=1e-5)
    assert torch.equal(rival.centre, torch.zeros(X))


def test_rounding_by_field_starts_with_a_scale_of_each(schema: Schema) -> None:
    rival = LSQ(table(schema), bits=3, by_field=True)
    assert rival.scale[0].tolist() == pytest.approx([1 / math.sqrt(4 * n * X) for n in schema.sizes])


@pytest.mark.parametrize(("share", "bits"), [(0.10, 6), (0.05, 5)])
def test_mpe_takes_a_width_for_likely_from_half_of_an_even_share_on(share: float, bits: int, schema: Schema) -> None:
    """1/14 of seven widths: the others have (1 - share) / 6 each."""
    rival = MPE(table(schema), price=0.1)
    rival.gamma.data[0] = TAU * torch.tensor([(1 - share) / 6] * 6 + [share]).log()
    rival.settle()
    assert rival.bits[0] == bits


def mixed(schema: Schema) -> MPE:
    rival = made(schema, "mpe")
    rival.bits.fill_(-1)
    return rival


def test_mpe_mixes_bit_widths_while_it_searches(schema: Schema) -> None:
    rival = mixed(schema)
    p = rival.probabilities()
    expected = [[math.exp(g / TAU) for g in row] for row in rival.gamma.tolist()]
    torch.testing.assert_close(p, torch.tensor([[e / sum(row) for e in row] for row in expected]), atol=1e-5, rtol=1e-4)
    got = rival(IDS)
    torch.testing.assert_close(got, torch.stack([torch.stack([mpe(rival, x) for x in row]) for row in IDS.tolist()]))
    got.sum().backward()
    touched = rival.gamma.grad.abs().sum(1) > 0
    assert touched.nonzero().squeeze(1).tolist() == sorted(ORDER.index(x) for x in set(IDS.flatten().tolist()))


def test_mpe_prices_bits_by_the_frequency_of_their_group(schema: Schema) -> None:
    rival = mixed(schema)
    p, least = rival.probabilities().detach(), min(COUNTS.tolist())
    bits = [sum(b * float(p[g, b]) / (int(COUNTS[x]) / least) for b in range(7)) for g, x in enumerate(ORDER)]
    assert rival.extra_loss().item() == pytest.approx(rival.price * sum(bits), rel=1e-4)


def test_mpe_groups_are_of_equal_size_and_frequency() -> None:
    counts = torch.arange(1, 301)
    rival = MPE(table(Schema("ml-100k", ("a",), (300,), counts, 40, "")), price=1.0)
    assert torch.bincount(rival.group).tolist() == [3] * 100  # 300 / 128, rounded up
    assert rival.group[-3:].tolist() == [0, 0, 0]
    assert rival.weight[-1] == 1
    assert rival.weight[0].item() == pytest.approx((1 + 2 + 3) / (298 + 299 + 300))


def test_mpe_settles_on_the_largest_likely_width_and_starts_again(schema: Schema) -> None:
    torch.manual_seed(0)
    rival = MPE(table(schema), price=0.1)
    start = rival.rows.table.detach().clone()
    rival.rows.table.data += 1
    rival.gamma.data[0] = TAU * torch.tensor([3.0, 0.0, 2.0, 0.0, -1.0, -9.0, -9.0])  # p_2 is .22, p_4 .01
    rival.gamma.data[1] = TAU * torch.tensor([9.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    rival.settle()
    assert rival.bits.tolist() == [2, 0] + [6] * (N - 2)
    assert torch.equal(rival.rows.table, start)
    assert torch.equal(rival(torch.tensor([[ORDER[1]]])), torch.zeros(1, 1, X))


# DPQ-VQ and MGQE.


@pytest.mark.parametrize("name", ["one book", "tied book", "book a field", "mgqe"])
def test_vq_passes_gradients_to_rows_and_moves_centroids_by_its_loss_alone(schema: Schema, name: str) -> None:
    rival = made(schema, name).train()
    q = rival(IDS)
    q.square().sum().backward()
    assert rival.centroids.grad is None
    expected = torch.zeros(N, X)
    expected.index_add_(0, IDS.flatten(), 2 * q.detach().flatten(0, 1))
    torch.testing.assert_close(rival.rows.table.grad, expected)
    loss = rival.extra_loss()
    assert torch.equal(deepcopy(rival).extra_loss(), torch.zeros(())), "a term of the loss counts once"
    apart = (rival.rows.table[IDS] - q).detach().square().mean()
    torch.testing.assert_close(loss.detach(), apart, atol=1e-6, rtol=1e-5)
    rival.rows.table.grad = None
    loss.backward()
    assert rival.rows.table.grad is None
    assert rival.centroids.grad.abs().sum() > 0


@pytest.mark.parametrize("name", ["one book", "mgqe"])
def test_the_norm_changes_which_centroid_is_the_nearest(schema: Schema, name: str) -> None:
    kind, options, _ = RIVALS[name]
    torch.manual_seed(2)
    normed, plain = (kind(table(schema), **options | {"normed": normed}).train() for normed in (True, False))
    plain.load_state_dict(normed.state_dict(), strict=False)
    assert not torch.equal(normed(IDS), plain(IDS))


def test_a_book_without_a_feature_in_the_batch_stays_as_it_is(schema: Schema) -> None:
    rival = made(schema, "book a field").train()
    before = [norm.mean.clone() for norm in rival.norms]
    rival(IDS[:, :2])  # of the first two fields
    assert [torch.equal(norm.mean, was) for norm, was in zip(rival.norms, before, strict=True)] == [False, False, True]
    assert rival.extra_loss().isfinite()


def test_rare_features_of_mgqe_use_the_first_centroids(schema: Schema) -> None:
    rival = made(schema, "mgqe").eval()
    assert [x for x in range(N) if rival.limit[x] == 4] == sorted(ORDER[:2])
    features = torch.arange(N)
    codes = rival.encode(rival.rows.table, features, torch.ones(N, dtype=torch.int64))
    assert codes[rival.limit == 2].max() <= 1


def test_centroids_are_standardised_as_by_batchnorm_over_all_occurrences() -> None:
    torch.manual_seed(0)
    mine = CentroidNorm(3)
    peer = nn.BatchNorm1d(3, affine=False, eps=1e-3, momentum=0.01)
    counts = torch.tensor([2, 1, 4])
    for _ in range(2):
        responses = torch.randn(2, 3, 3)
        pairs = torch.repeat_interleave(responses, counts, 1)  # [D, B, K]
        expected = peer(pairs.flatten(0, 1)).unflatten(0, (2, 7))
        torch.testing.assert_close(torch.repeat_interleave(mine(responses.clone(), counts), counts, 1), expected)
    torch.testing.assert_close(mine.mean, peer.running_mean)
    biased = (
        peer.running_var - 0.99**2
    ) * 13 / 14 + 0.99**2  # torch's running variance is unbiased, TensorFlow's is not
    torch.testing.assert_close(mine.variance, biased)
    expected = (responses - mine.mean) / (mine.variance + 1e-3).sqrt()
    torch.testing.assert_close(mine.eval()(responses, counts), expected)


# Hashes.


def test_primes_are_all_those_between_one_and_two_millions() -> None:
    found = primes().tolist()
    assert len(found) == 70_435
    assert found[:2] == [1_000_003, 1_000_033]
    assert all(all(p % n for n in range(2, 1415)) for p in found[::5000])


def test_dhe_as_served_needs_no_batchnorm(schema: Schema) -> None:
    """What is counted is enough: linear layers with BatchNorm folded in give the same vectors."""
    rival = made(schema, "dhe").eval()
    x = rival.encode(torch.arange(N))
    for linear, norm in zip(rival.net[0:15:3], rival.net[1:15:3], strict=True):
        factor = norm.weight / (norm.running_var + norm.eps).sqrt()
        weight, bias = linear.weight * factor[:, None], (linear.bias - norm.running_mean) * factor + norm.bias
        x = F.mish(F.linear(x, weight, bias))
    torch.testing.assert_close(rival.net[15](x), rival.vectors(torch.arange(N)), atol=1e-5, rtol=1e-5)


def test_frequent_features_of_double_hash_share_nothing(schema: Schema) -> None:
    rival = made(schema, "double-hash")
    rival(torch.tensor([ORDER[:4]])).sum().backward()
    assert rival.rows.table.grad[:4].min() == 1
    assert rival.rows.table.grad[4:].abs().max() == 0


def test_no_two_features_of_qr_share_both_rows(schema: Schema) -> None:
    rival = made(schema, "qr")
    assert len({tuple(row) for row in rival(torch.arange(N)[None])[0].tolist()}) == N


def test_products_of_qr_start_as_large_as_rows() -> None:
    torch.manual_seed(0)
    schema = Schema("ml-100k", ("a",), (2000,), torch.ones(2000, dtype=torch.int64), 40, "")
    start = QR(FullTable(schema, 8, lambda tensor: tensor.normal_(0, 0.01)), collisions=40)
    assert start.vectors(torch.arange(2000)).square().mean().sqrt().item() == pytest.approx(0.01, rel=0.1)


def test_shared_rows_of_double_hash_start_smaller_so_that_sums_do_not_start_larger() -> None:
    large = Schema("x", ("a",), (6000,), torch.ones(6000, dtype=torch.long), 40, "")
    torch.manual_seed(0)
    rows = DoubleHash(table(large, 8), kept=2000, shared=2000).rows.table
    assert (rows[2000:].std() / rows[:2000].std()).item() == pytest.approx(2**-0.5, rel=0.05)


def test_dhe_starts_small_where_tables_start_large(schema: Schema) -> None:
    rival = DHE(FullTable(schema, 8, lambda tensor: tensor.fill_(7.0)), hashes=6, width=500)
    assert rival.net[-1].weight.std().item() == pytest.approx(0.01, rel=0.05)
