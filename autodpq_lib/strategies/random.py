"""Random: the best of some decisions drawn at random, a pair for each field."""

from __future__ import annotations

import sys
from random import Random

from autodpq_data.schema import Schema
from autodpq_lib.config import Decision, RunConfig
from autodpq_lib.strategies.trials import try_decisions
from autodpq_lib.training.fit import Fit
from autodpq_lib.training.run import Run
from autodpq_system.seeding import seed_for


def random(run: Run) -> list[Fit]:
    """Random, baseline 4 of section 4.2: ``config.draws`` distinct decisions."""
    return try_decisions(run, random_decisions(run.config, run.schema))


def random_decisions(config: RunConfig, schema: Schema) -> list[Decision]:
    """Distinct decisions, drawn without replacement from all T^F of the F fields with low-frequency features."""
    pairs, fields = config.candidates, schema.low_fields
    total = len(pairs) ** len(fields)
    numbers = _distinct(Random(seed_for(config.seed, "draws")), total, min(config.draws, total))
    return [
        {name: pairs[number // len(pairs) ** m % len(pairs)] for m, name in enumerate(fields)} for number in numbers
    ]


def _distinct(random: Random, total: int, count: int) -> list[int]:
    """``count`` distinct numbers below ``total``: a T^F of many fields is above 2^63, where ``random.sample`` fails."""
    if total <= sys.maxsize:
        return random.sample(range(total), count)
    found: dict[int, None] = {}
    while len(found) < count:
        found[random.randrange(total)] = None
    return list(found)
