"""A feature and its field before and after compression: neighbours, shared codes, dead centroids (notebooks 04, 11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple, cast

import ipywidgets as widgets
import pandas as pd
import torch
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional as F

from autodpq_data.movielens import READ, titles
from autodpq_data.prepared import vocabulary
from autodpq_data.schema import Schema
from autodpq_data.sources import locate
from autodpq_lab.shown import Shown, picture, present
from autodpq_lib.embedding.dpq import DPQ
from autodpq_lib.models.ctr_model import CTRModel

#: Neighbours that are shown.
NEAREST = 8


class FieldVectors(NamedTuple):
    """A field's rare features: places in the field, counts, raw and decoded vectors ``[L, X]``, codes ``[L, D]``, K."""

    places: list[int]
    counts: Tensor
    raw: Tensor
    decoded: Tensor
    codes: Tensor
    k: int


def rare_features(schema: Schema, field: str) -> pd.DataFrame:
    """The rare features of a field by their ids: raw value, name and count. A film's name is its title."""
    ids, places = _rare(schema, field)
    known = vocabulary(schema.dataset)[field]
    values = [known[place] for place in places]
    called = names_of(schema.dataset, field)
    names = [called.get(value, value) for value in values]
    columns = {"value": values, "name": names, "count": schema.counts[ids].numpy()}
    return pd.DataFrame(columns, index=pd.Index(ids.tolist(), name="id"))


def names_of(dataset: str, field: str) -> Mapping[str, str]:
    """What people call a field's raw values, where that is known: a film's title."""
    return titles(dataset, locate(dataset)) if dataset in READ and field == "movie" else {}


@torch.no_grad()
def field_vectors(model: CTRModel, schema: Schema, field: str) -> FieldVectors:
    """What a trained DPQ model holds for the rare features of a field."""
    embedding, (ids, places) = cast(DPQ, model.embedding), _rare(schema, field)
    codes = embedding.codes()[field]
    decoded = embedding.quantisers_of(field)[0].decode(codes.T[None])[:, 0]
    raw = model.get_parameter("embedding.table")[ids].detach()
    return FieldVectors(places, schema.counts[ids], raw, decoded, codes, embedding.decision[field][0])


def _rare(schema: Schema, field: str) -> tuple[Tensor, list[int]]:
    """A field's rare features: ids ``[L]``, and their places in the field."""
    m = schema.fields.index(field)
    ids = (schema.low & (schema.field_of == m)).nonzero().squeeze(1)
    return ids, (ids - schema.offsets[m]).tolist()


def neighbours(vectors: Tensor, number: int) -> list[int]:
    """The rows of ``[L, X]`` with the largest cosine to one of them, nearest first, itself left out."""
    cosine = F.cosine_similarity(vectors, vectors[number], dim=1)
    order = cosine.argsort(descending=True, stable=True).tolist()
    return [n for n in order if n != number][:NEAREST]


def staying(vectors: Tensor, number: int, before: Sequence[int]) -> int:
    """How many of the rows ``before`` are among the :data:`NEAREST` neighbours of row ``number`` in ``vectors``.

    Ties all count: features with one code have the very same decoded vector, and only some of them can be listed.
    """
    cosine = F.cosine_similarity(vectors, vectors[number], dim=1)
    least = min((cosine[n] for n in neighbours(vectors, number)), default=0.0)
    return sum(bool(cosine[n] >= least - 1e-6) for n in before)


def feature_finder(model: CTRModel, schema: Schema, field: str, names: Sequence[str]) -> widgets.VBox:
    """Choose a rare feature: its neighbours by cosine before and after compression, and who has the very same code.

    Args:
        model: trained, with a DPQ embedding.
        schema: of its data.
        field: such as ``movie``.
        names: of all features of the field, in the order of their ids.
    """
    found = field_vectors(model, schema, field)
    mine = [names[place] for place in found.places]

    def draw(number: int) -> Shown:
        before, after = (neighbours(vectors, number) for vectors in (found.raw, found.decoded))
        same = [n for n, code in enumerate(found.codes) if n != number and torch.equal(code, found.codes[number])]
        lists = {"nearest, raw": before, "nearest, compressed": after, "same code": same[:NEAREST]}
        said = (
            f"{mine[number]}, seen {int(found.counts[number])} times, code {found.codes[number].tolist()}: "
            f"{staying(found.decoded, number, before)} of {len(before)} neighbours stay; {len(same)} others have the "
            "same code."
        )
        cells = "".join(f"<td>{'<br>'.join(escape(mine[n]) for n in names)}</td>" for names in lists.values())
        heads = "".join(f"<th>{name}</th>" for name in lists)
        return Shown(f"<p>{escape(said)}</p><table><tr>{heads}</tr><tr valign=top>{cells}</tr></table>", said)

    order = sorted(range(len(mine)), key=mine.__getitem__)
    return present(draw, number=widgets.Dropdown(options=[(mine[n], n) for n in order], description=field))


