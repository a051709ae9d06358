"""What the tracker finds wrong is heard by the patient, in words."""

from __future__ import annotations

import dataclasses

import pytest
from talking import RATE_HZ, SHANK, THIGH, Told, alone, body, dose, move

from analytics.motion.repetition import NotCounted, Reason
from analytics.motion.worn import SensorNote
from analytics.simulation import faults
from device_gateway.session.judging import cue_of


@pytest.fixture
def told() -> Told:
    return Told()


async def test_a_sensor_in_wrong_units_is_named(told, invented) -> None:
    wearing = body(4)
    spoilt = dataclasses.replace(wearing, sensors=faults.in_degrees(wearing.sensors, [SHANK]))
    session = alone(invented, told, dose(sets=1, repetitions=4))
    move(session, spoilt)
    assert told.codes().count("sensor_unusable") == 1


def test_what_is_only_for_the_report_is_not_said() -> None:
    assert cue_of(SensorNote(THIGH, 1.0, "2 samples were missing.", aloud=False)) is None
    cue = cue_of(NotCounted(1.0, 1.0 + 1 / RATE_HZ, Reason.TOO_SHORT, 40.0, 60.0))
    assert cue is not None
    assert cue.text == "Not counted: stopped at 40°, target 60°."
