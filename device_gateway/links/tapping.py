"""Notices that a sensor is tapped twice, and nothing else: so a person shows which sensor she means.

A tap is a jump of the acceleration from one sample to the next, out of rest. One is not sign enough: 41 of them are in
the 16 hours of real movement that the tests hold this to (a heel, a sensor put down). Two within a moment, with rest
before and after, are not there once. Accelerometers with a tap detector of their own ask for the same: shock, quiet,
duration (ST, AN5192, double tap).
"""

from __future__ import annotations

import math
from collections import deque

from analytics.signals.samples import ImuSamples

STRIKE_M_S2 = 12.0
"""What a strike changes from one sample to the next. The weakest of 25 real ones, at 95 Hz, changes 24 (BROAD, trial
25), and strap and clothes take some of it. At 10 there are double taps in real movement: one on a vibrating table, one
in an exercise."""
STILL_M_S2 = 4.0
"""How far from its mean is still rest: a hand that holds the sensor or turns it, a breath. At 3, 13 of the 25 strikes
are found when each is played twice; at 4, 23 are, and at 5 real movement has double taps."""
REST_S = 0.4
"""How long there is rest before and after. Walking and jumping do not leave so much between two impacts."""
RINGING_S = 0.06
"""A jump that comes sooner after another is of the same strike."""
LONGEST_STRIKE_S = 0.2
"""Case and strap have rung out by then (BROAD: 20 to 130 ms)."""
APART_S = (0.1, 0.7)
"""Between the beginnings of the two: who taps twice takes 0.15 to 0.5 s."""
SETTLE_S = 0.8
"""After the second: 0.3 s for what was struck to swing back (BROAD), and then the rest."""
GAP_S = 0.1
"""Over a longer gap in the samples nothing is concluded."""

_Vector = tuple[float, float, float]


class _Strike:
    def __init__(self, begin_s: float, peak_m_s2: float) -> None:
        self.begin_s = self.last_s = begin_s
        self.peak_m_s2 = peak_m_s2


class TapDetector:
    """One sensor's. Goes by the sensor's own time, whatever its rate; below 50 Hz it may miss a tap."""

    def __init__(self) -> None:
        self._recent: deque[tuple[float, _Vector]] = deque()
        self._strikes: list[_Strike] = []

    def update(self, samples: ImuSamples) -> float | None:
        """How hard [m/s²] the weaker of the two strikes was where a double tap has ended in this run, else None."""
        tapped = None
        for time_us, acc in zip(samples.sensor_time_us.tolist(), samples.acc_m_s2.tolist(), strict=True):
            peak_m_s2 = self._step(time_us * 1e-6, tuple(acc))
            tapped = tapped if peak_m_s2 is None else peak_m_s2
        return tapped

    def _step(self, time_s: float, acc: _Vector) -> float | None:
        if self._recent and not 0 <= time_s - self._recent[-1][0] <= GAP_S:
            self._begin_anew()
        jump_m_s2 = math.dist(acc, self._recent[-1][1]) if self._recent else 0.0
        peak_m_s2 = None
        if jump_m_s2 >= STRIKE_M_S2:
            self._jumped(time_s, jump_m_s2)
        elif self._strikes:
            peak_m_s2 = self._quiet(time_s)
        self._recent.append((time_s, acc))
        while time_s - self._recent[0][0] > REST_S:
            self._recent.popleft()
        return peak_m_s2

    def _jumped(self, time_s: float, jump_m_s2: float) -> None:
        strike = self._strikes[-1] if self._strikes else None
        if strike is None:
            if self._rests(time_s):
                self._strikes.append(_Strike(time_s, jump_m_s2))
        elif time_s - strike.last_s <= RINGING_S and time_s - strike.begin_s <= LONGEST_STRIKE_S:
            strike.last_s, strike.peak_m_s2 = time_s, max(strike.peak_m_s2, jump_m_s2)
        elif len(self._strikes) == 1 and APART_S[0] <= time_s - strike.begin_s <= APART_S[1]:
            self._strikes.append(_Strike(time_s, jump_m_s2))
        else:
            self._begin_anew()

    def _quiet(self, time_s: float) -> float | None:
        last = self._strikes[-1]
        if len(self._strikes) == 1:
            if time_s - last.begin_s > APART_S[1]:
                self._begin_anew()
        elif time_s - last.last_s > SETTLE_S:
            peak_m_s2 = min(strike.peak_m_s2 for strike in self._strikes) if self._rests(time_s) else None
            self._begin_anew()
            return peak_m_s2
        return None

    def _rests(self, time_s: float) -> bool:
        """Whether there was rest until now."""
        if not self._recent or time_s - self._recent[0][0] < REST_S:
            return False
        x, y, z = (math.fsum(axis) / len(self._recent) for axis in zip(*(acc for _, acc in self._recent), strict=True))
        return all(math.dist(acc, (x, y, z)) <= STILL_M_S2 for _, acc in self._recent)

    def _begin_anew(self) -> None:
        self._recent.clear()
        self._strikes.clear()
