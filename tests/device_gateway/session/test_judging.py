"""What is said of a repetition's form where a model can judge it, where none can, and where there is no angle."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.domain.session import FormLabel
from analytics.exercises import exercise
from analytics.motion.events import CalibrationRefused, RepetitionDone, RepetitionMotion
from device_gateway.session.judging import BY_PATTERN, Judge, refusal_cue
from device_gateway.uplink.release_checks import shipped_scorer

UNSCORED = "There is no form model for this exercise."
SQUAT = exercise("knee.squat")


def movement(excursion_deg: float | None) -> RepetitionDone:
    time_s = np.linspace(0.0, 4.0, 201)
    motion = (
        None if excursion_deg is None else RepetitionMotion(time_s, excursion_deg * np.sin(np.pi * time_s / 4) ** 2)
    )
    error_deg = None if excursion_deg is None else 2.0
    return RepetitionDone(
        number=1, start_s=0.0, peak_s=2.0, end_s=4.0, excursion_deg=excursion_deg, excursion_error_deg=error_deg,
        peak_flexion_deg=excursion_deg, peak_velocity_deg_s=excursion_deg, motion=motion,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("excursion_deg", "label", "reason"),
    [
        (40.0, FormLabel.LOW_AMPLITUDE, "Stopped at 40°, target 60°."),
        (59.0, FormLabel.NOT_JUDGED, UNSCORED),
        (75.0, FormLabel.NOT_JUDGED, UNSCORED),
        (None, FormLabel.NOT_JUDGED, BY_PATTERN),
    ],
)
def test_without_a_model_what_falls_short_by_more_than_its_error_is_told(excursion_deg, label, reason) -> None:
    form = Judge(SQUAT, None, UNSCORED).repetition(movement(excursion_deg), 7, 60.0).form
    assert (form.label, form.reason, form.probability) == (label, reason, None)


def test_a_model_judges_no_pattern() -> None:
    scorer, why = shipped_scorer("knee.extension.seated")
    assert scorer is not None
    judge = Judge(exercise("knee.extension.seated"), scorer, why)
    repetition = judge.repetition(movement(None), 2, 60.0)
    assert (repetition.form.label, repetition.form.reason) == (FormLabel.NOT_JUDGED, BY_PATTERN)
    assert (repetition.number, repetition.excursion_deg) == (2, None)


def test_who_is_asked_for_more_movement_hears_how_far_it_may_go() -> None:
    refused = CalibrationRefused(3.0, "Your knee moved by 8° only. Do five slow repetitions.")
    assert refusal_cue(refused, None).text == refused.sentence
    assert refusal_cue(refused, 50.4).text == f"{refused.sentence} Not beyond 50°."
