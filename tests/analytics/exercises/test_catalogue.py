from __future__ import annotations

import pytest

from analytics.domain.exercise import Segment, Side
from analytics.exercises import ExerciseError, UnknownExercise, catalogue, exercise
from analytics.exercises.catalogue import read_exercise


def test_seated_knee_extension_is_there_with_words_for_each_fault():
    found = exercise("knee.extension.seated")
    assert found.rest_flexion_deg == 90
    assert found.proximal_segment(Side.LEFT) is Segment.LEFT_THIGH
    assert found.distal_segment(Side.RIGHT) is Segment.RIGHT_SHANK
    assert {"too_fast", "low_amplitude"} <= found.cues.keys()
    assert all(len(words) <= 60 for words in found.cues.values()), "a cue is short enough to be spoken"


def test_catalogue_is_a_copy():
    catalogue().clear()
    assert catalogue()


def test_unknown_exercise_names_the_known():
    with pytest.raises(UnknownExercise, match=r"knee\.extension\.seated") as caught:
        exercise("knee.extension.flying")
    assert isinstance(caught.value, KeyError)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("code = ", "not valid TOML"),
        ('code = "a"', "fault at 'name'"),
    ],
)
def test_a_faulty_file_says_what_is_wrong(text, says):
    with pytest.raises(ExerciseError, match=says):
        read_exercise(text, "a")


def test_code_must_be_the_files_name():
    good = exercise("knee.extension.seated")
    text = "\n".join(
        f"{name} = {value!r}".replace("'", '"').replace("(", "[").replace(")", "]")
        for name, value in good.model_dump(mode="python", exclude={"cues", "direction"}).items()
    )
    text += '\ndirection = "extension"\n[cues]\n'
    assert read_exercise(text, good.code).name == good.name
    with pytest.raises(ExerciseError, match="make the two the same"):
        read_exercise(text, "another")
