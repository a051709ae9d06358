"""Counting on real people: Yurtman & Barshan's seated knee extensions (25 Hz), 30 repetitions hand-labelled."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.domain.exercise import Side
from analytics.exercises import exercise
from analytics.motion.events import AngleSample
from analytics.signals.recording import Recording
from analytics.training.dataset import uci_folder, uci_intervals, uci_recording
from analytics.training.replay import repetitions, replay

KNEE = exercise("knee.extension.seated")


@pytest.fixture(scope="module")
def uci(data_folder):
    return uci_folder(data_folder)


def test_each_hand_label_is_one_counted_repetition(uci):
    labels, by_hand = uci_intervals(uci, "s1", "test")
    assert by_hand
    assert len(labels) == 30
    counted = repetitions(uci_recording(uci, "s1", "test"), KNEE, Side.RIGHT)
    assert len(counted) == 30, "and nothing in the pauses"
    assert [sum(label.overlap_s(one) > 0 for one in counted) for label in labels] == [1] * 30


@pytest.mark.parametrize("first", [3, 11, 17])
def test_counting_is_counting(uci, first):
    recording = uci_recording(uci, "s1", "test")
    labels, _ = uci_intervals(uci, "s1", "test")
    assert len(repetitions(recording.cut(0, labels[first - 1].end_s + 0.5), KNEE, Side.RIGHT)) == first


@pytest.mark.parametrize(
    ("subject", "kind", "expected"),
    [("s2", "test", 30), ("s3", "test", 30)] + [(subject, "template", 9) for subject in ("s1", "s2", "s3")],
)
def test_other_people_and_sessions(uci, subject, kind, expected):
    assert len(repetitions(uci_recording(uci, subject, kind), KNEE, Side.RIGHT)) == expected


@pytest.mark.parametrize("subject", ["s1", "s2", "s3"])
def test_the_other_leg_lies_still(uci, subject):
    assert replay(uci_recording(uci, subject, "test"), KNEE, Side.LEFT) == []


def test_sensors_mounted_otherwise_say_the_same(uci):
    """Turning the sensors on their straps changes nothing that counts."""
    recording = uci_recording(uci, "s1", "test").cut(0, 60)
    rng = np.random.default_rng(0)
    turned = {}
    for segment, (acc, gyr) in recording.sensors.items():
        q, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        q *= np.sign(np.linalg.det(q))
        turned[segment] = (acc @ q, gyr @ q)
    other = Recording("turned", recording.rate_hz, recording.time_s, turned)
    one, two = (
        np.array([e.flexion_deg for e in replay(r, KNEE, Side.RIGHT) if isinstance(e, AngleSample)])
        for r in (recording, other)
    )
    assert np.abs(one - two).max() < 1.0
