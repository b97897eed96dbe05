"""Write ``data/recbole/ml-1m.parquet``: MovieLens-1M as RecBole's benchmark of context-aware models takes it.

Ratings of 3 are dropped, 4 and 5 are positive; seven fields, without the zip code (``RUCAIBox/RecBole``,
``asset/hyper_tune_configs/context/ml-1m_context.md``). ``config/ml-1m-recbole.yaml`` makes a data set of it, with that
page's batch and embedding size, and RecBole's own defaults for DeepFM. It is a test of the training loop: nobody here
tuned it.
"""

from __future__ import annotations

import sys

import polars as pl

from autodpq_data.prepared import raw_table
from autodpq_system.atomic import atomic_path
from autodpq_system.paths import data_roots
from autodpq_system.sentence import Parser

FIELDS = ("user", "movie", "age", "gender", "occupation", "genre", "year")


def main(arguments: list[str] | None = None) -> int:
    """Read, choose rows and columns, write."""
    Parser(description=__doc__).parse_args(arguments)
    with atomic_path(data_roots()[-1] / "recbole" / "ml-1m.parquet") as path:
        choose(raw_table("ml-1m")).write_parquet(path)
    return 0


def choose(ratings: pl.DataFrame) -> pl.DataFrame:
    """The seven fields, and whether a rating is above 3, of those that are not 3."""
    kept = ratings.filter(pl.col("rating") != "3")
    return kept.select(*FIELDS, positive=pl.col("rating").is_in(["4", "5"]))


if __name__ == "__main__":
    sys.exit(main())
