"""What a form model sees of a repetition: six figures of its angle curve, whoever's knee and whichever sensor it was.

Nothing in them tells when in a session the repetition was done.
"""

from __future__ import annotations

import numpy as np

from analytics.motion.events import RepetitionMotion
from analytics.signals.samples import FloatArray

FEATURES = (
    "log share of the reference excursion",
    "log duration",
    "log time out",
    "log time back",
    "share of time near the turning point",
    "log path over twice the excursion",
)
GRID_HZ = 25.0
"""Curves are brought to one rate first, so that a faster sensor's noise does not lengthen the path."""
LEAST_DURATION_S = 0.3
SHARE_LIMITS = (0.6, 1.05)
"""Beyond these a share means the same as at them: far too little is too little, more than asked for is enough."""
FASTEST_S = 1.5
"""The same for the duration: faster than anyone was recorded is still too fast."""


class UnusableMotionError(ValueError):
    """The curve cannot be judged; the message is a reason to show."""


def motion_features(motion: RepetitionMotion, reference_excursion_deg: float) -> FloatArray:
    """Features (6,) of one repetition, in the order of FEATURES.

    reference_excursion_deg: how far this person is to move, as shown or prescribed. Raises UnusableMotionError.
    """
    time_s, flexion = np.asarray(motion.time_s, float), np.asarray(motion.flexion_deg, float)
    if len(time_s) < 3 or not (np.isfinite(time_s).all() and np.isfinite(flexion).all()):
        raise UnusableMotionError("The movement was not measured completely.")
    if not (np.diff(time_s) > 0).all() or time_s[-1] - time_s[0] < LEAST_DURATION_S:
        raise UnusableMotionError("The movement was too short to be measured.")
    grid = np.linspace(time_s[0], time_s[-1], max(3, round((time_s[-1] - time_s[0]) * GRID_HZ) + 1))
    curve = np.interp(grid, time_s, flexion)
    # Away from the rest pose is up, whichever direction the exercise has.
    away = curve - curve[0] if abs(curve.max() - curve[0]) > abs(curve.min() - curve[0]) else curve[0] - curve
    away = away - min(0.0, away[-1])
    excursion = float(away.max())
    if not (excursion > 0 and reference_excursion_deg > 0):
        raise UnusableMotionError("The joint did not move.")
    out_10, out_90 = (_first(grid, away >= share * excursion) for share in (0.1, 0.9))
    back_90, back_10 = (_last(grid, away >= share * excursion) for share in (0.9, 0.1))
    duration, step = float(grid[-1] - grid[0]), float(grid[1] - grid[0])
    return np.array(
        [
            np.log(np.clip(excursion / reference_excursion_deg, *SHARE_LIMITS)),
            np.log(max(duration, FASTEST_S)),
            np.log(max(out_90 - out_10, step)),
            np.log(max(back_10 - back_90, step)),
            (back_90 - out_90) / duration,
            np.log(np.abs(np.diff(away)).sum() / (2 * excursion)),
        ]
    )


def _first(time_s: FloatArray, where: FloatArray) -> float:
    return float(time_s[int(np.argmax(where))])


def _last(time_s: FloatArray, where: FloatArray) -> float:
    return float(time_s[len(time_s) - 1 - int(np.argmax(where[::-1]))])
