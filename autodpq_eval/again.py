"""The same draws trained twice: Random's run of Table 1, and the first draws of the long run of Figure 3."""

from __future__ import annotations

from autodpq_runs.record import Record


def beside(short: Record, long: Record) -> tuple[float, float]:
    """Test AUC of the long run, had it stopped after the short run's draws; and how far two trainings of a draw differ.

    The first is of the draw that is best on validation. The second is the largest difference, over the draws, between
    the best validation AUCs of a draw's two trainings.

    Raises:
        ValueError: the long run begins with other draws.
    """
    draws = long.fits[: len(short.fits)]
    if [log.decision for log in draws] != [log.decision for log in short.fits]:
        raise ValueError(f"{long.config.name()}: expected the draws of {short.config.name()} first, found others")
    names = {log.name for log in draws}
    best = max((point for point in long.timeline if point.fit in names), key=lambda point: point.valid.auc)
    pairs = zip(short.fits, draws, strict=True)
    gaps = [abs(max(one.curve["valid_auc"]) - max(other.curve["valid_auc"])) for one, other in pairs]
    return best.test.auc, max(gaps)
