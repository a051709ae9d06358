"""Every exercise of the catalogue can be done: with its best sensors, and with one alone where that is enough."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from virtual_body import RATE_HZ, packets, simulated, turning

from analytics.domain.base import uuid7
from analytics.domain.exercise import Exercise, Follows, Layout, Part, Segment, Side
from analytics.domain.live import Command, Cue, CueEvent, LiveEvent, SessionState
from analytics.domain.program import Dose
from analytics.domain.session import FormLabel, SessionOpening
from analytics.exercises import catalogue
from analytics.simulation.body import MOVEMENTS, SITTING, STANDING, repeat, rest, sit_down, stand_up
from device_gateway.live.hub import LiveHub
from device_gateway.session.exercise_session import ExerciseSession
from device_gateway.session.scoring import exercise_session

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
REPETITIONS = 4
BENDING_UPRIGHT = ("knee.squat", "knee.mini_squat", "knee.lunge", "knee.wall_sit", "knee.step_down")
CLOSED_CHAIN = {*BENDING_UPRIGHT, "knee.sit_to_stand", "knee.step_up", "trunk.cat_camel"}
"""Both segments turn, which the rigid virtual body does not do: it would be taken for sensors that are exchanged."""
LAYOUTS = [
    (code, number)
    for code, exercise in catalogue().items()
    if exercise.test is None and code not in CLOSED_CHAIN
    for number in range(len(exercise.layouts))
]
ONE_OF_EACH_KIND = {
    ("knee.extension.seated", 0), ("trunk.pelvic_tilt", 0), ("shoulder.pendulum", 0), ("ankle.circles", 0),
    ("knee.short_arc", 1), ("shoulder.flexion.standing", 2),
}  # fmt: skip
THIGH, SHANK, CHEST = Segment.RIGHT_THIGH, Segment.RIGHT_SHANK, Segment.CHEST


class Heard(LiveHub):
    """A hub that also keeps the cues."""

    def __init__(self) -> None:
        super().__init__()
        self.cues: list[Cue] = []

    def publish(self, event: LiveEvent) -> None:
        if isinstance(event, CueEvent):
            self.cues.append(event.cue)
        super().publish(event)


def begun(exercise: Exercise, worn: tuple[Segment, ...], hub: LiveHub) -> ExerciseSession:
    """A session with nobody there to lead it."""
    opening = SessionOpening(
        id=uuid7(), patient_id="p1", program_version=1, exercise=exercise.code, side=Side.RIGHT, started_at=NOW
    )
    dose = Dose(sets=1, repetitions=REPETITIONS, target_excursion_deg=exercise.dose.target_excursion_deg)
    session = exercise_session(opening, dose, None, hub, worn=worn)
    session.begin([])
    return session


def closed(session: ExerciseSession):
    session.finish()
    return session.report(ended_at=NOW, sensors=(), chunk_count=0, chunks_sha256="", simulated=True)


@pytest.mark.parametrize(
    ("code", "number"),
    [pytest.param(*one, marks=() if one in ONE_OF_EACH_KIND else pytest.mark.long) for one in LAYOUTS],
)
async def test_it_is_counted_and_reported(code: str, number: int) -> None:
    exercise = catalogue()[code]
    layout: Layout = exercise.layouts[number]
    excursion_deg = 1.15 * (exercise.dose.target_excursion_deg or 35.0)
    worn = layout.on(Side.RIGHT)
    session = begun(exercise, worn, LiveHub())
    hold_s = max(0.4, exercise.repetition.hold_s)
    for heard in packets(worn, turning([excursion_deg] * REPETITIONS, hold_s=hold_s)):
        session.take(heard.segment, RATE_HZ, heard.samples, heard.time_s)
    assert session.step is SessionState.RATING, "all that was asked for was counted"
    report = closed(session)
    assert len(report.repetitions) == REPETITIONS
    (only,) = report.sets
    assert only.repetitions == REPETITIONS
    if layout.follows is Follows.PATTERN:
        assert (report.calibration, report.trace) == (None, None)
        for one in report.repetitions:
            assert (one.excursion_deg, one.peak_flexion_deg, one.form.label) == (None, None, FormLabel.NOT_JUDGED)
            assert one.form.reason == "It was followed by its pattern, which tells no range."
        return
    assert report.calibration is not None
    assert report.trace is not None
    for one in report.repetitions:
        assert one.excursion_deg == pytest.approx(excursion_deg, abs=3)
    assert {"range", "duration", "range_variation"} <= {measure.code for measure in only.measures}


STAND = (stand_up(), rest(1.0, STANDING), sit_down(), rest(1.5, SITTING))


async def test_standing_up_is_counted_though_the_shank_hardly_turns() -> None:
    body, _ = simulated([rest(3, SITTING), *STAND * REPETITIONS], (THIGH, SHANK), np.random.default_rng(2))
    session = begun(catalogue()["knee.sit_to_stand"], (THIGH, SHANK), LiveHub())
    for heard in body:
        session.take(heard.segment, RATE_HZ, heard.samples, heard.time_s)
    assert [one.excursion_deg for one in closed(session).repetitions] == pytest.approx([90.0] * REPETITIONS, abs=6)


@pytest.mark.parametrize("code", BENDING_UPRIGHT)
async def test_who_bends_upright_is_counted_without_moving_one_segment_alone(code: str) -> None:
    rng = np.random.default_rng(1)
    parts = [rest(3, STANDING), repeat(MOVEMENTS["squat"], REPETITIONS, rng), rest(2, STANDING)]
    body, truth = simulated(parts, (THIGH, SHANK, CHEST), rng)
    session = begun(catalogue()[code], (THIGH, SHANK, CHEST), hub := Heard())
    for heard in body:
        session.take(heard.segment, RATE_HZ, heard.samples, heard.time_s)
    report = closed(session)
    assert [one.excursion_deg for one in report.repetitions] == pytest.approx(
        [one.excursion_deg for one in truth], abs=6
    )
    assert "sensors_swapped" not in {cue.code for cue in hub.cues}
    leans = {f"compensation.{one.cue}" for one in catalogue()[code].compensations if one.needs == (Part.CHEST,)}
    assert leans & {measure.code for measure in report.repetitions[0].measures}


async def test_five_times_sit_to_stand_from_the_practice_to_the_result() -> None:
    rng = np.random.default_rng(3)
    parts = [rest(3, SITTING), *STAND, rest(5, SITTING), *STAND * 5, rest(5, SITTING)]
    body, _ = simulated(parts, (THIGH, SHANK), rng)
    session = begun(catalogue()["sit_to_stand.five"], (THIGH, SHANK), hub := Heard())
    said: dict[str, float] = {}
    for heard in body:
        session.take(heard.segment, RATE_HZ, heard.samples, heard.time_s)
        said |= {cue.code: float(heard.time_s[-1]) for cue in hub.cues if cue.code not in said}
    assert [code for code in said if code.startswith("test_")] == ["test_ready", "test_go", "test_result"]
    assert session.step is SessionState.RATING
    report = closed(session)
    assert report.test is not None
    assert report.test.measure is not None
    began_s = said["test_go"]
    fifth_sit_s = sum(part.duration_s for part in (*parts[:6], *STAND * 5)) - 1.5
    assert report.test.measure.value == pytest.approx(fifth_sit_s - began_s, abs=1.0)
    assert all(one.peak_s > began_s for one in report.repetitions), "the practice is none of them"


@pytest.mark.parametrize("resumed", [True, False])
async def test_a_pause_in_the_midst_of_a_test_makes_it_void(resumed: bool) -> None:
    rng = np.random.default_rng(3)
    parts = [rest(3, SITTING), *STAND, rest(5, SITTING), *STAND, rest(8, SITTING), *STAND * 5, rest(3, SITTING)]
    body, _ = simulated(parts, (THIGH, SHANK), rng)
    session = begun(catalogue()["sit_to_stand.five"], (THIGH, SHANK), hub := Heard())
    todo = [(20.0, Command(command="pause")), (26.0, Command(command="resume"))][: 1 + resumed]
    for heard in body:
        while todo and todo[0][0] <= heard.time_s[0]:
            session.obey(todo[0][1], todo.pop(0)[0])
        session.take(heard.segment, RATE_HZ, heard.samples, heard.time_s)
    codes = [cue.code for cue in hub.cues if cue.code.startswith("test_")]
    assert codes == ["test_ready", "test_go", *(["test_ready", "test_go", "test_result"] if resumed else [])]
    report = closed(session)
    assert report.test is not None
    assert (report.test.measure is not None) is resumed, "what is done in a pause is no test"
    assert all(one.peak_s > 29.0 for one in report.repetitions), "nor is the stand before it one of the five"


async def test_an_optional_sensor_that_never_comes_holds_up_nobody() -> None:
    seated = catalogue()["knee.extension.seated"]
    for silent in (False, True):
        session = begun(seated, (THIGH, SHANK, CHEST), LiveHub())
        for heard in packets((THIGH, SHANK), turning([75.0] * REPETITIONS), still=() if silent else (CHEST,)):
            session.take(heard.segment, RATE_HZ, heard.samples, heard.time_s)
        codes = {measure.code for measure in closed(session).repetitions[0].measures}
        assert len(session.sets.repetitions) == REPETITIONS
        assert ("compensation.lean_back" in codes) is not silent
