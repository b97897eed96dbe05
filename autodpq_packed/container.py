"""The container, from bytes to named arrays: the safetensors format, signed. NumPy and the standard library alone.

8 bytes, the length n of the header as a little-endian integer; n bytes of JSON, which gives dtype, shape and place of
each tensor and, under ``__metadata__``, the texts ``format``, ``sha256`` and ``model``; then the tensors' bytes,
without gap or overlap. ``sha256`` is the digest of the whole file with the 64 digits of the digest itself set to 0. It
finds accidents; it is no proof of origin, for anyone can sign.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodpq_system.strict_json import loads

#: Format 3 has tables of groups beside those of format 2, which are as they were.
FORMAT, READABLE = "autodpq-packed/3", ("autodpq-packed/2", "autodpq-packed/3")
DTYPES: dict[str, np.dtype[Any]] = {
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "I32": np.dtype("<i4"),
    "I8": np.dtype("i1"),
    "U8": np.dtype("u1"),
}
Tensors = dict[str, NDArray[Any]]
SHA256_DIGITS = 64  # of a sha256
#: Ending of the file beside it, with the raw values.
VOCABULARY = ".vocabulary.json"
#: Bytes of a header; one of 24 fields has some 10,000.
HEADER_LIMIT = 2**20


class PackedError(ValueError):
    """The file is not a packed model, or not as it was written; or what is to be scored is no sample of it."""


def unpack_file(raw: bytes) -> tuple[Any, Tensors]:
    """What the header says of the model, as yet unchecked, and the tensors, which are views of ``raw``.

    Raises:
        PackedError: truncated, altered, or something else.
    """
    length = int.from_bytes(raw[:8], "little")
    if not 0 < length <= min(len(raw) - 8, HEADER_LIMIT):
        raise PackedError("expected a packed model, found something else or a part of one")
    try:
        header = loads(raw[8 : 8 + length])
        about = header.pop("__metadata__")
        _check_digest(raw, about)
        return loads(about["model"]), _tensors(header, memoryview(raw)[8 + length :])
    except PackedError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise PackedError("expected a packed model, found something else or a part of one") from error


def unpack_checked(path: Path, check: Callable[[Any, Tensors], None]) -> tuple[Any, Tensors]:
    """Header and tensors of a file, read by :func:`unpack_file` and accepted by ``check``.

    Raises:
        PackedError: one of the two refuses the file; the message names it.
    """
    try:
        about, tensors = unpack_file(path.read_bytes())
        check(about, tensors)
    except PackedError as error:
        raise PackedError(f"{path}: {error}") from error
    return about, tensors


def _check_digest(raw: bytes, about: Mapping[str, str]) -> None:
    if about["format"] not in READABLE:
        raise PackedError(f"expected format {' or '.join(READABLE)}, found {about['format']!r:.40}")
    digest = about["sha256"].encode()
    place = raw.index(b'"' + digest + b'"') + 1
    content = hashlib.sha256(raw[:place] + b"0" * SHA256_DIGITS)
    content.update(memoryview(raw)[place + SHA256_DIGITS :])
    if len(digest) != SHA256_DIGITS or content.hexdigest().encode() != digest:
        raise PackedError(f"expected the content that sha256 {about['sha256'][:12]!r} names, found another")


def _tensors(header: Mapping[str, Mapping[str, Any]], data: memoryview) -> Tensors:
    """The tensors, in the order of their bytes; each byte must belong to exactly one tensor."""
    found: Tensors = {}
    end = 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        dtype, shape, (start, stop) = DTYPES[entry["dtype"]], entry["shape"], entry["data_offsets"]
        if any(type(n) is not int or n < 0 for n in (*shape, start, stop)):
            raise PackedError(f"tensor {name!r:.80}: expected shape and place in whole numbers, found others")
        if start != end or stop - start != math.prod(shape) * dtype.itemsize or stop > len(data):
            raise PackedError(f"tensor {name!r:.80}: expected bytes of its own, as many as its shape has, found others")
        found[name] = np.frombuffer(data[start:stop], dtype=dtype).reshape(shape)
        end = stop
    if end != len(data):
        raise PackedError(f"expected {end} bytes of tensors, found {len(data)}")
    return found