def field_inspector(model: CTRModel, schema: Schema, names: Mapping[str, Sequence[str]]) -> widgets.VBox:
    """Choose a field and one of its rare features, and see it in two linked pictures: raw vectors, and decoded ones.

    Both are in the plane of the raw ones' largest spread. A ring is the feature, squares are those with its very code.

    Args:
        model: trained, with a DPQ embedding.
        schema: of its data.
        names: of all features of each field, in the order of their ids.
    """
    fields = {name: field_vectors(model, schema, name) for name, n in schema.low_sizes.items() if n > 1}

    def draw(field: str, feature: int) -> Shown:
        found = fields[field]
        one = int(found.counts.argsort(descending=True, stable=True)[feature % len(found.counts)])
        same = (found.codes == found.codes[one]).all(1)
        figure = _scatter(found, one, same, field)
        said = f"{field}: {field_said(found)} {feature_said(found, one, same, names[field])}"
        return picture(figure, f"Two scatter plots, raw and decoded vectors of {field}. {said}", said)

    if not fields:
        return widgets.VBox([widgets.HTML("No field has two rare features.")])
    most = max(len(found.counts) for found in fields.values()) - 1
    return present(draw, field=widgets.Dropdown(options=list(fields), description="field"),
                   feature=widgets.IntSlider(0, 0, most, description="feature"))  # fmt: skip


def _scatter(found: FieldVectors, one: int, same: Tensor, field: str) -> Figure:
    """Raw beside decoded vectors, on the same axes; one feature and those with its code are marked."""
    centre = found.raw.mean(0)
    axes_of = torch.linalg.svd(found.raw - centre, full_matrices=False).Vh[:2].T
    figure, axes = plt.subplots(1, 2, figsize=(8, 3.4), sharex=True, sharey=True, layout="constrained")
    for axis, name, vectors in zip(axes, ("raw", "decoded"), (found.raw, found.decoded), strict=True):
        at = (vectors - centre) @ axes_of
        axis.plot(*at[same].T, "s", mfc="none", mec="black", mew=0.5, ms=6, zorder=1)
        points = axis.scatter(*at.T, c=found.counts, s=12, cmap="viridis", zorder=2)
        axis.plot(*at[one], "o", mfc="none", mec="#d55e00", mew=2, ms=12)
        axis.set(title=f"{field}, {name}", xlabel="first direction (no unit)", ylabel="second direction (no unit)")
    figure.colorbar(points, label="occurrences")
    return figure


def feature_said(found: FieldVectors, one: int, same: Tensor, names: Sequence[str]) -> str:
    """A feature, and those that have its code, in a sentence."""
    others = [names[found.places[n]] for n in same.nonzero().squeeze(1).tolist() if n != one]
    listed = f": {', '.join(others[:NEAREST])}{', ...' if len(others) > NEAREST else ''}" if others else ""
    return (
        f"Ring: {names[found.places[one]]}, seen {int(found.counts[one])} times, code {found.codes[one].tolist()}; "
        f"{len(others)} others have it{listed}."
    )


def field_said(found: FieldVectors) -> str:
    """Codes in use, dead centroids and the largest group with one code, in a sentence."""
    d = found.codes.shape[1]
    used = sum(len(column.unique()) for column in found.codes.T)
    distinct, sizes = found.codes.unique(dim=0, return_counts=True)
    return (
        f"{len(found.codes)} rare features, seen {int(found.counts.min())} to {int(found.counts.max())} times; K = "
        f"{found.k}, D = {d}: {len(distinct)} distinct codes, {found.k * d - used} of {found.k * d} centroids dead; "
        f"the largest group with one code has {int(sizes.max())}."
    )
