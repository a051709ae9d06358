from __future__ import annotations

import pytest

from analytics.domain.live import CueLevel
from analytics.domain.program import Dose
from analytics.domain.session import Form, FormLabel, Repetition
from analytics.exercises import exercise
from analytics.form.cues import QUIET_REPETITIONS, CueChooser

DOSE = Dose(sets=1, repetitions=10, target_excursion_deg=60)
KNEE = exercise("knee.extension.seated")


def repetition(number, label, excursion_deg=50.0):
    return Repetition(
        number=number, start_s=0, peak_s=1, end_s=2, excursion_deg=excursion_deg, excursion_error_deg=2,
        peak_flexion_deg=40, peak_velocity_deg_s=90, form=Form(label=label),
    )  # fmt: skip


@pytest.fixture
def chooser():
    return CueChooser(KNEE)


def test_a_fault_is_said_in_the_exercises_words(chooser):
    cue = chooser.after_repetition(repetition(1, FormLabel.TOO_FAST), DOSE)
    assert (cue.text, cue.level) == (KNEE.cues["too_fast"], CueLevel.WARN)


def test_the_same_is_not_said_again_within_three_repetitions(chooser):
    said = [n for n in range(1, 11) if chooser.after_repetition(repetition(n, FormLabel.TOO_FAST), DOSE)]
    assert said == [1, 1 + QUIET_REPETITIONS + 1, 1 + 2 * (QUIET_REPETITIONS + 1)]


def test_another_fault_may_be_said_at_once(chooser):
    assert chooser.after_repetition(repetition(1, FormLabel.TOO_FAST), DOSE)
    assert chooser.after_repetition(repetition(2, FormLabel.LOW_AMPLITUDE), DOSE).code == "low_amplitude"


def test_reaching_the_target_is_praised_and_never_called_small(chooser):
    cue = chooser.after_repetition(repetition(1, FormLabel.LOW_AMPLITUDE, 61), DOSE)
    assert (cue.code, cue.level) == ("target_reached", CueLevel.GOOD)


def test_a_fault_comes_before_praise(chooser):
    assert chooser.after_repetition(repetition(1, FormLabel.TOO_FAST, 61), DOSE).code == "too_fast"


def test_what_went_beyond_the_limit_is_not_praised():
    chooser = CueChooser(KNEE, 60)
    assert chooser.after_repetition(repetition(1, FormLabel.CORRECT, 60.5), DOSE) is None
    assert chooser.after_repetition(repetition(2, FormLabel.CORRECT, 60), DOSE).code == "target_reached"
    assert chooser.after_repetition(repetition(3, FormLabel.TOO_FAST, 61), DOSE).code == "too_fast"


def test_nothing_to_say(chooser):
    assert chooser.after_repetition(repetition(1, FormLabel.CORRECT), DOSE) is None
    assert chooser.after_repetition(repetition(2, FormLabel.NOT_JUDGED), DOSE) is None


def test_no_words_no_cue():
    silent = CueChooser(KNEE.model_copy(update={"cues": {}}))
    assert silent.after_repetition(repetition(1, FormLabel.TOO_FAST), DOSE) is None
