"""A pydantic model that takes nothing for anything else, and its refusal in one sentence."""

from __future__ import annotations

from reprlib import repr as shortened

from pydantic import BaseModel, ConfigDict, ValidationError


class Strict(BaseModel):
    """Base of all that a record consists of: no text for a number, no NaN, no unknown key."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


def sentence(error: ValidationError) -> str:
    """The first thing that is wrong: ``key: expected ..., found ...``."""
    first = error.errors()[0]
    where = [".".join(str(part) for part in first["loc"])] if first["loc"] else []
    said = first["msg"].removeprefix("Value error, ").replace("Input should be", "expected")
    found = "" if first["type"] in ("missing", "value_error") else f", found {shortened(first['input'])}"
    return one_line(": ".join([*where, said]) + found)


def one_line(text: str) -> str:
    """The text on one line: what is quoted in it from outside may have line ends, or move a terminal's cursor."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
