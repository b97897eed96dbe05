"""The minutes that are left, by hand."""

import pytest

from scripts.progress import minutes_left


@pytest.mark.parametrize(
    ("ended", "waiting", "jobs", "left"),
    [
        ([], [(2, 0), (4, 0)], 2, 4),  # the longest one decides
        ([], [(2, 0)] * 4, 2, 4),
        ([], [(2, 1), (2, 0)], 1, 3),
        ([(2, 3)], [(2, 0)] * 2, 1, 6),  # half as long again as expected
        ([(2, 1)], [(2, 0)] * 2, 1, 2),
        ([], [(2, 4), (2, 0)], 1, 4),  # at work and late: it may end now, and the next takes as long
        ([(2, 2)], [], 2, 0),
    ],
)
def test_what_is_left_goes_on_at_the_pace_so_far(ended, waiting, jobs, left):
    assert minutes_left(ended, waiting, jobs) == pytest.approx(left)
