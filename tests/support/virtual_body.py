"""Bodies for any exercise, as packets: rigid segments of which the outermost turns out and back about a level axis, and
the body simulator's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from analytics.domain.exercise import Segment
from analytics.signals.samples import FloatArray, ImuSamples
from analytics.simulation.body import Part, TrueRepetition, simulate

RATE_HZ = 50.0
PACKET = 5
NOISE_M_S2, NOISE_RAD_S = 0.02, 0.002
GRAVITY_M_S2 = 9.81


class Heard(NamedTuple):
    """A packet: which segment, samples, session time (n,)."""

    segment: Segment
    samples: ImuSamples
    time_s: FloatArray


def turning(
    excursions_deg: Sequence[float], *, rest_s: float = 2.5, out_s: float = 1.2, hold_s: float = 0.4
) -> FloatArray:
    """The angle [deg] at RATE_HZ of a segment that goes out, holds and comes back with minimum jerk, so many times."""
    share = np.arange(round(out_s * RATE_HZ)) / (out_s * RATE_HZ)
    way = share**3 * (10 - 15 * share + 6 * share**2)
    rest, hold = np.zeros(round(rest_s * RATE_HZ)), np.ones(round(hold_s * RATE_HZ))
    one = [np.concatenate([way, hold, way[::-1], rest]) * excursion_deg for excursion_deg in excursions_deg]
    return np.concatenate([rest, *one])


def packets(
    segments: Sequence[Segment], angle_deg: FloatArray, *, still: Iterable[Segment] = (), seed: int = 1
) -> list[Heard]:
    """What sensors sent, in the order in which it came: the last of `segments` turns, the others and `still` rest."""
    rng = np.random.default_rng(seed)
    angle = np.radians(angle_deg)
    acc, gyr = np.zeros((2, len(angle), 3))
    acc[:, 1], acc[:, 2] = GRAVITY_M_S2 * np.sin(angle), GRAVITY_M_S2 * np.cos(angle)
    gyr[:, 0] = np.gradient(angle, 1.0 / RATE_HZ)
    at_rest = np.tile([0.0, 0.0, GRAVITY_M_S2], (len(angle), 1)), np.zeros((len(angle), 3))
    streams = dict.fromkeys((*segments[:-1], *still), at_rest) | {segments[-1]: (acc, gyr)}
    noisy = {
        segment: (a + rng.normal(0, NOISE_M_S2, a.shape), g + rng.normal(0, NOISE_RAD_S, g.shape))
        for segment, (a, g) in streams.items()
    }
    return _packets(np.arange(len(angle)) / RATE_HZ, noisy)


def simulated(
    parts: Sequence[Part], segments: Sequence[Segment], rng: np.random.Generator
) -> tuple[list[Heard], tuple[TrueRepetition, ...]]:
    """The same of the body simulator, and what it truly did."""
    body = simulate(parts, [str(segment) for segment in segments], rng, rate_hz=RATE_HZ)
    return _packets(body.time_s, {segment: body.sensors[segment] for segment in segments}), body.repetitions


def _packets(time_s: FloatArray, streams: dict[Segment, tuple[FloatArray, FloatArray]]) -> list[Heard]:
    return list(chain.from_iterable(_cut(time_s, streams, first) for first in range(0, len(time_s), PACKET)))


def _cut(time_s: FloatArray, streams: dict[Segment, tuple[FloatArray, FloatArray]], first: int) -> Iterable[Heard]:
    part = slice(first, first + PACKET)
    sensor_time_us = np.round(time_s[part] * 1e6).astype(np.int64)
    for segment, (acc, gyr) in streams.items():
        yield Heard(segment, ImuSamples(sensor_time_us, acc[part], gyr[part]), time_s[part])
