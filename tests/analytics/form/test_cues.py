from __future__ import annotations

import pytest

from analytics.domain.live import CueLevel
from analytics.domain.measure import Measure, Unit
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


def leaning(number, *, back_deg, error_deg=2.0, label=FormLabel.CORRECT, excursion_deg=61.0):
    measure = Measure(
        code="compensation.lean_back", name="Leaning back", value=back_deg, unit=Unit.DEGREE, error=error_deg
    )
    return repetition(number, label, excursion_deg).model_copy(update={"measures": (measure,)})


def test_helping_oneself_is_said_instead_of_praise(chooser):
    cue = chooser.after_repetition(leaning(1, back_deg=20), DOSE)
    assert (cue.code, cue.text, cue.level) == ("lean_back", KNEE.cues["lean_back"], CueLevel.WARN)
    assert chooser.after_repetition(leaning(2, back_deg=20), DOSE) is None, "nor is it praised while that is quiet"


def test_a_compensation_is_believed_only_beyond_its_own_error(chooser):
    limit_deg = KNEE.compensations[0].limit_deg
    assert chooser.after_repetition(leaning(1, back_deg=limit_deg + 1), DOSE).code == "target_reached"
    assert chooser.after_repetition(leaning(2, back_deg=limit_deg + 3), DOSE).code == "lean_back"


def test_one_cue_at_a_time_and_what_is_unsafe_first(chooser):
    fast = leaning(1, back_deg=30, label=FormLabel.TOO_FAST)
    assert chooser.after_repetition(fast, DOSE).code == "too_fast"
    assert chooser.after_repetition(leaning(2, back_deg=30, label=FormLabel.TOO_FAST), DOSE).code == "lean_back"
    short = leaning(3, back_deg=0, label=FormLabel.LOW_AMPLITUDE, excursion_deg=40)
    assert chooser.after_repetition(short, DOSE).code == "low_amplitude"


def test_without_an_angle_there_is_neither_reproach_nor_praise():
    pendulum = exercise("shoulder.pendulum")
    dose = DOSE.model_copy(update={"target_excursion_deg": None})
    assert CueChooser(pendulum).after_repetition(repetition(1, FormLabel.NOT_JUDGED, None), dose) is None
    assert CueChooser(KNEE, 60).after_repetition(repetition(1, FormLabel.NOT_JUDGED, None), DOSE) is None
