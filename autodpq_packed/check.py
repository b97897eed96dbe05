"""What a packed file must hold to be believed: the type and shape of each tensor, each code, each number.

A hostile file can be signed like any other. So what the header says is believed only as far as the tensors, whose bytes
are really there, bear it out: all that a reader allocates, indexes or computes is in proportion to the file's length.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from reprlib import repr as shortened
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodpq_packed.bits import bits_for, unpack
from autodpq_packed.container import PackedError, Tensors
from autodpq_packed.grouped import BIT, GROUPS, NUMBER, TIER_BITS, TIERS, group_sizes, layout

Shapes = dict[str, tuple[int, ...]]
TABLES, PLACES, PLAIN_TIERS = ("embedding", "first_order"), "places", "tiers"
MODELS = ("deepfm", "pnn", "dcn")
#: Readers count features in int32.
MOST_FEATURES = 2**31 - 1
#: K of a code of 8 bits.
MOST_CENTROIDS = 256
#: Most groups of one field, for a reader may compare each id with all of them; and most entries of the table that it
#: keeps for this, with a row for each field and a column for each group of the field that has most.
MOST_OF_A_FIELD, MOST_GROUPS = len(TIERS) + 1, 2**22
#: Codes checked at a time.
CHUNK = 2**20
#: Part of a table -> the types that it may have; all other tensors are float32.
TYPES = {
    "kept": ("float32", "float16", "int8"),
    **dict.fromkeys(("low", "codes", "option"), ("uint8",)),
    "numbers": ("float16",),
}
#: Tensors that are no part of one table, and have another type.
SHARED = dict.fromkeys((GROUPS, PLACES), ("int32",)) | {PLAIN_TIERS: ("uint8",)}


def check(model: Any, tensors: Tensors) -> None:
    """Refuse a file whose tensors are not exactly those of the model that its header describes.

    Args:
        model: the header's description, not yet trusted: ``model``, ``fields``, ``sizes``, ``mlp``, ``config`` and two
            digests; where tables are stored by groups also ``order``, which older files lack.
        tensors: of the file.

    Raises:
        PackedError: one sentence that names the part that is wrong.
    """
    _expect(isinstance(model, dict), "model", "an object", model)
    if "dims" in model:
        raise PackedError("expected a model, found tables of plain arrays, which PlainTables reads")
    for key in ("vocabulary_sha256", "identity", *(["order"] if "order" in model else [])):
        _expect(isinstance(model.get(key), str), key, "a text", model.get(key))
    fields, sizes = _fields(model)
    dim, hidden = _widths(model)
    shapes = _rest(model, len(fields), dim, hidden, tensors)
    for name, shape in shapes.items():
        _compare(name, shape, tensors)  # afterwards X is to be believed
    for table, width in zip(TABLES if model["model"] == "deepfm" else TABLES[:1], (dim, 1), strict=False):
        made = (
            _groups(table, sizes, width, tensors) if GROUPS in tensors else _table(table, fields, sizes, width, tensors)
        )
        for name, shape in (made | {f"unknown.{table}": (len(fields), width)}).items():
            _compare(name, shape, tensors)
            shapes[name] = shape
    _expect(len(tensors) == len(shapes), "tensors", "no others", sorted(set(tensors) - set(shapes)))
    for table in TABLES:
        for field in fields:
            if f"{table}.codes.{field}" in tensors:
                _check_codes(f"{table}.codes.{field}", tensors, k=shapes[f"{table}.centroids.{field}"][1])


def check_plain(about: Any, tensors: Tensors) -> None:
    """Refuse a file whose tensors are not exactly the tables of groups that its header describes.

    Args:
        about: the header's description, not yet trusted: ``fields``, ``sizes`` and ``dims``, the X of each table.
        tensors: of the file.

    Raises:
        PackedError: one sentence that names the part that is wrong.
    """
    _expect(isinstance(about, dict), "model", "an object", about)
    if "mlp" in about:
        raise PackedError("expected tables of plain arrays, found a model, which PackedModel and load read")
    _, sizes = _fields(about)
    dims: Any = about.get("dims")
    holds = isinstance(dims, dict) and _are(int, [*dims.values()]) and min(dims.values()) > 0
    _expect(holds, "dims", "a whole number above 0 of each table", dims)
    features = sum(sizes)
    shapes: Shapes = {}  # of what leads from one's own ids to the file's: tiers, in older files places or nothing
    if PLAIN_TIERS in tensors:
        shapes[PLAIN_TIERS] = (math.ceil(features * TIER_BITS / 8),)
    elif PLACES in tensors:
        shapes[PLACES] = (features,)
    for table, dim in dims.items():
        shapes |= _groups(table, sizes, dim, tensors)
    for name, shape in shapes.items():
        _compare(name, shape, tensors, SHARED.get(name) or TYPES[name.rsplit(".", 1)[-1]])
    _expect(len(tensors) == len(shapes), "tensors", "no others", sorted(set(tensors) - set(shapes)))
    if PLAIN_TIERS in tensors:
        made = group_sizes(sizes, tiers_of(tensors, features)).tolist()
        _expect(made == tensors[GROUPS].tolist(), PLAIN_TIERS, f"groups of {tensors[GROUPS].tolist()} features", made)
    for first, size in zip(np.cumsum([0, *sizes[:-1]]), sizes, strict=True) if PLACES in tensors else ():
        found = np.sort(tensors[PLACES][first : first + size])
        holds = bool((found == np.arange(first, first + size)).all())
        _expect(holds, PLACES, f"each from {first} to {first + size - 1} once", found)


def tiers_of(tensors: Tensors, features: int) -> NDArray[np.uint8]:
    """Tiers of the features of plain arrays: uint8 ``[N]``."""
    found = np.empty(features, np.uint8)
    for start in range(0, features, CHUNK):
        where = np.arange(start, min(start + CHUNK, features))
        found[where] = unpack(tensors[PLAIN_TIERS], TIER_BITS, where)
    return found


def _expect(holds: bool, what: str, expected: str, found: object) -> None:
    if not holds:
        named = what if what.isprintable() and len(what) < 80 else shortened(what)
        raise PackedError(f"{named}: expected {expected}, found {shortened(found)}")


def _are(kind: type, values: object) -> bool:
    """Whether these are a list, not empty, of this very type: True is no whole number here."""
    return isinstance(values, list) and bool(values) and all(type(each) is kind for each in values)


def _fields(model: Mapping[str, Any]) -> tuple[list[str], list[int]]:
    fields: Any = model.get("fields")
    sizes: Any = model.get("sizes")
    _expect(_are(str, fields) and len(set(fields)) == len(fields), "fields", "names, all different", fields)
    _expect(_are(int, sizes) and len(sizes) == len(fields), "sizes", f"{len(fields)} whole numbers", sizes)
    _expect(min(sizes) > 0 and sum(sizes) <= MOST_FEATURES, "sizes", f"1 to {MOST_FEATURES} in all", sizes)
    return fields, sizes


def _widths(model: Mapping[str, Any]) -> tuple[int, list[int]]:
    """X and the widths of the hidden layers, as the configuration has them."""
    kind: Any = model.get("model")
    config: Any = model.get("config")
    _expect(kind in MODELS, "model", ", ".join(MODELS), kind)
    _expect(isinstance(config, dict) and config.get("model") == kind, "config", f"that of a {kind}", config)
    dim, hidden = config.get("embedding_dim"), config.get("hidden")
    _expect(type(dim) is int and 0 < dim <= MOST_FEATURES, "config.embedding_dim", f"1 to {MOST_FEATURES}", dim)
    holds = _are(int, hidden) and 0 < min(hidden) <= max(hidden) <= MOST_FEATURES
    _expect(holds, "config.hidden", f"whole numbers from 1 to {MOST_FEATURES}", hidden)
    return dim, hidden


def _layers(mlp: Any, hidden: int, *, last: bool) -> list[tuple[str, int]]:
    """Kind and place of each layer: linear, BatchNorm in all or none, ReLU, as often as there are hidden layers."""
    _expect(_are(list, mlp) and all(len(each) == 2 for each in mlp), "mlp", "pairs of kind and place", mlp)
    kinds, places = map(list, zip(*mlp, strict=True))
    hidden_layer = ["linear", "batchnorm", "relu"] if "batchnorm" in kinds else ["linear", "relu"]
    expected = hidden_layer * hidden + ["linear"] * last
    _expect(kinds == expected, "mlp", f"the {len(expected)} layers of this model", kinds)
    _expect(_are(int, places) and places == sorted({0, *places}), "mlp", "places that rise from 0", places)
    return list(zip(kinds, places, strict=True))


def _rest(model: Mapping[str, Any], fields: int, dim: int, hidden: list[int], tensors: Tensors) -> Shapes:
    """Shapes of all that is no table."""
    kind, inputs = model["model"], fields * dim
    shapes: Shapes = {"rest.bias": (1,)} if kind == "deepfm" else {}
    if kind == "dcn":
        for layer in range(sum(name.startswith("rest.cross.biases.") for name in tensors)):
            shapes |= {f"rest.cross.weights.{layer}.weight": (1, inputs), f"rest.cross.biases.{layer}": (inputs,)}
        shapes |= {"rest.last.weight": (1, inputs + hidden[-1]), "rest.last.bias": (1,)}
    products = fields * (fields - 1) // 2 if kind == "pnn" else 0
    layers = _layers(model.get("mlp"), len(hidden), last=kind != "dcn")
    return shapes | _mlp(layers, [inputs + products, *hidden, 1])


def _mlp(layers: list[tuple[str, int]], widths: list[int]) -> Shapes:
    """Shapes of an MLP's tensors; ``widths`` are those before its first linear layer and after each."""
    shapes: Shapes = {}
    below = 0
    for kind, place in layers:
        if kind == "linear":
            shapes[f"rest.mlp.{place}.weight"] = widths[below + 1], widths[below]
            shapes[f"rest.mlp.{place}.bias"] = (widths[below + 1],)
            below += 1
        if kind == "batchnorm":
            parts = ("weight", "bias", "running_mean", "running_var")
            shapes |= {f"rest.mlp.{place}.{part}": (widths[below],) for part in parts}
    return shapes


