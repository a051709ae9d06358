"""What goes wrong with sensors, as changes to a simulated or a recorded set of them.

Each takes and gives segment to specific force and angular rate, (n, 3) each; what is not named stays as it is, and
nothing that was given is written to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from analytics.signals.samples import FloatArray
from analytics.simulation.body.moving_frame import GRAVITY_M_S2
from analytics.simulation.body.sensor import resampled

Readings = tuple[FloatArray, FloatArray]
Sensors = Mapping[str, Readings]


def in_g(sensors: Sensors, names: Iterable[str]) -> dict[str, Readings]:
    """Acceleration told in g."""
    return _changed(sensors, names, lambda acc, gyr: (acc / GRAVITY_M_S2, gyr))


def in_degrees(sensors: Sensors, names: Iterable[str]) -> dict[str, Readings]:
    """Angular rate told in degrees per second."""
    return _changed(sensors, names, lambda acc, gyr: (acc, np.degrees(gyr)))


def swapped(sensors: Sensors, one: str, other: str) -> dict[str, Readings]:
    """Each of two sensors strapped where the other belongs."""
    return {**sensors, one: sensors[other], other: sensors[one]}


def upside_down(sensors: Sensors, name: str, axis: int = 0) -> dict[str, Readings]:
    """A sensor put on turned by 180° about one of its axes."""
    signs = np.where(np.arange(3) == axis, 1.0, -1.0)
    return _changed(sensors, [name], lambda acc, gyr: (acc * signs, gyr * signs))


def sampled_faster(sensors: Sensors, names: Iterable[str], share: float = 1.1) -> dict[str, Readings]:
    """Sensors that take `share` times as many samples per second as they say: more samples of the same movement."""

    def sampled(signal: FloatArray) -> FloatArray:
        return resampled(signal, np.arange(round(len(signal) * share)) / share)

    return _changed(sensors, names, lambda acc, gyr: (sampled(acc), sampled(gyr)))


def dropped(
    sensors: Sensors, name: str, time_s: FloatArray, start_s: float, duration_s: float = 2.0
) -> dict[str, Readings]:
    """Samples that never arrived: not a number from start_s on."""
    gone = ((time_s >= start_s) & (time_s < start_s + duration_s))[:, None]
    return _changed(sensors, [name], lambda acc, gyr: (np.where(gone, np.nan, acc), np.where(gone, np.nan, gyr)))


def lost(sensors: Sensors, names: Iterable[str], share: float, rng: np.random.Generator) -> dict[str, Readings]:
    """A share of single samples that the radio lost at random: not a number."""

    def thinned(acc: FloatArray, gyr: FloatArray) -> Readings:
        gone = rng.random((len(acc), 1)) < share
        return np.where(gone, np.nan, acc), np.where(gone, np.nan, gyr)

    return _changed(sensors, names, thinned)


def saturated(
    sensors: Sensors, names: Iterable[str], *, acc_limit_m_s2: float = np.inf, gyr_limit_rad_s: float = np.inf
) -> dict[str, Readings]:
    """Sensors set to a range that the movement exceeds."""
    return _changed(
        sensors,
        names,
        lambda acc, gyr: (
            np.clip(acc, -acc_limit_m_s2, acc_limit_m_s2),
            np.clip(gyr, -gyr_limit_rad_s, gyr_limit_rad_s),
        ),
    )


def beside_a_magnet(
    mag_ut: FloatArray, time_s: FloatArray, start_s: float, duration_s: float, field_ut: FloatArray
) -> FloatArray:
    """A magnetometer's readings (n, 3) while a magnet is brought near and taken away, over a second each: field_ut
    (3,) in the sensor's axes at its nearest. For a magnet that stands in the room, simulate with `MagneticField`."""
    near = np.clip(np.minimum(time_s - start_s, start_s + duration_s - time_s), 0.0, 1.0)
    return np.asarray(mag_ut + near[:, None] * field_ut)


def _changed(
    sensors: Sensors, names: Iterable[str], change: Callable[[FloatArray, FloatArray], Readings]
) -> dict[str, Readings]:
    return {**sensors, **{name: change(*sensors[name]) for name in names}}
