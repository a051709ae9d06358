"""docs/exercises.md tells the truth, and `sinew exercises` does what it says there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import sinew
from analytics.domain.body import Direction, Joint
from analytics.domain.drawing import FixedPoint, PoseAngle, Prop
from analytics.domain.exercise import Posture, RepetitionKind
from analytics.domain.release import split_release
from analytics.exercises.reading import read_exercise
from device_gateway.uplink.release_checks import check_signature, check_use

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "exercises.md").read_text("utf-8")
EXAMPLE = re.search(r"<!-- example.*?-->\n```toml\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def example(tmp_path: Path) -> Path:
    assert EXAMPLE
    path = tmp_path / "clinic.prayer_stretch.toml"
    path.write_text(EXAMPLE[1], "utf-8")
    return path


def test_the_table_is_made_from_the_catalogue():
    done = subprocess.run(
        [sys.executable, "tools/exercise_table.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_page_names_every_word_there_is():
    other = {f"other_{name}" for name in PoseAngle}
    words = [*Direction, *Joint, *FixedPoint, *Prop, *Posture, *RepetitionKind, *(set(PoseAngle) - other)]
    assert [word for word in words if not re.search(rf"\b{word}\b", PAGE)] == []


def test_the_example_on_the_page_is_checked_and_drawn(example, tmp_path, capsys):
    assert sinew.main(["exercises", "check", str(example)]) == 0
    assert "Prayer stretch of the wrist is well described." in capsys.readouterr().out
    assert sinew.main(["exercises", "draw", str(example), str(tmp_path / "picture.svg"), "--side", "left"]) == 0
    assert (tmp_path / "picture.svg").read_text("utf-8").startswith("<svg ")
    assert read_exercise(example.read_text("utf-8"), example.stem).toward == -1


def test_the_example_is_signed_as_the_page_says_and_a_gateway_would_use_it(example, tmp_path, capsys):
    command = re.search(r"`sinew (server release sign [^`]+)`", PAGE)
    assert command
    words = command[1].replace("clinic.prayer_stretch.toml", str(example)).replace("KEY", str(tmp_path / "key")).split()
    assert sinew.main(["server", "release", "new-key", str(tmp_path / "key")]) == 0
    assert sinew.main([*words, "--into", str(tmp_path / "releases")]) == 0
    (released,) = (tmp_path / "releases").glob("*.release")
    release, content = split_release(released.read_bytes())
    check_signature(release, (release.key,))
    check_use(release, content)


def test_a_slip_in_the_example_is_told(example, capsys):
    example.write_text(example.read_text("utf-8").replace('"extension"', '"abduction"'), "utf-8")
    assert sinew.main(["exercises", "check", str(example)]) == 1
    told = capsys.readouterr().err
    assert "angle.direction is abduction, which a wrist cannot do; allowed are flexion, extension," in told


def test_the_catalogue_is_listed_and_what_is_not_there_is_refused(tmp_path, capsys):
    assert sinew.main(["exercises", "list"]) == 0
    assert "neck.rotation" in capsys.readouterr().out
    assert sinew.main(["exercises", "draw", "neck.rotatoin", str(tmp_path / "a.svg")]) == 1
    assert "there is neck.rotation" in capsys.readouterr().err
    assert sinew.main(["exercises", "check", str(tmp_path / "gone.toml")]) == 1
    assert "gone.toml" in capsys.readouterr().err


def test_replacing_one_of_the_catalogue_is_said(tmp_path, capsys):
    shipped = ROOT / "analytics" / "exercises" / "neck" / "neck.rotation.toml"
    (tmp_path / shipped.name).write_bytes(shipped.read_bytes())
    assert sinew.main(["exercises", "check", str(tmp_path / shipped.name)]) == 0
    assert "signed as a release, it takes the place" in capsys.readouterr().out
