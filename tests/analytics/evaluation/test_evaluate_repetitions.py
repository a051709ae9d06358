"""Counting on real sets and pauses, and whether the evaluation itself is fair."""

from __future__ import annotations

import json
import shutil
from itertools import groupby

import numpy as np
import pytest

from analytics.evaluation import repetitions
from analytics.evaluation.recordings import recordings_with
from analytics.evaluation.repetition_sets import cut, labelled_set, pauses, phase_times, rests_of, walking
from analytics.motion.repetition.movement_counter import CountedMovement
from analytics.signals.recording import RecordingError


@pytest.fixture
def few(data_folder, tmp_path):
    """A set of a watch, hand labels, pauses and a walk, in one folder."""
    for name in (
        "spar_watch/s06_FEL_R",
        "uci_physical_therapy/s1_e1_test",
        "uci_physical_therapy/s1_e1_template",
        "uci_physical_therapy/s2_e1_test",
        "exermote/2017-05-04_19-20-36_Individual_5",
        "mobgap_lowback/HA_001_TimeMeasure1_Test5_Trial1",
    ):
        shutil.copy(data_folder / f"{name}.npz", tmp_path)
    return tmp_path


def results(report):
    return {one.metric: one for one in report.results}


def test_a_slice(few):
    report = repetitions.evaluate(few, lambda _: None)
    found = results(report)
    assert found["sets_within_one"].value == 1.0
    assert found["sets_within_one"].n == 8, "whole and cut of two sets, and four of the knee's angle"
    assert found["sets_within_one"].baselines["always_20"] < 0.5
    assert found["false_per_minute"].value == 0.0
    assert found["false_per_minute"].n == 2
    assert ("knee angle cut", "3", "3", "3", "1.00") in report.rows
    assert ("knee angle whole", "1", "1", "1", "1.00") in report.rows


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_bars_are_held(data_folder):
    """Measured 0.968 of 216 sets (0.95 to 0.97 over four draws of the cuts) and 0.15 per minute in 68 minutes; with
    those that are more than a timer asked for 0.43."""
    report = repetitions.evaluate(data_folder, lambda _: None)
    found = results(report)
    assert found["sets_within_one"].value >= 0.95
    assert found["sets_within_one"].n >= 216
    assert max(found["sets_within_one"].baselines.values()) < 0.6
    assert found["false_per_minute"].value <= 0.2
    assert found["false_per_minute"].baselines[repetitions.WITH_BEYOND] <= 0.5
    assert [row[-1] for row in report.rows if row[0].startswith("walking")] == ["0 for 0"]
    knee = [row for row in report.rows if row[0].startswith("knee angle")]
    assert [(row[1], row[3]) for row in knee] == [("3", "3"), ("1", "1")], "exactly, as before"


def test_a_folder_without_any_answer_is_said(data_folder, tmp_path):
    shutil.copy(data_folder / "uci_physical_therapy" / "s2_e1_test.npz", tmp_path)
    with pytest.raises(RecordingError, match="how many repetitions"):
        repetitions.evaluate(tmp_path, lambda _: None)


def one_set(folder, name):
    return next(found for one in recordings_with(folder, "acc") if one.name == name and (found := labelled_set(one)))


def test_cuts_follow_a_tempo_that_is_known():
    """Twenty cycles that slow down from 1 s to 2 s: the phase finds where each ends."""
    ends_s = np.cumsum(np.linspace(1.0, 2.0, 20))
    time_s = np.arange(0, ends_s[-1], 0.02)
    phase = np.interp(time_s, [0, *ends_s], np.arange(21))
    turning = np.stack([np.cos(2 * np.pi * phase), 0 * phase, 0 * phase], axis=1)
    motion = repetitions.Motion(time_s, np.tile([0, 0, 9.81], (len(time_s), 1)), turning)
    assert phase_times(motion, 20) == pytest.approx(ends_s, abs=0.2)


def test_a_cut_set_lies_between_two_pauses_of_the_folder(few):
    rests = rests_of([found for one in recordings_with(few, "acc") if (found := pauses(one))], [])
    assert rests
    whole = one_set(few, "s06_FEL_R")
    part = cut(whole, rests)
    assert 3 <= part.repetitions <= 18
    assert part.name == f"s06_FEL_R first {part.repetitions}"
    kept_s = whole.cuts_s[part.repetitions - 1] - whole.motion.time_s[0]
    length_s = part.motion.time_s[-1] - part.motion.time_s[0]
    assert kept_s + 14 < length_s < kept_s + 31
    assert np.allclose(np.diff(part.motion.time_s), 0.02, atol=0.025)
    begin_s = part.demonstration[0] - (whole.demonstration[0] - whole.motion.time_s[0])
    moved = part.motion.part(begin_s + 1.0, begin_s + 5.0)
    there = whole.motion.part(whole.motion.time_s[0] + 1.0, whole.motion.time_s[0] + 5.0)
    likeness = np.corrcoef(moved.gyr_rad_s[:190].ravel(), there.gyr_rad_s[:190].ravel())[0, 1]
    assert likeness > 0.95, "the set itself, to a sample"


