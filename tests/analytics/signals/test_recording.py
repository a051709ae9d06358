import json

import numpy as np
import pytest

from analytics.signals.recording import RecordingError, load_recording

UNITS = ["left_ankle", "right_ankle", "right_knee", "left_knee", "chest"]


def arrays(count=50, rate_hz=25.0, **meta):
    noise = np.random.default_rng(5)
    readings = noise.normal(size=(2, count, 5, 3)).astype(np.float32)
    return {
        "meta": np.array(json.dumps(meta or {"units": UNITS})),
        "t": np.arange(count) / rate_hz,
        "acc": readings[0],
        "gyr": readings[1],
    }


@pytest.fixture
def saved(tmp_path):
    def save(**contents):
        path = tmp_path / "someone.npz"
        np.savez(path, **contents)
        return path

    return save


def refusal(path):
    with pytest.raises(RecordingError) as caught:
        load_recording(path)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def test_a_unit_is_named_by_the_joint_below_its_segment(saved):
    contents = arrays()
    recording = load_recording(saved(**contents))
    assert recording.name == "someone"
    assert recording.rate_hz == 25.0
    assert set(recording.sensors) == {"left_shank", "right_shank", "right_thigh", "left_thigh", "chest"}
    acc, gyr = recording.sensors["right_thigh"]
    np.testing.assert_array_equal(acc, contents["acc"][:, 2].astype(float))
    np.testing.assert_array_equal(gyr, contents["gyr"][:, 2].astype(float))


def test_sensors_that_no_segment_wears_are_left_out(saved):
    sensors = ["LeftFoot", "LeftShank", "LeftThigh", "LeftWrist", "Pelvis"]
    recording = load_recording(saved(**arrays(sensors=sensors)))
    assert set(recording.sensors) == {"left_shank", "left_thigh", "pelvis"}


def test_a_part_can_be_cut_out(saved):
    recording = load_recording(saved(**arrays()))
    part = recording.cut(0.4, 0.8)
    np.testing.assert_allclose(part.time_s, np.arange(10, 20) / 25)
    np.testing.assert_array_equal(part.sensors["chest"][0], recording.sensors["chest"][0][10:20])
    with pytest.raises(RecordingError, match=r"no samples from 7 s to 9 s; it runs from 0 s to 1.96 s"):
        recording.cut(7, 9)


def test_a_folder(tmp_path):
    assert f"{tmp_path} is a folder" in refusal(tmp_path)


def test_a_missing_file(tmp_path):
    assert "check the name" in refusal(tmp_path / "nowhere.npz")


@pytest.mark.parametrize("contents", [b"", b"not a recording", b"PK\x03\x04 and no more"], ids=["empty", "text", "zip"])
def test_a_file_that_is_no_npz(tmp_path, contents):
    path = tmp_path / "text.npz"
    path.write_bytes(contents)
    assert "copy or export it again" in refusal(path)


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.95, 0.999])
def test_a_truncated_file(saved, kept):
    path = saved(**arrays())
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    assert "truncated" in refusal(path)


def test_a_damaged_file(saved):
    path = saved(**arrays())
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    assert "truncated or is no .npz" in refusal(path)


def test_a_single_array(tmp_path):
    np.save(tmp_path / "one.npy", np.zeros(3))
    assert "single array" in refusal(tmp_path / "one.npy")


def test_objects_are_never_unpickled(saved):
    assert "truncated or is no .npz" in refusal(saved(**{**arrays(), "acc": np.array([{}], dtype=object)}))


@pytest.mark.parametrize("meta", ["{}", "[]", "7", "no json", '{"units": 3}'])
def test_an_unknown_form(saved, meta):
    assert "of a form that Sinew does not know" in refusal(saved(**{**arrays(), "meta": np.array(meta)}))


def test_a_recording_without_meta(saved):
    contents = arrays()
    del contents["meta"]
    assert "of a form that Sinew does not know" in refusal(saved(**contents))


@pytest.mark.parametrize("missing", ["t", "acc", "gyr"])
def test_a_missing_array(saved, missing):
    contents = arrays()
    del contents[missing]
    assert f"'{missing}'" in refusal(saved(**contents))


