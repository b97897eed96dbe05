"""Structure-aware mutations: of JSON, and of packed files, which are laid out and signed again as if nothing were."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from autodpq_packed.container import DTYPES, FORMAT, SHA256_DIGITS

Path = tuple[Any, ...]
#: What replaces a value: the edges of types, of ranges and of memory.
HOSTILE: tuple[Any, ...] = (
    *(0, -1, 1, 2, 3, 7, 255, 256, 10**5, 2**31 - 1, 2**31, 2**63, 2**64, 10**30, 0.5, -0.5, 1.5, 1e308, float("nan")),
    *(float("inf"), True, False, None, "", "x", "0.5", "deepfm", "pnn", "dcn", "linear", "\n", "\x00", "ü" * 300),
    *([], {}, [[]], [1], [10**5, 10**5], ["a"], {"a": 1}),
)
#: Names that other tensors have, and that none has.
NAMES = (
    *("embedding.codes.b", "embedding.scale", "first_order.kept", "rest.bias", "x", ""),
    *("groups", "embedding.option", "first_order.numbers"),
)
WIDTHS = {name: dtype.itemsize for name, dtype in DTYPES.items()}


def mutated_json(value: Any, rng: Random) -> Any:
    """A copy with one place changed: replaced by something hostile, nudged, taken away or doubled."""
    made = {"": copy.deepcopy(value)}
    *way, last = rng.choice(list(_places(made)))
    holder: Any = made
    for key in way:
        holder = holder[key]
    kind = rng.randrange(4)
    if kind == 0 and len(way):
        del holder[last]
    elif kind == 1 and type(holder[last]) in (int, float):
        holder[last] += rng.choice((-1, 1, -0.25, 8))
    elif kind == 2 and isinstance(holder, list):
        holder.insert(last, copy.deepcopy(holder[last]))
    else:
        holder[last] = copy.deepcopy(rng.choice(HOSTILE))
    return made[""]


def _places(value: Any, way: Path = ()) -> Iterator[Path]:
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield (*way, key)
        yield from _places(value[key], (*way, key))


@dataclass
class Tensor:
    """A tensor of a packed file: what the header will say of it, and its bytes."""

    name: str
    dtype: str
    shape: list[Any]
    content: bytes


@dataclass
class Parts:
    """A packed file taken apart."""

    about: Any
    tensors: list[Tensor]

    @staticmethod
    def of(raw: bytes) -> Parts:
        """Take a sound file apart."""
        begin = 8 + int.from_bytes(raw[:8], "little")
        header = json.loads(raw[8:begin])
        about = json.loads(header.pop("__metadata__")["model"])
        tensors = [
            Tensor(name, entry["dtype"], entry["shape"], raw[slice(*(begin + n for n in entry["data_offsets"]))])
            for name, entry in header.items()
        ]
        return Parts(about, tensors)

    def entries(self) -> dict[str, dict[str, Any]]:
        """The header's entry of each tensor, one after the other in the file."""
        found, end = {}, 0
        for each in self.tensors:
            found[each.name] = {
                "dtype": each.dtype,
                "shape": each.shape,
                "data_offsets": [end, end + len(each.content)],
            }
            end += len(each.content)
        return found

    def signed(self, header: dict[str, Any] | None = None) -> bytes:
        """The file again, with its digest."""
        said = {"format": FORMAT, "model": json.dumps(self.about), "sha256": "0" * SHA256_DIGITS}
        text = json.dumps({"__metadata__": said} | (self.entries() if header is None else header)).encode()
        raw = len(text).to_bytes(8, "little") + text + b"".join(each.content for each in self.tensors)
        return raw.replace(b"0" * SHA256_DIGITS, hashlib.sha256(raw).hexdigest().encode(), 1)


def mutated_file(raw: bytes, rng: Random) -> bytes:
    """A packed file with one to three things wrong, signed again but for one in twenty."""
    parts = Parts.of(raw)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        rng.choice(CHANGES)(parts, rng)
    header = None
    if rng.random() < 0.1:
        header = mutated_json(parts.entries(), rng)
    made = parts.signed(header if isinstance(header, dict) else None)
    return _damaged(made, rng) if rng.random() < 0.05 else made


def _damaged(raw: bytes, rng: Random) -> bytes:
    """Truncated, with another length of the header, or with other bytes at one place."""
    kind, place = rng.randrange(3), rng.randrange(len(raw))
    if kind == 0:
        return raw[:place]
    if kind == 1:
        return rng.choice((0, 1, len(raw), 2**40, 2**63, 2**64 - 1)).to_bytes(8, "little") + raw[8:]
    return raw[:place] + rng.randbytes(4) + raw[place + 4 :]


