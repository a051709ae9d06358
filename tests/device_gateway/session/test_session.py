"""What counts in a session, and what its listeners are told: fed with a simulated body's samples, no radio between."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.domain.exercise import Segment
from analytics.domain.live import Command, CueEvent, LiveEvent, SessionState, StateEvent
from analytics.domain.program import Dose
from analytics.domain.session import PainMoment, Zero
from analytics.signals.samples import ImuSamples
from analytics.simulation.body import SimulatedBody, seated_knee_extensions
from device_gateway.live.hub import LiveHub
from device_gateway.session.exercise_session import ExerciseSession
from device_gateway.session.scoring import exercise_session

RATE_HZ = 50.0
SEGMENTS = (Segment.RIGHT_THIGH, Segment.RIGHT_SHANK)
DOSE = Dose(sets=3, repetitions=10, target_excursion_deg=60)


class HeardHub(LiveHub):
    """A hub that also keeps what is published, angles and all."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[LiveEvent] = []

    def publish(self, event: LiveEvent) -> None:
        self.heard.append(event)
        super().publish(event)

    def states(self) -> list[tuple[SessionState, int]]:
        return [(event.state, event.set_number) for event in self.heard if isinstance(event, StateEvent)]

    def cues(self, code: str) -> list[str]:
        return [event.cue.text for event in self.heard if isinstance(event, CueEvent) and event.cue.code == code]


@pytest.fixture
def hub() -> HeardHub:
    return HeardHub()


@pytest.fixture(scope="module")
def wearing() -> SimulatedBody:
    return seated_knee_extensions(4, np.random.default_rng(8), rate_hz=RATE_HZ)


def move(session: ExerciseSession, body: SimulatedBody, start: float, end: float) -> float:
    """Give the session this share of the body's movement; the session time it ends at."""
    first, last = (round(share * len(body.time_s)) for share in (start, end))
    for k in range(first, last, 10):
        part = slice(k, min(k + 10, last))
        for segment in SEGMENTS:
            acc, gyr = body.sensors[segment]
            sensor_time_us = np.round(body.time_s[part] * 1e6).astype(np.int64)
            session.take(segment, RATE_HZ, ImuSamples(sensor_time_us, acc[part], gyr[part]), body.time_s[part])
    return float(body.time_s[last - 1])


async def test_a_pause_outlasts_connecting_and_calibrating(hub, wearing, invented) -> None:
    """Said while the sensors are still looked for: what they find out afterwards must not set the session going."""
    session = exercise_session(invented.opening(), DOSE, None, hub)
    session.pause()
    move(session, wearing, 0.0, 0.6)
    assert session.calibration is not None
    assert session.state is SessionState.PAUSED
    assert session.sets.repetitions == []
    session.resume()
    assert session.state is SessionState.EXERCISING
    move(session, wearing, 0.6, 1.0)
    session.finish()
    assert 1 <= len(session.sets.repetitions) < 4
    states = [state for state, _ in hub.states()]
    assert states == [SessionState.PAUSED, SessionState.EXERCISING, SessionState.FINISHED]


async def test_pain_while_connecting_is_kept_and_holds_the_session(hub, wearing, invented) -> None:
    session = exercise_session(invented.opening(), DOSE, None, hub)
    session.obey(Command(command="hurts"), 1.5)
    move(session, wearing, 0.0, 1.0)
    session.finish()
    assert session.care.hurts == (PainMoment(time_s=1.5),)
    assert session.sets.repetitions == []


async def test_pain_ends_the_set_and_says_so_even_in_a_pause(hub, wearing, invented) -> None:
    session = exercise_session(invented.opening(), DOSE, None, hub)
    time_s = move(session, wearing, 0.0, 1.0)
    assert session.sets.count_in_set > 0
    session.pause()
    session.obey(Command(command="hurts"), time_s)
    assert hub.states()[-2:] == [(SessionState.PAUSED, 1), (SessionState.PAUSED, 2)]
    assert (hub.snapshot.set_number, hub.snapshot.repetitions) == (2, 0)


async def test_a_number_that_comes_later_belongs_to_the_pain_before(hub, invented) -> None:
    session = exercise_session(invented.opening(), DOSE, None, hub)
    for time_s, pain in ((10.0, None), (14.0, 6), (50.0, 3), (60.0, None), (70.0, None)):
        session.obey(Command(command="hurts", pain=pain), time_s)
    assert session.care.hurts == (
        PainMoment(time_s=10.0, pain=6),
        PainMoment(time_s=50.0, pain=3),
        PainMoment(time_s=60.0),
        PainMoment(time_s=70.0),
    )


@pytest.mark.parametrize(("limit_deg", "warnings"), [(None, 0), (20.0, 4), (170.0, 0)])
async def test_every_movement_beyond_todays_limit_warns(hub, wearing, invented, limit_deg, warnings) -> None:
    session = exercise_session(invented.opening(), DOSE, limit_deg, hub)
    move(session, wearing, 0.0, 1.0)
    session.finish()
    told = hub.cues("movement_limit")
    # The first movement finds the axis, and is seen as an angle only once it is found.
    assert warnings - 1 <= len(told) <= warnings
    assert set(told) <= {"Not further than 20° today."}


async def test_the_zero_of_the_joint_is_the_goniometers_where_there_is_one(hub, wearing, invented) -> None:
    session = exercise_session(invented.opening(), DOSE, None, hub, rest_pose_deg=82.0)
    move(session, wearing, 0.0, 1.0)
    assert session.calibration is not None
    assert session.calibration.zero is Zero.GONIOMETER
    for one in session.sets.repetitions:
        assert one.peak_flexion_deg == pytest.approx(82.0 - one.excursion_deg, abs=4)


async def test_after_the_last_repetition_the_patient_is_told_once_that_it_was_the_last(hub, wearing, invented) -> None:
    session = exercise_session(invented.opening(), Dose(sets=1, repetitions=3, target_excursion_deg=60), None, hub)
    move(session, wearing, 0.0, 1.0)
    session.finish()
    assert len(session.sets.repetitions) == 4
    assert hub.cues("all_done") == ["Well done, that was all for today. You can end the session."]
    codes = [event.cue.code if isinstance(event, CueEvent) else event.kind for event in hub.heard]
    repetitions = [place for place, code in enumerate(codes) if code == "repetition"]
    assert repetitions[2] < codes.index("all_done") < repetitions[3]