@pytest.mark.parametrize("name", ["t", "acc", "gyr"])
def test_an_array_of_another_length(saved, name):
    contents = arrays()
    assert "do not fit" in refusal(saved(**{**contents, name: contents[name][:-1]}))


@pytest.mark.parametrize("name", ["t", "acc", "gyr"])
def test_an_array_of_words(saved, name):
    contents = arrays()
    assert "not numbers" in refusal(saved(**{**contents, name: np.full(contents[name].shape, "x")}))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_reading_that_is_not_a_number(saved, value):
    contents = arrays()
    contents["gyr"][25, 2, 1] = value
    assert "right_thigh that are not numbers (NaN) at 1 s" in refusal(saved(**contents))


@pytest.mark.parametrize(("name", "factor", "said"), [("acc", 1e6, " g at "), ("gyr", 1e4, " °/s at ")])
def test_readings_that_no_worn_sensor_gives(saved, name, factor, said):
    contents = arrays()
    sentence = refusal(saved(**{**contents, name: contents[name] * factor}))
    assert said in sentence
    assert "more than any worn sensor measures" in sentence


def test_the_jolt_of_a_landing_is_played(saved):
    contents = arrays()
    contents["acc"][25, 2, 0] = 20 * 9.81
    assert load_recording(saved(**contents)).sensors["right_thigh"][0].max() == pytest.approx(20 * 9.81)


def test_a_time_that_is_not_a_number(saved):
    contents = arrays()
    contents["t"][7] = np.nan
    assert "times that are not numbers" in refusal(saved(**contents))


def test_a_nan_where_sinew_does_not_look_does_no_harm(saved):
    contents = arrays(sensors=["LeftFoot", "LeftShank", "LeftThigh", "LeftWrist", "Pelvis"])
    contents["acc"][3, 0] = np.nan
    assert load_recording(saved(**contents)).rate_hz == 25.0


@pytest.mark.parametrize("step_s", [0.0, -0.5])
def test_time_that_goes_backwards(saved, step_s):
    contents = arrays()
    contents["t"][26:] += step_s - 0.04
    assert "going backwards after 1 s" in refusal(saved(**contents))


def test_a_gap(saved):
    contents = arrays()
    contents["t"][26:] += 2.0
    assert "not evenly sampled after" in refusal(saved(**contents))


def test_a_recording_of_one_sample(saved):
    assert "at least two" in refusal(saved(**arrays(count=1)))


def test_a_recording_without_a_whole_leg(saved):
    units = ["right_knee", "right_wrist", "right_elbow", "right_shoulder", "chest"]
    assert "no thigh and shank of one leg (found: chest, right_thigh)" in refusal(saved(**arrays(units=units)))
    units = ["right_knee", "left_ankle", "a", "b", "chest"]
    assert "no thigh and shank of one leg" in refusal(saved(**arrays(units=units)))


def test_a_real_knee_extension(data_folder):
    recording = load_recording(data_folder / "uci_physical_therapy" / "s1_e1_test.npz")
    assert (recording.name, recording.rate_hz, len(recording.time_s)) == ("s1_e1_test", 25.0, 5949)
    thigh, shank = (np.abs(recording.sensors[segment][1]).mean() for segment in ("right_thigh", "right_shank"))
    assert shank > 3 * thigh, "in seated knee extension the shank turns and the thigh hardly does"
    assert np.linalg.norm(recording.sensors["right_thigh"][0], axis=1).mean() == pytest.approx(9.8, abs=0.3)


def test_all_real_recordings_load_or_say_why_not(data_folder):
    folders = ("uci_physical_therapy", "cmu_exercise_sub22")
    files = [path for folder in folders for path in sorted((data_folder / folder).glob("*.npz"))]
    refusals = []
    for path in files[::3]:
        try:
            assert load_recording(path).rate_hz in {25.0, 100.0}
        except RecordingError as error:
            refusals.append(str(error))
    assert 0 < len(refusals) < len(files) / 6
    assert all("no thigh and shank" in refusal for refusal in refusals)


@pytest.mark.parametrize("folder", ["ring_chain", "broad", "spar_watch"])
def test_a_real_recording_of_another_form(folder, data_folder):
    path = next((data_folder / folder).glob("*.npz"), None)
    if path is None:
        pytest.skip(f"no .npz in {folder}")
    assert "of a form that Sinew does not know" in refusal(path)
