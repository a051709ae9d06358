"""The conversation with somebody there to lead it, fed with a simulated body's samples, no radio between."""

from __future__ import annotations

import numpy as np
import pytest
from talking import EXCHANGED, NOW, RATE_HZ, SHANK, THIGH, WELL, Told, alone, body, closed, dose, led, move, still

from analytics.domain.check_in import RedFlag
from analytics.domain.live import Command, SessionState, StateEvent
from analytics.domain.session import EasingAction, Placement, Rating
from analytics.signals.samples import ImuSamples
from device_gateway.errors import GatewayError
from device_gateway.session.exercise_session import ANSWER_S
from device_gateway.session.scoring import exercise_session


@pytest.fixture
def told() -> Told:
    return Told()


async def test_led_through_from_the_questions_to_the_rating(told, invented) -> None:
    session = led(invented, told, dose(sets=2, repetitions=3, rest_s=2.0))
    time_s = move(session, body(6))
    session.obey(Command(command="rate", pain=2, effort=5), time_s)
    S = SessionState  # noqa: N806 - only here
    assert told.states() == [
        S.CONNECTING, S.PLACING, S.CALIBRATING, S.EXERCISING, S.RESTING, S.EXERCISING, S.RATING, S.FINISHED,
    ]  # fmt: skip
    report = closed(session)
    assert len(report.repetitions) == 6
    assert [s.repetitions for s in report.sets] == [3, 3]
    assert report.sets[0].rest_s == pytest.approx(report.repetitions[3].start_s - report.repetitions[2].end_s)
    assert (report.check_in, report.felt, report.placement) == (WELL, Rating(pain=2, effort=5), Placement.CHECKED)
    assert report.calibration is not None
    assert 0.05 < (report.calibration.still_deg_s or 0) < 1.0
    assert told.codes()[:2] == ["placing", "calibrating"], "the rest before the first movement was the still pose"


async def test_nobody_there_and_no_still_pose_and_still_every_repetition_counts(told, invented) -> None:
    wearing = body(4)
    session = alone(invented, told)
    move(session, wearing, from_s=1.5)
    report = closed(session)
    assert len(report.repetitions) == 4
    assert report.calibration is not None
    assert report.calibration.still_deg_s is None
    assert (report.check_in, report.felt, report.placement) == (None, None, Placement.CHECKED)
    assert SessionState.STILL not in told.states()
    assert told.codes().count("placing") == 0


async def test_who_is_led_through_is_asked_to_hold_still_and_calibrates_afterwards(told, invented) -> None:
    wearing = body(3, rest_s=1.5)
    session = led(invented, told, dose(sets=1, repetitions=3))
    first_end_s = wearing.repetitions[0].end_s
    time_s = move(session, wearing, first_end_s + 0.2, from_s=1.5)
    assert session.state is SessionState.STILL
    move(session, wearing, 1.9, late_s=time_s + 0.1)
    assert session.state is SessionState.STILL
    move(session, wearing, late_s=time_s + 2.0)
    report = closed(session)
    assert "not_still" in told.codes()
    assert report.calibration is not None
    assert report.calibration.still_deg_s is not None
    assert len(report.repetitions) == 3


async def test_restlessness_does_not_keep_anybody_from_exercising(told, invented) -> None:
    wearing = body(8, rest_s=0.6)
    session = led(invented, told, dose(sets=1, repetitions=10))
    move(session, wearing, from_s=1.5)
    report = closed(session)
    assert told.codes().count("not_still") == 2
    assert report.calibration is not None
    assert report.calibration.still_deg_s is None
    assert len(report.repetitions) == 8, "those made meanwhile are not lost"


@pytest.mark.parametrize("seed", range(4))
async def test_exchanged_sensors_are_found_told_and_read_the_right_way(told, invented, seed) -> None:
    wearing = body(4, seed=seed)
    session = alone(invented, told, dose(sets=1, repetitions=4))
    move(session, wearing, worn=EXCHANGED)
    records = [
        invented.sensor_record(address, segment)
        for address, segment in (("C1:00:00:00:00:01", THIGH), ("C1:00:00:00:00:02", SHANK))
    ]
    session.finish()
    report = session.report(ended_at=NOW, sensors=records, chunk_count=0, chunks_sha256="", simulated=True)
    assert report.placement is Placement.SWAPPED
    assert told.codes().count("sensors_swapped") == 1
    assert len(report.repetitions) == 4
    truth_deg = [repetition.excursion_deg for repetition in wearing.repetitions]
    assert [r.excursion_deg for r in report.repetitions] == pytest.approx(truth_deg, abs=8)
    assert [(s.address[-1], s.segment) for s in report.sensors] == [("1", SHANK), ("2", THIGH)]