def _table(table: str, fields: list[str], sizes: list[int], dim: int, tensors: Tensors) -> Shapes:
    """Shapes of a table's tensors; how many features are coded its bitmap alone can tell."""
    coded = _coded(f"{table}.low", sizes, tensors)
    rows = sum(sizes) - sum(coded)
    shapes: Shapes = {f"{table}.low": (math.ceil(sum(sizes) / 8),), f"{table}.kept": (rows, dim)}
    if f"{table}.kept" in tensors and tensors[f"{table}.kept"].dtype == np.int8:
        shapes[f"{table}.scale"] = rows, 1
    for field, count in zip(fields, coded, strict=True):
        if count:
            name = f"{table}.centroids.{field}"
            found = tensors[name].shape if name in tensors else ()
            holds = len(found) == 3 and found[0] > 0 and dim % found[0] == 0 and 0 < found[1] <= MOST_CENTROIDS
            _expect(holds, name, f"[D, K, {dim}/D] with K of at most {MOST_CENTROIDS}", found)
            d, k, _ = found
            shapes[name] = d, k, dim // d
            shapes[f"{table}.codes.{field}"] = (math.ceil(count * d * bits_for(k) / 8),)
    return shapes


def _groups(table: str, sizes: list[int], dim: int, tensors: Tensors) -> Shapes:
    """Shapes of a table of groups: each of some features of one field, each stored in a way that there is."""
    count = len(tensors.get(GROUPS, np.zeros(0)).ravel())
    shapes: Shapes = {GROUPS: (count,), f"{table}.option": (count,)}
    for name, shape in shapes.items():
        _compare(name, shape, tensors, SHARED.get(name, ("uint8",)))
    groups = tensors[GROUPS].tolist()
    _expect(bool(groups) and min(groups) > 0, GROUPS, "numbers of features above 0", groups)
    _expect(set(np.cumsum(sizes)) <= set(np.cumsum(groups)), GROUPS, "groups of one field each", groups)
    _expect(sum(groups) == sum(sizes), GROUPS, f"the {sum(sizes)} features of all fields", sum(groups))
    most = int(np.bincount(np.searchsorted(np.cumsum(sizes), np.cumsum(groups))).max())
    allowed = min(MOST_OF_A_FIELD, MOST_GROUPS // len(sizes))
    _expect(most <= allowed, GROUPS, f"at most {allowed} groups of a field", most)
    try:
        ends = layout(groups, tensors[f"{table}.option"].tolist(), dim)[-1]
    except (ValueError, OverflowError) as error:  # a table of plain arrays may have any X
        raise PackedError(f"{table}.option: {error}") from error
    return shapes | {f"{table}.codes": (int(ends[BIT]) // 8,), f"{table}.numbers": (int(ends[NUMBER]),)}


def _coded(name: str, sizes: list[int], tensors: Tensors) -> list[int]:
    """Number of coded features of each field."""
    features = sum(sizes)
    _compare(name, (math.ceil(features / 8),), tensors)
    bits = np.unpackbits(tensors[name], bitorder="little")
    _expect(not bits[features:].any(), name, f"no bit beyond the {features} of the features", "one")
    starts = np.cumsum([0, *sizes[:-1]])
    return np.add.reduceat(bits[:features], starts, dtype=np.int64).tolist()


def _compare(name: str, shape: tuple[int, ...], tensors: Tensors, types: tuple[str, ...] = ()) -> None:
    """Refuse a tensor that is missing, of another type or shape, not finite, or a variance below 0."""
    part = name.split(".")[1] if name.startswith(TABLES) else ""
    types = types or SHARED.get(name) or TYPES.get(part, ("float32",))
    found = tensors.get(name, np.zeros(0, bool))
    _expect(found.dtype.name in types, name, " or ".join(types), found.dtype.name if name in tensors else "nothing")
    _expect(found.shape == shape, name, str(list(shape)), list(found.shape))
    if found.dtype.kind == "f":
        ends = found.min(initial=0), found.max(initial=0)  # without a copy, which of a large table would be too much
        _expect(bool(np.isfinite(ends).all()), name, "finite numbers", [float(end) for end in ends])
        variance = name.startswith("rest.") and name.endswith("running_var")
        _expect(ends[0] >= 0 or not variance, name, "no variance below 0", float(ends[0]))


def _check_codes(name: str, tensors: Tensors, k: int) -> None:
    """Refuse a code of K or more, which the bits of a code can hold where K is not a power of 2."""
    b, codes = bits_for(k), tensors[name]
    count = 0 if k == 1 << b else len(codes) * 8 // b
    for start in range(0, count, CHUNK):
        largest = int(unpack(codes, b, np.arange(start, min(start + CHUNK, count))).max())
        _expect(largest < k, name, f"codes below {k}", largest)
