"""A warning for every movement beyond what is allowed today, and only one for each."""

from __future__ import annotations

import pytest

from analytics.domain.live import CueLevel
from device_gateway.session.movement_limit import MovementLimit


def warnings(limit_deg: float, excursions_deg: list[float]) -> list[int]:
    limit = MovementLimit(limit_deg)
    return [k for k, excursion_deg in enumerate(excursions_deg) if limit.check(excursion_deg)]


@pytest.mark.parametrize(
    ("excursions_deg", "warned_at"),
    [
        ([0, 40, 60, 30, 0], []),
        ([0, 40, 61, 70, 62, 0], [2]),
        ([0, 61, 0, 61, 0], [1, 3]),
        ([61, 58, 61, 56, 63], [0]),
        ([61, 54, 61], [0, 2]),
    ],
)
def test_each_movement_beyond_the_limit_warns_once(excursions_deg: list[float], warned_at: list[int]) -> None:
    assert warnings(60.0, excursions_deg) == warned_at


def test_the_warning_names_the_limit() -> None:
    cue = MovementLimit(60.0).check(60.5)
    assert cue is not None
    assert (cue.code, cue.text, cue.level) == ("movement_limit", "Not further than 60° today.", CueLevel.WARN)
