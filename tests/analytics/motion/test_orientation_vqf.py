"""Our VQF against the authors' package, on real recordings (BROAD)."""

from __future__ import annotations

import json
from typing import NamedTuple

import numpy as np
import pytest

from analytics.motion import rotations
from analytics.motion.orientation.vqf import Vqf
from analytics.motion.orientation.vqf_offline import offline_vqf

EQUAL_RAD = 1e-6
SLICE = slice(9000, 12000)
WHOLE = slice(None)


class Trials(NamedTuple):
    rate_hz: float
    gyr: np.ndarray
    acc: np.ndarray
    mag: np.ndarray


def trials(data_folder, which, part):
    """Some trials side by side (n, k, 3), cut to the shortest."""
    files = sorted((data_folder / "broad").glob("*.npz"))[which]
    if not files:
        pytest.skip("no BROAD recordings")
    loaded = [np.load(file) for file in files]
    shortest = min(len(one["gyr"]) for one in loaded)
    arrays = [np.stack([one[key][:shortest][part].astype(float) for one in loaded], 1) for key in ("gyr", "acc", "mag")]
    return Trials(json.loads(str(loaded[0]["meta"]))["fs"], *arrays)


def ours(trial, magnetic):
    filter_ = Vqf(trial.rate_hz, trial.gyr.shape[1])
    mags = trial.mag if magnetic else [None] * len(trial.gyr)
    return np.stack([filter_.update(*sample) for sample in zip(trial.gyr, trial.acc, mags, strict=True)])


def theirs(trial, k, rows=WHOLE):
    vqf = pytest.importorskip("vqf")
    return vqf.VQF(1 / trial.rate_hz).updateBatch(*(np.ascontiguousarray(x[rows, k]) for x in trial[1:]))


@pytest.mark.parametrize(("magnetic", "key"), [(False, "quat6D"), (True, "quat9D")])
@pytest.mark.parametrize(
    ("which", "part"), [(slice(None, None, 6), SLICE), pytest.param(WHOLE, WHOLE, marks=pytest.mark.long)]
)
def test_online_equals_the_package(data_folder, which, part, magnetic, key):
    trial = trials(data_folder, which, part)
    found = ours(trial, magnetic)
    for k in range(found.shape[1]):
        assert rotations.angle_between(found[:, k], theirs(trial, k)[key]).max() < EQUAL_RAD


@pytest.mark.parametrize(("magnetic", "key"), [(False, "quat6D"), (True, "quat9D")])
@pytest.mark.parametrize("which", [9, pytest.param(3, marks=pytest.mark.long)])
def test_offline_equals_the_package(data_folder, which, magnetic, key):
    vqf = pytest.importorskip("vqf")
    trial = trials(data_folder, slice(which, which + 1), slice(3000, 6000) if which != 3 else WHOLE)
    gyr, acc, mag = (np.ascontiguousarray(x[:, 0]) for x in trial[1:])
    found = offline_vqf(gyr, acc, trial.rate_hz, mag if magnetic else None)
    expected = vqf.offlineVQF(gyr, acc, mag if magnetic else None, 1 / trial.rate_hz)[key]
    assert rotations.angle_between(found, expected).max() < EQUAL_RAD


def test_a_sensor_without_a_sample_stays_where_it_is_and_the_others_go_on(data_folder):
    trial = trials(data_folder, slice(0, 2), slice(9000, 12000))
    live = np.random.default_rng(1).random(len(trial.gyr)) < 0.7
    trial.gyr[~live, 0] = np.nan
    found = ours(trial, magnetic=True)
    expected = theirs(trial, 0, live)["quat9D"]
    assert rotations.angle_between(found[live, 0], expected).max() < EQUAL_RAD
    held = np.flatnonzero(~live[1:]) + 1
    assert np.array_equal(found[held, 0], found[held - 1, 0])
    assert rotations.angle_between(found[:, 1], theirs(trial, 1)["quat9D"]).max() < EQUAL_RAD
