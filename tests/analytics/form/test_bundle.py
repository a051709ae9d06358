from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest

from analytics.domain.session import FormLabel
from analytics.form.bundle import BundleError, FormScorer, load_bundle, shipped_bundle
from analytics.form.card import CARD_NAME, read_card, write_bundle
from analytics.motion.events import RepetitionMotion


@pytest.fixture(scope="module")
def scorer(shipped):
    return load_bundle(shipped)


def model_alone(bundle):
    return bundle[: bundle.rindex(b"PK\x03\x04")]


def test_the_shipped_model_says_what_it_is(scorer):
    assert scorer.name == "knee.extension.seated 2"
    card = scorer.card
    assert not card.data.simulated
    assert card.data.licence == "CC BY 4.0"
    assert "Yurtman" in card.data.citation
    assert card.data.sha256.keys() == {f"s{s}_e1_{kind}.npz" for s in (1, 2, 3) for kind in ("test", "template")}
    own, typical, prescribed = card.results
    assert own.n == typical.n == prescribed.n == 90
    assert own.accuracy > 0.9
    assert prescribed.accuracy > typical.accuracy > own.majority_baseline
    assert 0 < card.gate.held_out_rate < 0.1
    assert shipped_bundle("no.such.exercise") is None


def test_the_three_kinds(scorer, motion):
    slow_full, fast, small = motion(75), motion(74, 0.9, 0.3, 0.9), motion(54)
    assert scorer.judge(slow_full, 75.0).label is FormLabel.CORRECT
    assert scorer.judge(fast, 75.0).label is FormLabel.TOO_FAST
    found = scorer.judge(small, 75.0)
    assert found.label is FormLabel.LOW_AMPLITUDE
    assert 0.6 <= found.probability <= 1
    assert found.reason is None


def test_small_is_small_for_this_person(scorer, motion):
    assert scorer.judge(motion(54), 54.0).label is FormLabel.CORRECT


@pytest.mark.parametrize("excursion_deg", [52.0, 56.0, 59.0, 61.0])
def test_what_falls_short_of_the_target_is_never_called_correct(scorer, motion, excursion_deg):
    """People who showed 75° moved 51° to 63° when they moved too little: near to a target of 65°, but short of it."""
    found = scorer.judge(motion(excursion_deg), 65.0, excursion_deg=excursion_deg, excursion_error_deg=3.0)
    assert found.label is FormLabel.LOW_AMPLITUDE
    measured = f"Measured: {excursion_deg:.0f}° ± 3° of 65° asked for."
    assert (found.probability is None) == (found.reason == measured)


def test_the_trackers_measure_decides_and_not_the_curve_from_where_the_movement_was_noticed(scorer, motion):
    found = scorer.judge(motion(60), 65.0, excursion_deg=63.0, excursion_error_deg=3.0)
    assert found.label is FormLabel.CORRECT


def test_what_is_unlike_anything_known_is_not_judged(scorer, motion):
    t = np.arange(500) / 25
    shaking = RepetitionMotion(t, 90 - 75 * np.sin(np.pi * t / 20) ** 2 - 8 * np.sin(2 * np.pi * 1.5 * t))
    crawling = motion(75, 15.0, 1.0, 15.0)
    broken = RepetitionMotion(t, np.full_like(t, np.nan))
    for strange in (shaking, crawling, broken):
        found = scorer.judge(strange, 75.0)
        assert found.label is FormLabel.NOT_JUDGED
        assert found.probability is None
        assert found.reason.endswith(".")


def test_the_gate_is_what_refuses(shipped, motion):
    """Without it the model would guess, and be sure of itself."""
    bundle = shipped.read_bytes()
    card = read_card(bundle)
    ungated = card.model_copy(update={"gate": card.gate.model_copy(update={"largest_distance": 1e9})})
    found = FormScorer(write_bundle(model_alone(bundle), ungated)).judge(motion(75, 15.0, 1.0, 15.0), 75.0)
    assert found.label is not FormLabel.NOT_JUDGED


def test_writing_it_again_gives_the_same_bytes(shipped):
    bundle = shipped.read_bytes()
    assert write_bundle(model_alone(bundle), read_card(bundle)) == bundle


def test_a_changed_weight_is_refused_by_the_golden_values(shipped):
    bundle = bytearray(shipped.read_bytes())
    model = model_alone(bytes(bundle))
    floats = np.frombuffer(model[: len(model) // 4 * 4], "<f4").copy()
    weights = np.flatnonzero((np.abs(floats) > 0.05) & (np.abs(floats) < 5))
    floats[weights] *= 1.3
    changed = floats.tobytes() + model[len(model) // 4 * 4 :]
    with pytest.raises(BundleError, match=r"than when it was trained|does not take this model"):
        FormScorer(write_bundle(changed, read_card(bytes(bundle))))


@pytest.mark.parametrize("size", [0, 10, 1000, -10])
def test_a_truncated_file_is_refused(shipped, tmp_path, size):
    path = tmp_path / "cut.tflite"
    path.write_bytes(shipped.read_bytes()[:size])
    with pytest.raises(BundleError, match="no card or is damaged"):
        load_bundle(path)


def test_no_file(tmp_path):
    with pytest.raises(BundleError, match="cannot be read"):
        load_bundle(tmp_path / "none.tflite")


def test_a_card_of_another_shape_or_format_is_refused(shipped):
    bundle = shipped.read_bytes()
    card = read_card(bundle)
    with pytest.raises(BundleError, match="format 2"):
        FormScorer(write_bundle(model_alone(bundle), card.model_copy(update={"format": 2})))
    with pytest.raises(BundleError, match="other features"):
        FormScorer(write_bundle(model_alone(bundle), card.model_copy(update={"features": card.features[:-1]})))
    with pytest.raises(BundleError, match="do not fit each other"):
        FormScorer(write_bundle(model_alone(bundle), card.model_copy(update={"labels": card.labels[:2]})))


def test_no_model_before_the_card_is_refused(shipped):
    with pytest.raises(BundleError, match="does not take this model"):
        FormScorer(write_bundle(b"TFL3" * 100, read_card(shipped.read_bytes())))


def test_the_card_can_be_read_by_anyone(shipped):
    with zipfile.ZipFile(shipped) as archive:
        assert json.loads(archive.read(CARD_NAME))["exercise"] == "knee.extension.seated"
