"""Whether somebody walks, from an accelerometer on any segment: a calibration is not to be done then."""

from __future__ import annotations

import numpy as np

from analytics.domain.exercise import Exercise, Joint, RepetitionKind
from analytics.signals.samples import FloatArray

WALKED = "You were walking. Stand or sit in one place and do five slow repetitions there."
WINDOW_S, HOP_S = 4.0, 1.0
STEP_S = (0.4, 1.6)
"""From a quick step to a slow stride; a slow repetition takes longer."""
SMOOTHED_S = 0.12
LEAST_SHAKEN_M_S2 = 0.8
LEAST_ALIKE = 0.5
"""How alike one step must be to the next (autocorrelation), and by LEAST_PEAK more than what lies between."""
LEAST_PEAK = 0.7
LEAST_SHARE = 1 / 3
"""Of the windows. People walking have 0.5 to 0.9 of theirs like this, on lower back and feet (mobgap, gaitmap; one has
multiple sclerosis), people at eight exercises and a chain swung about at random less than 0.1 of theirs."""


def on_foot(exercise: Exercise) -> bool:
    """Whether steps could pass for repetitions of it: they bend the joints of a leg. Arms that exercise shake as
    regularly (SPAR, at the wrist), and walking may be the exercise."""
    return (
        exercise.joint in {Joint.HIP, Joint.KNEE, Joint.ANKLE}
        and exercise.repetition.kind is not RepetitionKind.WALKING
    )


def walks(acc_m_s2: FloatArray, rate_hz: float) -> bool:
    """Whether much of (n, 3) specific force is the regular shaking of steps."""
    strength = np.linalg.norm(acc_m_s2, axis=1)
    size = round(WINDOW_S * rate_hz)
    starts = range(0, len(strength) - size + 1, round(HOP_S * rate_hz))
    found = [steps(strength[start : start + size], rate_hz) for start in starts]
    return bool(found) and sum(found) >= LEAST_SHARE * len(found)


def steps(strength_m_s2: FloatArray, rate_hz: float, least_alike: float = LEAST_ALIKE) -> bool:
    """Whether the size (n,) of a specific force shakes from step to step, over one window. Skin that trembles may look
    like it and is smoothed away."""
    width = max(1, round(SMOOTHED_S * rate_hz))
    shaken = np.convolve(strength_m_s2, np.full(width, 1.0 / width), "valid")
    shaken -= shaken.mean()
    if float(shaken.std()) < LEAST_SHAKEN_M_S2:
        return False
    soonest, latest = (round(s * rate_hz) for s in STEP_S)
    alike = np.array([_correlation(shaken[lag:], shaken[:-lag]) for lag in range(1, latest + 1)])
    peak = soonest - 1 + int(np.argmax(alike[soonest - 1 :]))
    return bool(alike[peak] >= least_alike and alike[peak] - alike[:peak].min() >= LEAST_PEAK)


def _correlation(a: FloatArray, b: FloatArray) -> float:
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))
