"""Our own filter and smoother, on movements whose truth is known exactly."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from analytics.motion import rotations
from analytics.motion.orientation import OrientationFilter, online_and_smoothed
from analytics.motion.orientation.filter import GRAVITY_M_S2

RATE_HZ = 100.0
STILL_S = 4.0
SCALE = np.eye(3) + 0.01 * np.array([[1.0, 0.3, -0.5], [0.2, -0.8, 0.4], [0.6, -0.2, 0.7]])


def moving(seconds, bias_deg_s=(0.0, 0.0, 0.0), scale=None, speed_m_s=0.5, rate_rad_s=3.0, seed=0):
    """A sensor that lies still, then turns and swings about: gyr, acc (n, 3) and true orientations (n, 4)."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    begun = np.clip(t - STILL_S, 0.0, 1.0)[:, None]
    waves = 2 * np.pi * np.array([0.31, 0.47, 0.73])
    rate = begun * rate_rad_s * np.sin(t[:, None] * waves + rng.uniform(0, 6, 3))
    acc_earth = begun * speed_m_s * (waves * 1.7) * np.cos(t[:, None] * waves * 1.7 + rng.uniform(0, 6, 3))
    truth = np.empty((len(t), 4))
    q = rotations.from_rotation_vector(rng.uniform(-1, 1, 3))
    for i, step in enumerate(rotations.from_rotation_vector(rate / RATE_HZ)):
        truth[i] = q = rotations.multiply(q, step)
    acc = rotations.rotate(rotations.conjugate(truth), acc_earth + np.array([0, 0, GRAVITY_M_S2]))
    measured = rate @ np.linalg.inv(np.eye(3) if scale is None else scale).T + np.radians(bias_deg_s)
    return measured + rng.normal(0, 0.002, rate.shape), acc + rng.normal(0, 0.03, acc.shape), truth


def followed(filter_, gyr, acc, **others):
    """Orientations (n, 4) of a single sensor."""
    extra = [{key: value[i : i + 1] for key, value in others.items()} for i in range(len(gyr))]
    return np.stack([filter_.update(g[None], a[None], **e)[0] for g, a, e in zip(gyr, acc, extra, strict=True)])


def error_deg(found, truth):
    return np.degrees(rotations.inclination_between(found, truth))


def test_it_learns_how_the_gyroscope_errs():
    """Scale errors of 0.8 % and cross-axis errors of 0.5 % are known to half within a minute and a half."""
    gyr, acc, truth = moving(90, bias_deg_s=(0.7, -0.5, 0.3), scale=SCALE)
    filter_ = OrientationFilter(RATE_HZ, 1)
    error = error_deg(followed(filter_, gyr, acc), truth)
    assert np.degrees(filter_.bias_rad_s[0]) == pytest.approx([0.7, -0.5, 0.3], abs=0.1)
    assert np.abs(filter_.matrix[0] - SCALE).max() < 0.5 * np.abs(SCALE - np.eye(3)).max()
    assert np.sqrt(np.mean(error[-3000:] ** 2)) < 0.5 * np.sqrt(np.mean(error[1000:4000] ** 2))


def test_what_it_believes_of_its_error_is_so():
    """About 86 % of two-dimensional normal errors are within two standard deviations of one dimension."""
    share = []
    for seed in range(2):
        gyr, acc, truth = moving(25, bias_deg_s=(0.5, 0.5, 0.5), seed=seed)
        filter_ = OrientationFilter(RATE_HZ, 1)
        believed = np.empty(len(gyr))
        found = np.empty((len(gyr), 4))
        for i in range(len(gyr)):
            found[i] = filter_.update(gyr[i : i + 1], acc[i : i + 1])[0]
            believed[i] = np.degrees(filter_.inclination_error_rad[0])
        share.append(np.mean(error_deg(found, truth)[500:] < 2 * believed[500:]))
    assert np.mean(share) > 0.86
    assert believed[-1] < 1.0


def test_what_came_after_helps_most_where_the_gyroscope_was_not_yet_known():
    gyr, acc, truth = moving(60, bias_deg_s=(0.7, -0.5, 0.3), scale=SCALE)
    online, smoothed = (error_deg(q[:, 0], truth) for q in online_and_smoothed(gyr[:, None], acc[:, None], RATE_HZ))
    first, last = slice(500, 3000), slice(3000, None)
    for part, share in ((first, 0.5), (last, 0.85)):
        assert np.sqrt(np.mean(smoothed[part] ** 2)) < share * np.sqrt(np.mean(online[part] ** 2))
    assert np.abs(np.diff(smoothed)).max() < 0.2, "no steps where stretches meet"


