"""A pydantic model that converts nothing and stays as it is."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """Base of all that a record consists of: no text for a number, no NaN, no unknown key, no change once read."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)
