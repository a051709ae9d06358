from __future__ import annotations

import json

from analytics.training.evaluate import main


def test_counted_against_labelled_cut_sets_included(data_folder, capsys):
    assert main(["repetitions", "--data", str(data_folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["task"] == "repetitions"
    (result,) = found["results"]
    assert result["metric"] == "sets_within_one"
    assert result["n"] == 6
    assert result["value"] == 1.0
    assert result["baselines"]["always_30"] == 0.5


def test_the_table_names_each_set(data_folder, capsys):
    assert main(["repetitions", "--data", str(data_folder)]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["s1_e1_test", "30", "30", "30"] in rows
    assert ["s1_e1_test", "first", "11", "11", "11", "11"] in rows


def test_a_folder_without_recordings_is_said(tmp_path, capsys):
    assert main(["repetitions", "--data", str(tmp_path)]) == 1
    assert capsys.readouterr().err.count("\n") == 1