def test_smoothing_gives_what_the_filter_gave_online_beside_it():
    gyr, acc, _ = moving(6.03)
    online, smoothed = online_and_smoothed(gyr[:, None], acc[:, None], RATE_HZ)
    assert np.array_equal(online[:, 0], followed(OrientationFilter(RATE_HZ, 1), gyr, acc))
    assert smoothed.shape == online.shape
    short, same = online_and_smoothed(gyr[:5, None], acc[:5, None], RATE_HZ)
    assert np.array_equal(short, same), "too short to look back"


def test_sensors_in_one_step_do_not_know_of_each_other():
    parts = [moving(8, seed=seed) for seed in range(3)]
    gyr, acc = (np.stack([part[i] for part in parts], 1) for i in range(2))
    gyr[300:450, 1] = np.nan
    together = OrientationFilter(RATE_HZ, 3)
    found = np.stack([together.update(g, a) for g, a in zip(gyr, acc, strict=True)])
    for k in (0, 2):
        assert np.abs(found[:, k] - followed(OrientationFilter(RATE_HZ, 1), gyr[:, k], acc[:, k])).max() < 1e-9
    assert (found[299:450, 1] == found[299, 1]).mean() > 0.9, "held, but for the end of a stretch that had begun"
    assert np.isfinite(found).all()


def test_after_a_gap_the_gyroscope_is_still_known_and_the_inclination_is_found_again():
    gyr, acc, truth = moving(60, bias_deg_s=(0.7, -0.5, 0.3), scale=SCALE)
    filter_ = OrientationFilter(RATE_HZ, 1)
    followed(filter_, gyr[:3000], acc[:3000])
    bias, matrix, sure = filter_.bias_rad_s, filter_.matrix, filter_.inclination_error_rad[0]
    known = filter_.covariance[0, 5:, 5:].copy()
    filter_.restart(np.array([True]))
    assert np.array_equal(filter_.covariance[0, 5:, 5:], known)
    assert filter_.inclination_error_rad[0] > 5 * sure
    found = followed(filter_, gyr[3500:], acc[3500:])
    assert np.abs(filter_.bias_rad_s - bias).max() < np.radians(0.2)
    assert np.abs(filter_.matrix - matrix).max() < 0.005
    assert error_deg(found, truth[3500:])[500:].max() < 2.0


def test_a_rate_beyond_the_range_is_not_believed():
    gyr, acc, truth = moving(40, rate_rad_s=6.0)
    range_end = 4.4
    clipped = np.stack([(np.abs(gyr) > range_end).any(axis=1), np.zeros(len(gyr), dtype=bool)], axis=1)
    seen = np.clip(gyr, -range_end, range_end)
    told, untold = (
        error_deg(followed(OrientationFilter(RATE_HZ, 1), seen, acc, **extra), truth)[500:]
        for extra in ({"clipped": clipped}, {})
    )
    assert clipped.any()
    assert np.sqrt(np.mean(told**2)) < 0.6 * np.sqrt(np.mean(untold**2))


def test_heading_from_a_magnetometer_when_asked():
    gyr, acc, truth = moving(25)
    field = rotations.rotate(rotations.conjugate(truth), np.array([0.0, 20.0, -45.0]))
    found = followed(OrientationFilter(RATE_HZ, 1), gyr, acc, mag_ut=field)
    assert np.degrees(rotations.angle_between(found, truth))[1200:].max() < 3.0
    without = followed(OrientationFilter(RATE_HZ, 1), gyr, acc)
    assert error_deg(found, without).max() < 1e-6, "a magnetometer never changes the inclination"


def test_a_sampling_rate_must_be_one():
    with pytest.raises(ValueError, match="above 0 Hz"):
        OrientationFilter(0.0, 1)


@pytest.mark.long
def test_an_hour_of_exercise_stays_as_sure_and_as_small():
    """Exercise and pauses for an hour: the inclination does not drift, the covariance stays one, no memory is kept."""
    gyr, acc, truth = moving(60, bias_deg_s=(0.3, -0.2, 0.4), scale=SCALE)
    filter_ = OrientationFilter(RATE_HZ, 1)
    followed(filter_, gyr, acc)
    back = moving(60, bias_deg_s=(0.3, -0.2, 0.4), scale=SCALE)
    tracemalloc.start()
    errors, sizes = [], []
    for _ in range(59):
        filter_.restart(np.array([True]))
        found = followed(filter_, back[0], back[1])
        errors.append(np.sqrt(np.mean(error_deg(found, truth)[500:] ** 2)))
        del found
        sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    covariance = filter_.covariance[0]
    assert np.linalg.eigvalsh(covariance).min() > 0
    assert np.mean(errors[-5:]) < 1.2 * np.mean(errors[:5])
    assert max(sizes[5:]) - min(sizes[5:]) < 50_000