def _whole(shape: Any) -> bool:
    """Whether no change before this one has made the shape something else."""
    return isinstance(shape, list) and bool(shape) and all(type(n) is int and n > 0 for n in shape)


def _about(parts: Parts, rng: Random) -> None:
    parts.about = mutated_json(parts.about, rng)


def _shape(parts: Parts, rng: Random) -> None:
    """Another shape over the same bytes."""
    each, kind = rng.choice(parts.tensors), rng.randrange(4)
    if not _whole(each.shape):
        return
    if kind == 0:
        each.shape = each.shape[::-1]
    elif kind == 1:
        each.shape = [*each.shape, 1]
    elif kind == 2 and len(each.shape) > 1:
        each.shape = [each.shape[0] * each.shape[1], *each.shape[2:]]
    else:
        each.shape = mutated_json(each.shape, rng)


def _rows(parts: Parts, rng: Random) -> None:
    """More or fewer rows, shape and bytes agreeing."""
    each = rng.choice(parts.tensors)
    if not _whole(each.shape):
        return
    row, rows = len(each.content) // each.shape[0], max(each.shape[0] + rng.choice((-2, -1, 1, 2, 100)), 0)
    each.shape = [rows, *each.shape[1:]]
    each.content = (each.content + rng.randbytes(max(row * rows - len(each.content), 0)))[: row * rows]


def _content(parts: Parts, rng: Random) -> None:
    """Other bytes: all zeros, all ones, one bit, or at random."""
    each = rng.choice(parts.tensors)
    n = len(each.content)
    flipped = int.from_bytes(each.content, "little") ^ 1 << rng.randrange(max(8 * n, 1))
    ways = (bytes(n), b"\xff" * n, rng.randbytes(n), (flipped & (1 << 8 * n) - 1).to_bytes(n, "little"))
    each.content = rng.choice(ways)


def _bitmap(parts: Parts, rng: Random) -> None:
    """The bits that say which features are coded: what all indices follow from."""
    each = rng.choice([each for each in parts.tensors if each.name.endswith(".low")] or parts.tensors)
    _content(Parts(None, [each]), rng)


def _groups(parts: Parts, rng: Random) -> None:
    """A group stored as another is, or some of its features given to another: what all indices follow from."""
    found = [each for each in parts.tensors if each.name == "groups" or each.name.endswith(".option")]
    if not found:
        _bitmap(parts, rng)
        return
    each = rng.choice(found)
    content, width = bytearray(each.content), 4 if each.name == "groups" else 1
    if len(content) < width:
        return
    a, b = (width * rng.randrange(len(content) // width) for _ in range(2))
    if width == 1:
        content[a] = rng.choice((content[b], rng.randrange(256)))
    else:  # the least significant bytes of two numbers
        content[a], content[b] = (content[a] + 1) % 256, (content[b] - 1) % 256
    each.content = bytes(content)


def _dtype(parts: Parts, rng: Random) -> None:
    """Another type, half of the time with as many bytes as it asks for."""
    each = rng.choice(parts.tensors)
    before, each.dtype = each.dtype, rng.choice([*WIDTHS, "F64", "I64", "BOOL", ""])
    if each.dtype in WIDTHS and before in WIDTHS and rng.random() < 0.5:
        n = len(each.content) // WIDTHS[before] * WIDTHS[each.dtype]
        each.content = (each.content * 4)[:n]


def _names(parts: Parts, rng: Random) -> None:
    """A tensor taken away, doubled under another name, or renamed; or two that change names."""
    kind, each, other = rng.randrange(4), rng.choice(parts.tensors), rng.choice(parts.tensors)
    if kind == 0 and len(parts.tensors) > 1:
        parts.tensors.remove(each)
    elif kind == 1:
        parts.tensors.append(Tensor(f"{each.name}.more", each.dtype, each.shape, each.content))
    elif kind == 2:
        each.name = rng.choice(NAMES)
    else:
        each.name, other.name = other.name, each.name


def _sizes(parts: Parts, rng: Random) -> None:
    """A field with more or fewer features than its tensors have, or two fields that change places."""
    try:
        sizes, m = parts.about["sizes"], rng.randrange(len(parts.about["sizes"]))
        sizes[m] += rng.choice((-1, 1, 8, 10**6))
        if rng.random() < 0.3:
            sizes.reverse()
    except (TypeError, KeyError, ValueError, IndexError, AttributeError):  # another change was here before
        _about(parts, rng)


CHANGES: tuple[Callable[[Parts, Random], None], ...] = (
    *(_about, _about, _shape, _rows, _rows, _content, _content, _bitmap, _groups, _dtype, _names, _sizes),
)
