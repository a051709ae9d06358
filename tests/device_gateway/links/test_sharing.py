"""Who has lost the clock that sensors share is told, while somebody shares it."""

from __future__ import annotations

import pytest

from analytics.domain.exercise import Segment
from device_gateway.conditions import Conditions, Trouble
from device_gateway.links.sharing import Sharing

THIGH, SHANK, KNEE = (f"C1:00:00:00:00:0{number}" for number in (1, 2, 3))


@pytest.fixture
def conditions() -> Conditions:
    return Conditions()


@pytest.fixture
def sharing(conditions: Conditions) -> Sharing:
    sharing = Sharing(conditions)
    for address in (THIGH, SHANK, KNEE):
        sharing.shares(address)
    return sharing


def test_who_has_lost_it_is_named_until_it_shares_again(conditions: Conditions, sharing: Sharing) -> None:
    assert conditions.now() == ()
    sharing.has_lost(SHANK, Segment.RIGHT_SHANK)
    sharing.has_lost(KNEE, Segment.LEFT_SHANK)
    (condition,) = conditions.now()
    assert condition.code == Trouble.SENSORS_APART
    assert condition.sentence.startswith(
        "The sensor on the right shank and the sensor on the left shank lost the clock"
    )
    assert "synchronise them anew" in condition.sentence
    sharing.shares(SHANK)
    assert conditions.now()[0].sentence.startswith("The sensor on the left shank lost")
    sharing.shares(KNEE)
    assert conditions.now() == ()


def test_it_stands_in_the_next_session_while_the_others_share(conditions: Conditions, sharing: Sharing) -> None:
    sharing.has_lost(SHANK, Segment.RIGHT_SHANK)
    sharing.is_alone(SHANK)
    sharing.shares(THIGH)
    assert [condition.code for condition in conditions.now()] == [Trouble.SENSORS_APART]


def test_sensors_that_were_all_switched_off_share_nothing_that_one_could_have_lost(
    conditions: Conditions, sharing: Sharing
) -> None:
    sharing.has_lost(SHANK, Segment.RIGHT_SHANK)
    for address in (THIGH, SHANK, KNEE):
        sharing.is_alone(address)
    assert conditions.now() == ()


def test_who_is_worn_no_more_is_forgotten(conditions: Conditions, sharing: Sharing) -> None:
    sharing.has_lost(KNEE, Segment.LEFT_SHANK)
    assert conditions.now() != ()
    sharing.only([THIGH, SHANK, "C1:00:00:00:00:04"])
    assert conditions.now() == ()