async def test_one_movement_of_the_other_sensor_exchanges_nothing(told, invented) -> None:
    """The upper strap is put right before the exercise: its sensor turns about the vertical, out and back."""
    wearing = body(3)
    session = alone(invented, told, dose(sets=1, repetitions=3))
    time_s = np.arange(0, 4, 1 / RATE_HZ)
    turning = np.where((time_s > 1) & (time_s < 2.5), np.radians(90) * np.sin(2 * np.pi * (time_s - 1) / 1.5), 0.0)
    for segment in (SHANK, THIGH):
        down = wearing.sensors[segment][0][:20].mean(axis=0)
        gyr = np.outer(turning if segment == THIGH else 0 * turning, down / np.linalg.norm(down))
        samples = ImuSamples(np.round(time_s * 1e6).astype(np.int64), np.tile(down, (len(time_s), 1)), gyr)
        session.take(segment, RATE_HZ, samples, time_s)
    assert session.state is SessionState.PLACING
    move(session, wearing, late_s=4.0)
    report = closed(session)
    assert (report.placement, "sensors_swapped" in told.codes()) == (Placement.CHECKED, False)
    truth_deg = [repetition.excursion_deg for repetition in wearing.repetitions]
    assert [r.excursion_deg for r in report.repetitions] == pytest.approx(truth_deg, abs=8)


async def test_what_cannot_be_decided_is_asked_again_and_counts_in_the_end(told, invented) -> None:
    """Both sensors on the shank."""
    session = alone(invented, told, dose(sets=1, repetitions=9))
    move(session, body(4), worn={THIGH: SHANK, SHANK: SHANK})
    assert told.codes().count("placement_unclear") == 2
    assert closed(session).placement is Placement.UNCHECKED


async def test_a_movement_that_is_no_hinge_is_refused_with_what_to_do(told, invented) -> None:
    """The axis turns while the shank moves: once placed, the tracker does not take it, and the patient hears why."""
    session = alone(invented, told)
    wearing = body(2)
    session.take(THIGH, RATE_HZ, *still(0.0, 6.0))
    session.take(SHANK, RATE_HZ, *still(0.0, 2.5))
    session.obey(Command(command="skip"), 2.6)
    assert session.state is SessionState.CALIBRATING
    session.take(SHANK, RATE_HZ, *tumbling(2.5, 4.5))
    session.take(SHANK, RATE_HZ, *still(4.5, 6.0))
    assert told.codes() == ["calibration_refused"]
    move(session, wearing, late_s=6.0)
    assert len(closed(session).repetitions) == 2


def tumbling(from_s: float, to_s: float) -> tuple[ImuSamples, np.ndarray]:
    samples, time_s = still(from_s, to_s)
    gyr = np.radians(60) * np.cos(2 * np.pi * (time_s[:, None] + np.array([0.0, 0.25, 0.6])))
    return ImuSamples(samples.sensor_time_us, samples.acc_m_s2, gyr), time_s


@pytest.mark.parametrize("flag", RedFlag)
async def test_a_red_flag_refuses_and_says_what_to_do(told, invented, flag) -> None:
    session = led(invented, told, check_in=WELL.model_copy(update={"red_flags": (flag,)}))
    assert session.state is SessionState.FINISHED
    assert "Do not exercise" in told.snapshot.cue.text
    move(session, body(1))
    report = closed(session)
    assert (report.repetitions, report.check_in.red_flags) == ((), (flag,))
    (easing,) = report.easings
    assert (easing.action, easing.rule, easing.dose) == (EasingAction.STOPPED, f"red_flag.{flag}", None)


async def test_pain_before_the_session_eases_it(told, invented) -> None:
    session = led(invented, told, dose(repetitions=10), WELL.model_copy(update={"pain_this_morning": 4}))
    assert session.state is SessionState.CONNECTING
    assert (told.snapshot.dose.repetitions, told.snapshot.dose.target_excursion_deg) == (7, 50)
    assert "4 of 10" in told.snapshot.cue.text
    assert closed(session).easings[0].dose == session.dose


async def test_hurting_at_4_eases_the_rest_of_the_dose(told, invented) -> None:
    session = alone(invented, told, dose(sets=2, repetitions=10))
    time_s = move(session, body(3))
    session.obey(Command(command="hurts"), time_s)
    assert session.state is SessionState.PAUSED
    session.obey(Command(command="hurts", pain=4), time_s + 3)
    assert session.state is SessionState.PAUSED
    session.obey(Command(command="resume"), time_s + 9)
    assert session.state is SessionState.EXERCISING
    assert (session.dose.repetitions, session.dose.target_excursion_deg) == (7, 50)
    assert told.snapshot.dose == session.dose
    (easing,) = closed(session).easings
    assert (easing.action, easing.rule, easing.time_s) == (EasingAction.EASED, "hurts_now", pytest.approx(time_s + 3))


