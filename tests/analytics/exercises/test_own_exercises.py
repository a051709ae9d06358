"""A clinic's own exercises: what is well described is used, what is not is told, and nothing else suffers."""

from __future__ import annotations

from pathlib import Path

import pytest

import sinew
from analytics.exercises import UnknownExercise, catalogue, exercise, exercise_among
from analytics.exercises.folder import read_folder

SHIPPED = Path(__file__).parents[3] / "analytics" / "exercises"
WRIST = (SHIPPED / "wrist" / "wrist.extension.toml").read_text("utf-8")
TEXT = WRIST.replace("wrist.extension", "clinic.prayer_stretch")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "clinic.prayer_stretch.toml").write_text(TEXT, "utf-8")
    return tmp_path


def test_a_folder_of_good_files_has_no_faults(folder):
    (folder / "notes.txt").write_text("not an exercise", "utf-8")
    own = read_folder(folder)
    assert (own.texts, own.faults) == ({"clinic.prayer_stretch": TEXT}, ())
    assert exercise_among(own.texts, "clinic.prayer_stretch").name == "Wrist extension"
    assert exercise_among(own.texts, "knee.squat") is exercise("knee.squat")


def test_no_folder_is_no_exercises(tmp_path):
    assert read_folder(tmp_path / "exercises").texts == {}


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("clinic.wrong", TEXT.replace('"extension"', '"abduction"').replace("prayer_stretch", "wrong"),
         "angle.direction is abduction, which a wrist cannot do"),
        ("clinic.slip", TEXT.replace("posture", "postur").replace("prayer_stretch", "slip"), "did you mean posture?"),
        ("clinic.other", TEXT, "calls itself 'clinic.prayer_stretch'"),
        ("clinic.broken", "code = ", "is not valid TOML"),
        ("knee.squat", (SHIPPED / "knee" / "knee.squat.toml").read_text("utf-8"), "give yours a code of its own"),
    ],
)  # fmt: skip
def test_a_bad_file_is_told_by_its_name_and_the_others_are_used(folder, name, text, told):
    path = folder / f"{name}.toml"
    path.write_text(text, "utf-8")
    own = read_folder(folder)
    assert list(own.texts) == ["clinic.prayer_stretch"]
    assert own.faults
    assert all(fault.startswith(f"{path}: ") for fault in own.faults)
    assert any(told in fault for fault in own.faults), own.faults


def test_what_is_not_text_and_what_cannot_be_read_is_told(folder):
    (folder / "clinic.bytes.toml").write_bytes(b"\xff\xfe")
    (folder / "clinic.folder.toml").mkdir()
    own = read_folder(folder)
    assert list(own.texts) == ["clinic.prayer_stretch"]
    assert [fault.split(" ")[0] for fault in own.faults] == [
        f"{folder / 'clinic.bytes.toml'}:",
        f"{folder / 'clinic.folder.toml'}",
    ]


def test_what_ships_is_never_replaced_by_a_text_that_came_along():
    assert exercise_among({"knee.squat": "nonsense"}, "knee.squat") is catalogue()["knee.squat"]


def test_a_text_that_this_release_does_not_understand_is_unknown_and_says_which_field():
    newer = TEXT.replace('joint = "wrist"', 'joint = "thumb"')
    with pytest.raises(UnknownExercise, match="joint is 'thumb'; allowed are") as caught:
        exercise_among({"clinic.prayer_stretch": newer}, "clinic.prayer_stretch")
    assert caught.value.code == "clinic.prayer_stretch"
    with pytest.raises(UnknownExercise, match="is not in the catalogue"):
        exercise_among({}, "clinic.prayer_stretch")


def test_a_field_of_a_later_release_does_no_harm_on_the_way():
    later = TEXT.replace('joint = "wrist"', 'joint = "wrist"\nmusic = "slow"')
    assert exercise_among({"clinic.prayer_stretch": later}, "clinic.prayer_stretch").joint == "wrist"


def test_a_folder_is_checked_as_the_server_reads_it(folder, capsys):
    assert sinew.main(["exercises", "check", str(folder)]) == 0
    assert "clinic.prayer_stretch.toml: Wrist extension is well described." in capsys.readouterr().out
    (folder / "knee.squat.toml").write_bytes((SHIPPED / "knee" / "knee.squat.toml").read_bytes())
    assert sinew.main(["exercises", "check", str(folder)]) == 1
    assert "knee.squat is the code of an exercise that comes with the program" in capsys.readouterr().err
