"""Configurations of another strategy and width that are alike in all else: of the teacher, of what it teaches."""

from __future__ import annotations

from autodpq_lib.config import READ_BY, RunConfig

#: Name of the strategy that is FE, taught; and width X of the FE that teaches, by which all are measured.
TAUGHT, TEACHER_DIM = "taught", 16
#: Keys in which what a run starts from is not like the run.
NOT_INHERITED = ("options", "embedding_dim", "strategy", "subspaces", "reading")


def like(config: RunConfig, strategy: str, dim: int) -> RunConfig:
    """Another strategy of width ``dim``; in all else that every strategy reads as ``config`` has it."""
    named = {key: getattr(config, key) for key in ("dataset", "recipe", "model", "seed")}
    same = {key: value for key, value in config.changed().items() if key not in NOT_INHERITED and key not in READ_BY}
    return RunConfig.model_validate(named | same | {"strategy": strategy} | keys_of_width(config.dataset, dim))


def keys_of_width(dataset: str, dim: int) -> dict[str, object]:
    """What a configuration without quantisers says of X: the subspaces, which it has too, must divide it.

    An X that is no multiple of 8 has one subspace; another has those of the data set that divide it, or one.
    """
    usual = RunConfig(dataset=dataset, strategy="fe").subspaces
    fit = tuple(parts for parts in usual if dim % parts == 0) if dim % 8 == 0 else ()
    fit = fit or (1,)
    return {"embedding_dim": dim, **({} if fit == usual else {"subspaces": fit})}
