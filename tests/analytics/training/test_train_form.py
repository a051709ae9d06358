from __future__ import annotations

import pytest

from analytics.domain.session import FormLabel
from analytics.exercises import exercise
from analytics.form.bundle import load_bundle, shipped_bundle
from analytics.training import dataset
from analytics.training.command import main
from analytics.training.dataset import DataError, describe_simulated, simulated_repetitions
from analytics.training.form import train

KNEE = exercise("knee.extension.seated")


def test_without_data_it_trains_on_simulated_bodies_and_the_card_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("SINEW_DATA", raising=False)
    monkeypatch.setattr(dataset, "SIMULATED_PEOPLE", 4)
    out = tmp_path / "form.tflite"
    assert main(["form", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "simulated" in said
    assert "left-out people" in said
    card = load_bundle(out).card
    assert card.data.simulated
    assert card.data.subjects == 4
    assert card.data.repetitions == 120
    assert "nobody" in card.limits[0]
    assert card.results[0].accuracy > 0.85
    first = out.read_bytes()
    assert main(["form", "--out", str(out)]) == 0
    assert out.read_bytes() == first, "the same data and seed give the same file"


def test_the_shipped_model_is_what_the_command_makes_of_the_real_data(data_folder, tmp_path):
    out = tmp_path / "form.tflite"
    assert main(["form", "--data", str(data_folder), "--out", str(out)]) == 0
    shipped = load_bundle(shipped_bundle(KNEE.code)).card
    made = load_bundle(out).card
    assert made.data == shipped.data
    assert made.results == shipped.results
    assert made.data.repetitions == 90
    assert set(made.results[0].accuracy_per_label) == {
        str(x) for x in (FormLabel.CORRECT, FormLabel.TOO_FAST, FormLabel.LOW_AMPLITUDE)
    }


def test_too_few_people_is_said(monkeypatch):
    monkeypatch.setattr(dataset, "SIMULATED_PEOPLE", 2)
    labelled = simulated_repetitions(KNEE, 0, lambda _: None)
    with pytest.raises(DataError, match="at least 3 people"):
        train(KNEE, labelled, describe_simulated(labelled), seed=0, version=1, progress=lambda _: None)


def test_a_folder_without_recordings_is_said(tmp_path, capsys):
    assert main(["form", "--data", str(tmp_path), "--out", str(tmp_path / "x.tflite")]) == 1
    assert "no recordings of seated knee extension" in capsys.readouterr().err
    assert not (tmp_path / "x.tflite").exists()
