"""What a tracker measures of each repetition, in simulated people who do well, and who help themselves."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from analytics.domain.exercise import Part, Segment, Side
from analytics.exercises import catalogue, exercise
from analytics.motion.angles import up_in_sensor
from analytics.motion.events import RepetitionDone
from analytics.motion.measures import measures_of
from analytics.motion.measuring import Measuring, beyond_limit, eccentric_first
from analytics.motion.repetition import CountedRepetition, RepetitionCounter
from analytics.motion.tracker import Tracker
from analytics.motion.worn import Posture, WornSensors
from analytics.signals.samples import ImuSamples
from analytics.simulation.body import MOVEMENTS, repeat, rest, simulate
from tests.support.strokes import repetition

SQUAT, EXTENSION = exercise("knee.squat"), exercise("knee.extension.seated")
TIMES = {"concentric_time", "hold_time", "eccentric_time", "duration"}
EVERYTHING = {"range", "peak_velocity", "mean_velocity", *TIMES} | {
    f"{way}_{figure}" for way in ("concentric", "eccentric") for figure in ("sparc", "ldlj")
}


def helped(movement, **change):
    """The same movement, with another one in step: joints and their three angles at the turning point."""
    more = {joint: tuple(np.add(movement.change.get(joint, (0, 0, 0)), deg)) for joint, deg in change.items()}
    return replace(movement, change={**movement.change, **more})


def done(code, movement, extra=(), *, seed=0, repetitions=2, lost=(0.0, 0.0)):
    """The session that was simulated, and its repetitions as the tracker tells them; lost: when the last sensor is."""
    rng = np.random.default_rng(seed)
    segments = [part.on(Side.RIGHT) for part in (*exercise(code).sensors.required, *extra)]
    parts = [rest(3.0, movement.position), repeat(movement, repetitions, rng), rest(2.0, movement.position)]
    session = simulate(parts, map(str, segments), rng, rate_hz=50.0)
    tracker = Tracker(exercise(code), Side.RIGHT, dict.fromkeys(segments, 50.0))
    events = []
    for first in range(0, len(session.time_s), 10):
        part = slice(first, first + 10)
        time_s = session.time_s[part]
        for segment in segments:
            if segment is segments[-1] and lost[0] <= time_s[0] < lost[1]:
                continue
            acc, gyr = session.sensors[str(segment)]
            samples = ImuSamples(np.round(time_s * 1e6).astype(np.int64), acc[part], gyr[part])
            events += tracker.update(segment, samples, time_s)
    return session, [one for one in [*events, *tracker.finish()] if isinstance(one, RepetitionDone)]


def leant_deg(session, segment, one):
    during = (session.time_s >= one.start_s) & (session.time_s <= one.end_s)
    up = up_in_sensor(session.orientations[segment][during])
    return float(np.degrees(np.arccos(np.clip(up @ up[0], -1.0, 1.0))).max())


def bent_deg(session, joint, axis, one):
    angle = session.angles_deg[joint][(session.time_s >= one.start_s) & (session.time_s <= one.end_s), axis]
    return float(np.abs(angle - angle[0]).max())


def test_each_repetition_comes_with_all_that_is_measured():
    session, found = done("knee.extension.seated", MOVEMENTS["seated_knee_extension"])
    assert len(found) == 2
    for one, truth in zip(found, session.repetitions, strict=True):
        by_code = {each.code: each for each in one.measures}
        assert by_code.keys() == EVERYTHING, "no sensor on the chest, so no lean"
        assert by_code["range"].value == pytest.approx(truth.excursion_deg, abs=3 * by_code["range"].error)
        assert by_code["range"].error == one.excursion_error_deg
        assert by_code["duration"].value == pytest.approx(0.93 * (truth.end_s - truth.start_s), abs=0.4)


HELPED = [
    ("knee.extension.seated", "seated_knee_extension", ("chest",), "lean_back", "trunk", 0, -1),
    ("hip.abduction.standing", "standing_hip_abduction", ("chest",), "lean_aside", "trunk", 1, -1),
    ("shoulder.flexion.standing", "shoulder_flexion", ("forearm",), "lean_back", "trunk", 0, -1),
    ("shoulder.flexion.standing", "shoulder_flexion", ("forearm",), "elbow_bends", "right_elbow", 0, 1),
    ("hip.straight_leg_raise.supine", "straight_leg_raise", ("shank",), "knee_bends", "right_knee", 0, 1),
    ("shoulder.external_rotation.band", "shoulder_rotation", (), "elbow_leaves", "right_shoulder", 1, 1),
    ("neck.rotation", "neck_rotation", ("pelvis",), "body_moves", "trunk", 2, 1),
]


@pytest.mark.parametrize(("code", "name", "extra", "cue", "joint", "axis", "sense"), HELPED)
def test_who_helps_himself_is_seen_and_who_does_not_is_not_accused(code, name, extra, cue, joint, axis, sense):
    limit_deg = next(one.limit_deg for one in exercise(code).compensations if one.cue == cue)
    for share in (0.0, 1.8):
        change = [0.0, 0.0, 0.0]
        change[axis] = sense * share * limit_deg
        movement = helped(MOVEMENTS[name], **{joint: tuple(change)})
        session, found = done(code, movement, [Part(one) for one in extra])
        assert found
        for one in found:
            measure = next(each for each in one.measures if each.code == f"compensation.{cue}")
            leans = joint == "trunk" and axis < 2
            truth = leant_deg(session, "chest", one) if leans else bent_deg(session, joint, axis, one)
            assert measure.value == pytest.approx(truth, abs=2.0 * measure.error)
            assert beyond_limit(exercise(code), one.measures) == ((cue,) if share else ())


LEG = {"right_knee": Segment.RIGHT_THIGH, "right_ankle": Segment.RIGHT_SHANK, "chest": Segment.CHEST}
ARM = {"right_elbow": Segment.RIGHT_UPPER_ARM, "right_wrist": Segment.RIGHT_FOREARM, "chest": Segment.CHEST}


@pytest.mark.parametrize(
    ("number", "code", "worn"),
    [(1, "knee.extension.seated", LEG), (6, "elbow.flexion.curl", ARM), (7, "shoulder.abduction.standing", ARM)],
)
def test_real_people_who_do_well_do_not_lean_too_far(data_folder, number, code, worn):
    """Three people, three repetitions each, which physiotherapists made templates of."""
    doing, leans = exercise(code), []
    for path in sorted((data_folder / "uci_physical_therapy").glob(f"s?_e{number}_template.npz")):
        with np.load(path, allow_pickle=False) as stored:
            units = json.loads(str(stored["meta"]))["units"]
            time_s, acc, gyr, marked = (np.asarray(stored[name], float) for name in ("t", "acc", "gyr", "reps"))
        segments = [*worn.values()]
        sensors, measuring = WornSensors(segments, (), 25.0), Measuring(doing, Side.RIGHT, segments, 25.0)
        for name, segment in worn.items():
            samples = ImuSamples(
                np.round(time_s * 1e6).astype(np.int64), acc[:, units.index(name)], gyr[:, units.index(name)]
            )
            for posture in sensors.update(segment, samples, time_s):
                measuring.add(posture)
        for first, last in marked[:, :2].astype(int).tolist():
            told = measuring.compensations(time_s[first], time_s[last])
            leans += [one for one in told if one.code.startswith("compensation.lean")]
    assert len(leans) >= 8, "a recording may end with its last repetition"
    assert not [one for one in leans if beyond_limit(doing, [one])]
    assert max(one.value for one in leans) > 0.5, "nobody is a statue"


def test_a_silence_hides_what_a_segment_did():
    movement = helped(MOVEMENTS["seated_knee_extension"], trunk=(-25.0, 0.0, 0.0))
    whole, _ = done("knee.extension.seated", movement, [Part.CHEST], repetitions=1)
    turned_s = whole.repetitions[0].peak_s
    _, (one,) = done("knee.extension.seated", movement, [Part.CHEST], repetitions=1, lost=(turned_s, turned_s + 0.6))
    assert {each.code for each in one.measures} == EVERYTHING


def measured(curves, exercise_=EXTENSION):
    """Repetitions of one angle course as they are counted, each measured as soon as it is told."""
    counter, measuring = RepetitionCounter(20.0), Measuring(exercise_, Side.RIGHT, (), 100.0)
    for time_s, angle_deg in zip(*(one.tolist() for one in curves), strict=True):
        measuring.follow(time_s, angle_deg)
        if (counted := counter.update(time_s, angle_deg)) is not None:
            yield {one.code: one for one in measuring.of(counted, 2.0)}


def test_nothing_is_waited_for():
    """Told when the angle is all but back, a repetition measures as it does with all of its rest."""
    curve = repetition(out_s=1.5, hold_s=1.0, back_s=1.5, rest_s=2.0)
    (at_once,), later = measured(curve), measures_of(*curve)
    for code, one in at_once.items():
        allowed = {"range": 0.1 * later[code].value, "duration": 0.15, "mean_velocity": 6.0, "peak_velocity": 2.0}
        smooth = 0.12 if code.endswith("sparc") else 0.5 if code.endswith("ldlj") else 0.15
        assert one.value == pytest.approx(later[code].value, abs=allowed.get(code, smooth)), code


def test_repetitions_without_a_pause_are_measured_each_by_itself():
    time_s = np.arange(1200) / 100.0
    found = list(measured((time_s, 30.0 - 30.0 * np.cos(2 * np.pi * time_s / 3.0))))
    assert len(found) >= 3
    for one in found:
        assert one["range"].value == pytest.approx(60.0, abs=4.0)
        assert one["duration"].value == pytest.approx(3.0, abs=0.4)


def test_a_small_repetition_right_after_a_large_one_is_measured_by_itself():
    (large_s, large_deg), (small_s, small_deg) = (
        repetition(out_s=0.5, back_s=0.5, rest_s=0.0, range_deg=90.0),
        repetition(out_s=1.0, back_s=1.0, rest_s=0.0, range_deg=40.0),
    )
    time_s = np.concatenate([large_s, small_s[1:] + large_s[-1], large_s[-1] + small_s[-1] + 0.01 * np.arange(1, 100)])
    _, small = measured((time_s, np.concatenate([large_deg, small_deg[1:], np.zeros(99)])))
    assert small["range"].value == pytest.approx(40.0, abs=3.0)
    assert small["peak_velocity"].value == pytest.approx(75.0, rel=0.1)


def test_a_hold_of_more_than_a_minute_is_measured_without_its_rest():
    time_s, angle_deg = repetition(50.0, out_s=2.0, hold_s=70.0, back_s=2.0)
    measuring = Measuring(exercise("knee.wall_sit"), Side.RIGHT, (), 50.0)
    curve = tuple(zip(time_s.tolist(), angle_deg.tolist(), strict=True))
    for each in curve:
        measuring.follow(*each)
    counted = CountedRepetition(0.5, 37.0, 74.5, 60.0, 60.0, 56.0, curve[25:-25])
    found = {one.code: one.value for one in measuring.of(counted, 2.0)}
    assert found["hold_time"] == pytest.approx(70.0, abs=0.5)
    assert found["eccentric_time"] == pytest.approx(2.0, abs=0.3)


def test_what_begins_anew_replaces_what_was_followed():
    time_s, angle_deg = repetition(rest_s=1.0)
    twice = np.concatenate([time_s[:150], time_s]), np.concatenate([angle_deg[:150] + 40.0, angle_deg])
    measuring, counter = Measuring(EXTENSION, Side.RIGHT, (), 100.0), RepetitionCounter(20.0)
    for each in zip(*(one.tolist() for one in twice), strict=True):
        measuring.follow(*each)
    counted = [one for each in zip(time_s.tolist(), angle_deg.tolist(), strict=True) if (one := counter.update(*each))]
    assert {one.code: one for one in measuring.of(counted[0], 2.0)}["range"].value == pytest.approx(60.0, abs=1.0)


def test_it_remembers_a_minute():
    measuring = Measuring(EXTENSION, Side.RIGHT, (Segment.CHEST,), 50.0)
    for k in range(50 * 200):
        still = np.array([[1.0, 0.0, 0.0, 0.0]])
        measuring.add(Posture(k / 50.0, 0, still, np.zeros((1, 3)), np.zeros((1, 3)), [True], [False]))
        measuring.follow(k / 50.0, 0.0)
    assert measuring.compensations(100.0, 105.0) == ()
    assert [one.code for one in measuring.compensations(150.0, 155.0)] == ["compensation.lean_back"]


LENGTHEN_FIRST = {
    "knee.lunge",
    "knee.mini_squat",
    "knee.squat",
    "knee.step_down",
    "knee.wall_sit",
    "knee.walking_range",
    "neck.extension",
    "neck.flexion",
    "neck.lateral_flexion",
    "trunk.flexion.seated",
    "trunk.lateral_flexion.standing",
}


def test_what_gives_way_to_gravity_first_is_eccentric_first():
    assert {code for code, one in catalogue().items() if eccentric_first(one)} == LENGTHEN_FIRST


def test_a_squat_goes_down_slowly_and_comes_up_quickly():
    curve = repetition(out_s=2.0, back_s=1.0)
    (squat,), (extension,) = measured(curve, SQUAT), measured(curve, EXTENSION)
    assert squat["eccentric_time"].value > 1.5 * squat["concentric_time"].value
    assert extension["concentric_time"].value == squat["eccentric_time"].value


def test_walking_has_no_phases():
    (walk,) = measured(repetition(), exercise("knee.walking_range"))
    assert walk == {}


def test_the_furthest_beyond_its_limit_comes_first_and_what_error_explains_does_not():
    both = exercise("hip.abduction.standing")
    limits = {one.cue: one.limit_deg for one in both.compensations}
    _, found = done("hip.abduction.standing", MOVEMENTS["standing_hip_abduction"], [Part.CHEST], repetitions=1)
    leans = [one for one in found[0].measures if one.code.startswith("compensation.")]

    def beyond(**deg):
        changed = {f"compensation.{cue}": limits[cue] + more for cue, more in deg.items()}
        return beyond_limit(both, [one.model_copy(update={"value": changed[one.code], "error": 2.0}) for one in leans])

    assert beyond(lean_aside=5.0, pelvis_tilts=8.0) == ("pelvis_tilts", "lean_aside")
    assert beyond(lean_aside=1.9, pelvis_tilts=2.1) == ("pelvis_tilts",)
