"""A simulated person shows the range they have, however many repetitions there are to choose the best from."""

from statistics import median

import numpy as np
import pytest

from analytics.exercises.catalogue import exercise as exercise_named
from demo.motion import simulated_body

EXERCISE = exercise_named("knee.extension.seated")


@pytest.mark.parametrize("range_deg", [40.0, 70.0, 90.0])
def test_the_best_three_show_the_range_and_none_bends_backwards(range_deg: float) -> None:
    rng = np.random.default_rng(8)
    for _ in range(5):
        body = simulated_body(EXERCISE, 24, range_deg, rng)
        excursions = sorted(repetition.excursion_deg for repetition in body.repetitions)
        assert range_deg - 5 < median(excursions[-3:]) <= range_deg + 1e-9
        assert body.flexion_deg.min() > -1e-6, "0° is a straight knee"
        if range_deg < 80:
            assert median(excursions[-3:]) == pytest.approx(range_deg)


def test_session_after_session_what_is_shown_feeds_no_drift() -> None:
    """The measured range of one session as the ability in the next: even so it must stay where it was."""
    rng = np.random.default_rng(8)
    range_deg = 70.0
    for _ in range(8):
        body = simulated_body(EXERCISE, 12, range_deg, rng)
        range_deg = median(sorted(repetition.excursion_deg for repetition in body.repetitions)[-3:])
    assert range_deg == pytest.approx(70.0)
