"""`sinew evaluate`: the command, what it prints, and how it finds recordings by their form."""

from __future__ import annotations

import json

import numpy as np
import pytest

from analytics.evaluation.command import TASKS, main
from analytics.evaluation.recordings import recordings_with
from analytics.evaluation.report import Report, Result
from analytics.signals.recording import RecordingError


def save(path, **arrays):
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **arrays)


@pytest.mark.parametrize("task", TASKS)
def test_a_folder_that_is_not_there_is_one_sentence(task, tmp_path, capsys):
    assert main([task, "--data", str(tmp_path / "nowhere")]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "There is no folder" in said.err


@pytest.mark.parametrize("task", TASKS)
def test_a_folder_without_recordings_is_one_sentence(task, tmp_path, capsys):
    assert main([task, "--data", str(tmp_path)]) == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("argv", [[], ["weather", "--data", "."], ["hinge"]])
def test_what_it_does_not_know_it_refuses(argv, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(argv)
    assert stopped.value.code == 2


def test_json_goes_out_and_progress_beside_it(data_folder, capsys):
    folder = data_folder / "mobgap_lowback"
    assert main(["repetitions", "--data", str(folder), "--json"]) == 0
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert (found["task"], found["data"]) == ("repetitions", str(folder))
    assert [one["metric"] for one in found["results"]] == ["false_per_minute"]
    assert set(found["results"][0]) == {"metric", "value", "unit", "n", "baselines"}
    assert "0 false" in said.err


def test_the_table_holds_what_the_json_holds(data_folder, capsys):
    assert main(["repetitions", "--data", str(data_folder / "mobgap_lowback")]) == 0
    out = capsys.readouterr().out
    assert "false_per_minute  0.000" in out
    assert "walking" in out


def test_a_report_lines_up_its_columns():
    report = Report(
        results=[Result("error_deg", 1.23456, "deg", 3, {"peer": 2.0}), Result("other", 10.0, "1", 12)],
        header=("trial", "error"),
        rows=[("first", "1.0"), ("a longer name", "12.5")],
        notes=["A sentence."],
    )
    assert report.as_text().splitlines() == [
        "trial          error",
        "first            1.0",
        "a longer name   12.5",
        "",
        "            Sinew   peer  unit   n",
        "error_deg   1.235  2.000   deg   3",
        "other      10.000      –     1  12",
        "",
        "A sentence.",
    ]
    assert json.loads(report.as_json("hinge", "here"))["results"][0] == {
        "metric": "error_deg",
        "value": 1.2346,
        "unit": "deg",
        "n": 3,
        "baselines": {"peer": 2.0},
    }


def test_recordings_are_found_by_their_arrays_at_any_depth(tmp_path):
    save(tmp_path / "b" / "deep" / "two.npz", acc=np.zeros((4, 3)), gyr=np.zeros((4, 3)), meta='{"fs": 50.0}')
    save(tmp_path / "a" / "one.npz", acc=np.ones((2, 3)), gyr=np.zeros((2, 3)))
    save(tmp_path / "a" / "other.npz", quat=np.zeros((2, 4)))
    np.save(tmp_path / "a" / "alone.npy", np.zeros(3))
    found = recordings_with(tmp_path, "acc", "gyr")
    assert [one.name for one in found] == ["one", "two"]
    assert found[1].meta == {"fs": 50.0}
    assert found[0].numbers("acc").dtype == np.float64
    assert "gyr" in found[0]
    assert "mag" not in found[0]


def test_an_array_that_is_missing_or_no_number_is_said(tmp_path):
    save(tmp_path / "one.npz", acc=np.array(["a", "b"]))
    (one,) = recordings_with(tmp_path, "acc")
    with pytest.raises(RecordingError, match="no array 'gyr'"):
        one.numbers("gyr")
    with pytest.raises(RecordingError, match="no numbers in 'acc'"):
        one.numbers("acc")


def test_no_recording_of_the_form_is_said_with_the_form(tmp_path):
    save(tmp_path / "one.npz", quat=np.zeros((2, 4)))
    with pytest.raises(RecordingError, match="holds 'acc', 'gyr' and 'mag'"):
        recordings_with(tmp_path, "acc", "gyr", "mag")


def test_an_empty_recording_is_named(tmp_path):
    (tmp_path / "one.npz").write_bytes(b"")
    with pytest.raises(RecordingError, match=r"one\.npz"):
        recordings_with(tmp_path, "acc")


def test_a_truncated_recording_and_one_that_is_none_are_told_apart(tmp_path):
    np.savez(tmp_path / "whole.npz", acc=np.zeros((100, 3)), gyr=np.zeros((100, 3)))
    with (tmp_path / "single.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    (one,) = recordings_with(tmp_path, "acc", "gyr")
    assert one.name == "whole"
    half = (tmp_path / "whole.npz").read_bytes()[:400]
    (tmp_path / "whole.npz").write_bytes(half)
    with pytest.raises(RecordingError, match=r"whole\.npz is truncated"):
        recordings_with(tmp_path, "acc")
