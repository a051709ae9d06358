"""What is wrong with an exercise's file is said in a sentence: the file, the field, what is wrong, what is allowed."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from importlib import resources
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.domain.exercise import Exercise
from analytics.exercises import ExerciseError
from analytics.exercises.reading import read_exercise, read_file, understand
from analytics.exercises.svg import svg

CODE = "hip.abduction.standing"


def entry() -> dict[str, Any]:
    text = (resources.files("analytics") / "exercises" / "hip" / f"{CODE}.toml").read_text("utf-8")
    return tomllib.loads(text)


def changed(**changes: Any) -> Callable[[dict[str, Any]], None]:
    """Change fields by path: angle__direction="sideways"; None takes one away."""

    def change(raw: dict[str, Any]) -> None:
        for path, value in changes.items():
            *way, last = path.split("__")
            at = raw
            for step in way:
                at = at[step]
            if value is None:
                del at[last]
            else:
                at[last] = value

    return change


FAULTS = {
    "missing": (changed(name=None), "hip.abduction.standing: name is missing."),
    "inside": (changed(angle__direction=None), "angle.direction is missing"),
    "slip": (changed(instruction=["Lift."]), "instruction is not a field of an exercise; did you mean instructions?"),
    "inner slip": (changed(angle__rest=3), "angle.rest is not a field of an exercise; did you mean rest_deg?"),
    "unlike": (changed(dose__zzz=3), "dose.zzz is not a field of an exercise; there are sets, repetitions"),
    "joint": (changed(joint="leg"), "joint is 'leg'; allowed are knee, hip, ankle, shoulder"),
    "code": (changed(code="Hip Abduction"), "a code is lower-case words with dots"),
    "cannot": (changed(angle__direction="dorsiflexion"), "angle.direction is dorsiflexion, which a hip cannot do"),
    "sensors": (changed(sensors__required=["thigh", "shank"]), "sensors.required must be pelvis, thigh"),
    "no target": (changed(dose__target_excursion_deg=None), "give both or neither"),
    "small target": (changed(dose__target_excursion_deg=2), "below angle.least_excursion_deg"),
    "no hold": (changed(repetition__kind="hold", repetition__hold_s=0), "hold_s must be above 0"),
    "no words": (changed(cues__lean_aside=None), "the compensation lean_aside has no words: add them under cues"),
    "unseen": (changed(sensors__optional=[]), "seen only with a sensor on chest: add it to sensors.optional"),
    "long cue": (changed(cues__too_fast="slower " * 20), "cues.too_fast is"),
    "system": (changed(codes={"icd10": "M17"}), "codes has icd10; allowed are loinc and snomed_ct"),
    "one pose": (changed(drawing__poses=[{"hip_flexion": 3}]), "drawing.poses: tuple should have at least 2 items"),
    "pose": (changed(drawing__poses=[{"toe": 3}, {"toe": 4}]), "allowed are pelvis_lean,"),
    "endless": (
        changed(drawing__poses=[{"hip_flexion": float("inf")}] * 2),
        "hip_flexion is inf: input should be less",
    ),
    "number": (changed(dose__sets=0), "dose.sets is 0: input should be greater than or equal to 1"),
}


def test_the_untouched_entry_is_read():
    assert understand(entry(), CODE, exactly=True).code == CODE


@pytest.mark.parametrize(("change", "says"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_named(change, says):
    raw = entry()
    change(raw)
    with pytest.raises(ExerciseError) as caught:
        understand(raw, CODE, exactly=True)
    assert any(says in fault for fault in caught.value.faults), caught.value.faults
    assert all(fault.startswith(f"The exercise {CODE}") and fault.endswith(".") for fault in caught.value.faults)


NONSENSE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["hip", "rotation"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["joint", "a"]), inner, max_size=2),
    max_leaves=5,
)


@given(st.data())
def test_whatever_is_written_is_read_or_refused_with_sentences(data):
    raw = entry()
    at: Any = raw
    while True:
        key = data.draw(st.sampled_from([*at] if isinstance(at, dict) else range(len(at))))
        if not at[key] or not isinstance(at[key], dict | list) or data.draw(st.booleans()):
            break
        at = at[key]
    at[key] = data.draw(NONSENSE)
    try:
        found = understand(raw, CODE, exactly=True)
    except ExerciseError as error:
        told = error.faults
    else:
        told = ()
        assert "nan" not in svg(found)
    assert all(fault.endswith(".") for fault in told)


def test_every_fault_is_told_at_once():
    raw = entry()
    changed(name=None, joint="leg", dose__sets=0)(raw)
    with pytest.raises(ExerciseError) as caught:
        understand(raw, CODE)
    assert len(caught.value.faults) == 3
    assert str(caught.value) == caught.value.faults[0]


def test_a_gateway_reads_what_a_later_release_says_more():
    raw = entry() | {"music": "calm"}
    assert understand(raw, CODE).code == CODE
    with pytest.raises(ExerciseError, match="music"):
        understand(raw, CODE, exactly=True)


def test_what_is_no_toml_is_said():
    with pytest.raises(ExerciseError, match="not valid TOML"):
        read_exercise("code = ", "a.b")


def test_code_must_be_the_files_name():
    with pytest.raises(ExerciseError, match="make the two the same"):
        understand(entry(), "another.one")


def test_a_file_that_is_none_of_ours_is_refused(tmp_path):
    (tmp_path / "a.b.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ExerciseError, match="plain text"):
        read_file(tmp_path / "a.b.toml")
    with pytest.raises(ExerciseError, match=r"does not end in \.toml"):
        read_file(tmp_path / "a.b.txt")


@pytest.mark.parametrize(
    ("test", "says"),
    [
        ({"measures": "time", "seconds": 30}, "needs repetitions"),
        ({"measures": "repetitions", "repetitions": 5}, "needs seconds"),
        ({"measures": "time", "repetitions": 5, "seconds": 30}, "no seconds"),
    ],
)
def test_a_timed_test_says_how_much(test, says):
    figure = {"group": "all", "value": 1, "means": "mean", "source": "here"}
    with pytest.raises(ValueError, match=says):
        Exercise.model_validate(entry() | {"test": test | {"references": [figure], "errors": [figure]}})
