"""Recordings of jointed chains in the forms of ../shared/data, brought to even time and one clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analytics.motion.orientation import OrientationFilter
from analytics.signals.recording import RecordingError
from analytics.signals.samples import FloatArray

from .hinge_reference import at_times, clock_offset_s, without_bridges
from .recordings import Arrays

ROBOT = "robot"
LEAST_DURATION_S = 25.0


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """Sensors in a row, evenly in time (n, k, 3), their orientations as followed without magnetometer (n, k, 4), and
    those of their segments as the reference saw them (n, k, 4), NaN where it did not. mounting: rigid, nonrigid or
    robot."""

    name: str
    mounting: str
    segments: list[str]
    rate_hz: float
    sensors: dict[str, FloatArray]
    orientation: FloatArray
    reference: FloatArray


def chains(recording: Arrays) -> Iterator[Chain]:
    """The recording in each of its mountings; nothing where it has another form. Raises RecordingError."""
    reference = recording.numbers("quat_ref")
    if reference.ndim != 3:
        return
    if "t_ref" in recording and "t_imu" in recording:
        segments = [str(one) for one in recording.meta.get("segments", range(1, reference.shape[1] + 1))]
        for mounting in ("rigid", "nonrigid"):
            if f"acc_{mounting}" in recording and f"gyr_{mounting}" in recording:
                names = [one for one in ("acc", "gyr", "mag") if f"{one}_{mounting}" in recording]
                sensors = {one: recording.numbers(f"{one}_{mounting}") for one in names}
                times_s = recording.numbers("t_imu"), recording.numbers("t_ref")
                yield _chain(f"{recording.name}, {mounting}", segments, sensors, reference, times_s)
    elif {"imus", "ref"} <= recording.meta.keys() and {"t", "acc", "gyr"} <= recording.arrays.keys():
        segments = [str(one) for one in recording.meta["imus"]]
        worn = [recording.meta["ref"].index(one) for one in segments]
        sensors = {one: recording.numbers(one) for one in ("acc", "gyr")}
        times_s = recording.numbers("t"), recording.numbers("t")
        yield _chain(f"{recording.name}, {ROBOT}", segments, sensors, reference[:, worn], times_s)


def _chain(
    title: str,
    segments: list[str],
    sensors: dict[str, FloatArray],
    reference: FloatArray,
    times_s: tuple[FloatArray, FloatArray],
) -> Chain:
    name, mounting = title.rsplit(", ", 1)
    sensor_s, reference_s = times_s
    if any(one.shape != (len(sensor_s), len(segments), 3) for one in sensors.values()):
        raise RecordingError(f"{name} holds arrays that do not fit each other; export it again.")
    if reference.shape != (len(reference_s), len(segments), 4):
        raise RecordingError(f"{name} holds a reference that does not fit its times and segments; export it again.")
    if not all(np.isfinite(one).any(axis=0).all() for one in sensors.values()):
        raise RecordingError(f"{name} has a sensor that measured nothing; leave it out and export it again.")
    rate_hz = 1.0 / round(float(np.median(np.diff(sensor_s))), 5)
    time_s: FloatArray = sensor_s[0] + np.arange(round((sensor_s[-1] - sensor_s[0]) * rate_hz) + 1) / rate_hz
    if time_s[-1] - time_s[0] < LEAST_DURATION_S:
        raise RecordingError(f"{name} is shorter than {LEAST_DURATION_S:g} s; a hinge takes longer to judge.")
    even = {key: _even(sensor_s, values, time_s) for key, values in sensors.items()}
    orientation = _orientation(even["acc"], even["gyr"], rate_hz)
    true = [without_bridges(reference_s, reference[:, k]) for k in range(len(segments))]
    offsets_s = [clock_offset_s(time_s, orientation[:, k], reference_s, one) for k, one in enumerate(true)]
    seen = [at_times(reference_s + float(np.median(offsets_s)), one, time_s) for one in true]
    return Chain(name, mounting, segments, rate_hz, even, orientation, np.stack(seen, axis=1))


def _even(time_s: FloatArray, values: FloatArray, wanted_s: FloatArray) -> FloatArray:
    """(n, k, 3) at even times, straight lines across what is missing."""
    columns = values.reshape(len(values), -1).T
    finite = np.isfinite(columns)
    lines = [np.interp(wanted_s, time_s[ok], one[ok]) for one, ok in zip(columns, finite, strict=True)]
    return np.stack(lines, axis=1).reshape(len(wanted_s), *values.shape[1:])


def _orientation(acc_m_s2: FloatArray, gyr_rad_s: FloatArray, rate_hz: float) -> FloatArray:
    """(n, k, 4), sample by sample."""
    followed = OrientationFilter(rate_hz, acc_m_s2.shape[1])
    return np.stack([followed.update(gyr, acc).copy() for gyr, acc in zip(gyr_rad_s, acc_m_s2, strict=True)])
