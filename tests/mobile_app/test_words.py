"""Figures in plain words say what the figures say, and no more."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from patient_scenes import DOSE, repetition, without_angle

from analytics.domain.exercise import Segment, Side
from analytics.domain.program import Dose, Prescription, Restriction
from analytics.domain.session import Form, FormLabel, Zero
from analytics.exercises import catalogue, exercise
from mobile_app import words


@pytest.mark.parametrize(
    ("hour", "greeting"),
    [(4, "Good morning"), (11, "Good morning"), (12, "Good afternoon"), (18, "Good evening"), (2, "Good evening")],
)
def test_greeting_fits_the_hour(hour, greeting):
    assert words.greeting(hour) == greeting


def test_counts_have_their_plural():
    assert [words.count(n, "repetition") for n in (0, 1, 7)] == ["0 repetitions", "1 repetition", "7 repetitions"]


def test_about_minutes_counts_repetitions_rests_and_settling():
    prescription = Prescription(exercise="x", side=Side.LEFT, dose=DOSE)
    assert words.about_minutes([prescription]) == 6  # 60 s + 30 × 5 s + 2 × 60 s
    assert words.about_minutes([prescription, prescription]) == 10


@given(st.integers(1, 20), st.integers(1, 100), st.floats(0, 600))
def test_a_program_never_takes_no_time(sets, repetitions, rest_s):
    dose = Dose(sets=sets, repetitions=repetitions, target_excursion_deg=60, rest_s=rest_s)
    assert words.about_minutes([Prescription(exercise="x", side=Side.LEFT, dose=dose)]) >= 1


def test_a_restriction_is_said_until_its_last_day():
    restriction = Restriction(exercise="x", largest_excursion_deg=75, until=date(2026, 12, 12), set_by="Dr Okafor")
    said = words.restriction_in_words(restriction, date(2026, 12, 12))
    assert said == "Do not move further than 75° until 12 December. Set by Dr Okafor."
    assert words.restriction_in_words(restriction, date(2026, 12, 13)) is None


def test_what_you_did_counts_what_was_counted():
    done = [repetition(n).model_copy(update={"excursion_deg": value}) for n, value in enumerate((90, 60, 62, 64), 1)]
    assert words.what_you_did(done, DOSE, "right knee") == "You did 4 of 30 repetitions and moved your right knee 64°."
    assert words.what_you_did(done[:1], None, "left knee") == "You did 1 repetition and moved your left knee 90°."
    circles = [without_angle(n) for n in (1, 2, 3)]
    assert words.what_you_did(circles, DOSE, "left ankle") == "You did 3 of 30 repetitions."
    assert words.what_you_did([], DOSE, "right knee") == "No repetition was counted this time."


def test_form_that_was_not_judged_is_not_praised():
    silent = Form(label=FormLabel.NOT_JUDGED, reason="no model")
    well = Form(label=FormLabel.CORRECT, probability=0.9)
    fast = Form(label=FormLabel.TOO_FAST, probability=0.9)
    assert words.how_it_looked([silent, silent]) == "How they were done could not be judged."
    assert words.how_it_looked([well, fast, silent]) == (
        "1 of 2 were done well, 1 a little too fast. 1 could not be judged."
    )
    assert words.how_it_looked([]) == ""


def test_an_unverified_zero_is_said_and_a_measured_one_is_not():
    assert "nobody has measured" in words.zero_in_words(Zero.REST_POSE_UNVERIFIED)
    assert words.zero_in_words(Zero.GONIOMETER) == ""


def test_only_joints_with_a_side_are_called_by_it():
    assert words.joint_in_words(Side.LEFT, "knee") == "Left knee"
    assert words.joint_in_words(Side.LEFT, "neck") == "Neck"
    assert words.SEGMENT_WORDS.keys() == set(Segment)
    assert words.SEGMENT_WORDS[Segment.RIGHT_UPPER_ARM] == "right upper arm"


def test_the_tempo_is_said_as_far_as_it_is_given():
    assert words.tempo(exercise("neck.retraction")) == "2 s out, hold 3 s, 2 s back"
    assert words.tempo(exercise("shoulder.pendulum")) == "At your own pace"
    assert words.hold(exercise("knee.wall_sit")) == "hold for 10 s each time"
    assert words.hold(exercise("knee.squat")) == ""


def test_there_are_words_for_every_exercise_of_the_catalogue():
    for one in catalogue().values():
        assert words.TAKE_POSITION[one.posture]
        assert words.let_go(one)