async def test_hurting_at_8_is_the_end_for_today(told, invented) -> None:
    wearing = body(6)
    session = alone(invented, told, dose(sets=2, repetitions=10))
    time_s = move(session, wearing, 20.0)
    counted = len(session.sets.repetitions)
    session.obey(Command(command="hurts", pain=8), time_s)
    assert session.state is SessionState.RATING
    assert "That is all for today" in told.snapshot.cue.text
    session.obey(Command(command="resume"), time_s + 1)
    assert session.state is SessionState.RATING
    move(session, wearing, from_s=20.0)
    session.obey(Command(command="rate", pain=6, effort=3), 60.0)
    report = closed(session)
    assert session.state is SessionState.FINISHED
    assert len(report.repetitions) == counted, "what is moved afterwards was not asked for"
    assert report.easings[0].action is EasingAction.STOPPED
    assert report.felt == Rating(pain=6, effort=3)


async def test_pain_without_a_number_eases_once_the_patient_goes_on(told, invented) -> None:
    session = alone(invented, told, dose(sets=3, repetitions=10))
    time_s = move(session, body(1))
    session.obey(Command(command="hurts"), time_s)
    assert session.dose.repetitions == 10
    session.obey(Command(command="resume"), time_s + 5)
    assert session.dose.repetitions == 7
    session.obey(Command(command="hurts", pain=4), time_s + 1200)  # another pain, not the number of the first
    assert session.dose.repetitions == 5
    assert [(hurt.time_s, hurt.pain) for hurt in closed(session).hurts] == [(time_s, None), (time_s + 1200, 4)]


async def test_a_smaller_dose_may_be_done_already(told, invented) -> None:
    session = alone(invented, told, dose(sets=1, repetitions=8))
    time_s = move(session, body(6))
    session.obey(Command(command="hurts", pain=3), time_s)
    session.obey(Command(command="resume"), time_s + 1)
    assert session.state is SessionState.RATING
    assert told.codes().count("all_done") == 1


async def test_a_rest_counts_down_and_ends_by_time(told, invented) -> None:
    session = alone(invented, told, dose(sets=2, repetitions=1, rest_s=30))
    time_s = move(session, body(1))
    assert session.state is SessionState.RESTING
    for tick_s in np.arange(time_s, time_s + 40, 0.25):
        session.tick(float(tick_s))
    left = [e.rest_s for e in told.heard if isinstance(e, StateEvent) and e.state is SessionState.RESTING]
    assert left == list(range(30, 0, -1))
    assert (session.state, told.snapshot.rest_s, told.snapshot.set_number) == (SessionState.EXERCISING, None, 2)


async def test_a_rest_is_skipped_by_command_or_by_going_on(told, invented) -> None:
    wearing = body(3)
    session = alone(invented, told, dose(sets=3, repetitions=1, rest_s=600))
    time_s = move(session, wearing, wearing.repetitions[0].end_s + 1.0)
    assert session.state is SessionState.RESTING
    session.obey(Command(command="skip"), time_s)
    assert session.state is SessionState.EXERCISING
    move(session, wearing, from_s=time_s + 0.001)
    report = closed(session)
    assert [s.repetitions for s in report.sets] == [1, 1, 1]


async def test_questions_that_nobody_answers_are_not_asked(told, invented) -> None:
    session = exercise_session(invented.opening(), dose(sets=1, repetitions=1), None, told, guided=True)
    session.tick(ANSWER_S - 1)
    assert session.state is SessionState.CHECKING_IN
    session.tick(ANSWER_S)
    assert session.state is SessionState.CONNECTING
    time_s = move(session, body(1), late_s=ANSWER_S)
    assert session.state is SessionState.RATING
    session.tick(time_s + ANSWER_S)
    assert session.state is SessionState.FINISHED
    report = closed(session)
    assert (report.check_in, report.felt, len(report.repetitions)) == (None, None, 1)


async def test_what_is_not_possible_now_is_refused_with_a_sentence(told, invented) -> None:
    session = alone(invented, told)
    for command in (
        Command(command="skip"),
        Command(command="rate", pain=1, effort=1),
        Command(command="check_in", check_in=WELL),
    ):
        with pytest.raises(GatewayError, match=r"\.$"):
            session.obey(command, 1.0)
    assert (session.state, session.felt, session.care.check_in) == (SessionState.CONNECTING, None, None)