def test_the_sensor_does_not_jump_where_a_pause_is_spliced(few):
    rests = rests_of([found for one in recordings_with(few, "acc") if (found := pauses(one))], [])
    part = cut(one_set(few, "s06_FEL_R"), rests)
    begin_s = part.demonstration[0] - (one_set(few, "s06_FEL_R").demonstration[0])
    before, after = part.motion.part(begin_s - 0.2, begin_s), part.motion.part(begin_s, begin_s + 0.2)
    a, b = (np.mean(side.acc_m_s2, axis=0) for side in (before, after))
    assert a @ b / np.linalg.norm(a) / np.linalg.norm(b) > np.cos(np.radians(10))


def test_cuts_are_the_same_in_every_run_and_folder(few, data_folder):
    rests = rests_of([found for one in recordings_with(few, "acc") if (found := pauses(one))], [])
    assert cut(one_set(few, "s06_FEL_R"), rests).name == cut(one_set(few, "s06_FEL_R"), rests).name


def test_templates_and_unlabelled_sessions_are_no_sets(few):
    names = {found.name for one in recordings_with(few, "acc") if (found := labelled_set(one))}
    assert names == {"s06_FEL_R", "s1_e1_test"}


def test_rests_within_a_set_are_no_pauses(few):
    one = next(one for one in recordings_with(few, "label"))
    activity, labels = pauses(one), one.arrays["label"]
    assert activity.stretches
    for start, end in activity.stretches:
        assert end - start >= 8.0
        assert set(labels[round(start * 10) : round(end * 10) + 1].tolist()) <= {"Break", "setBreak"}


def test_what_a_timer_asked_for_between_pauses(few):
    """The recording in whole: six pauses, five sets between them, each repetition prompted."""
    one = next(one for one in recordings_with(few, "label"))
    prompts = sum(kind not in {"Break", "setBreak"} for kind, _ in groupby(one.arrays["label"].tolist()))
    asked = pauses(one).asked
    assert sum(number for _, _, number in asked) == prompts
    assert [number for _, _, number in asked] == [10, 5, 9, 6, 7]
    assert all(start < end for start, end, _ in asked)


def repetition(start_s, end_s):
    return CountedMovement(start_s, (start_s + end_s) / 2, end_s, 1.0, end_s)


@pytest.mark.parametrize(
    ("counted", "expected"),
    [
        ([(12.0, 14.0), (15.0, 17.0)], (0, 0, 0, 0)),
        ([(9.0, 10.5), (12.0, 14.0)], (0, 1, 0, 0)),  # begun early: the set's own first
        ([(12.0, 14.0), (15.0, 17.0), (19.0, 23.0)], (0, 1, 1, 0)),  # a third of two
        ([(2.0, 4.0), (12.0, 14.0), (15.0, 17.0)], (1, 1, 0, 0)),
        ([(12.0, 14.0), (15.0, 17.0), (20.0, 22.0)], (1, 1, 0, 0)),  # right at the edge there is no margin
        ([(8.0, 10.0), (20.5, 29.5)], (2, 2, 0, 1)),
    ],
)
def test_what_is_false_and_what_belongs_to_a_set(counted, expected, monkeypatch):
    """Two repetitions asked for from 10 to 20 s, between two pauses."""
    time_s = np.arange(0.0, 30.0, 0.1)
    motion = repetitions.Motion(time_s, np.zeros((len(time_s), 3)), np.zeros((len(time_s), 3)))
    activity = repetitions.Activity("it", "pauses", motion, [(0.0, 10.0), (20.0, 30.0)], [(10.0, 20.0, 2)])
    monkeypatch.setattr(repetitions, "count", lambda _: [repetition(*one) for one in counted])
    found = repetitions._idle(activity, lambda _: None)
    assert (found.false, found.turned, found.beyond, found.off) == expected


def test_each_foot_walks(data_folder):
    found = [activity for one in recordings_with(data_folder / "gaitmap_feet", "acc") for activity in walking(one)]
    assert len(found) == 4
    assert all(activity.minutes > 0.4 for activity in found)


def test_json_is_one_object_with_both_figures(few):
    said = json.loads(repetitions.evaluate(few, lambda _: None).as_json("repetitions", "here"))
    assert [one["metric"] for one in said["results"]] == ["sets_within_one", "false_per_minute"]
    assert [one["unit"] for one in said["results"]] == ["fraction", "1/min"]
