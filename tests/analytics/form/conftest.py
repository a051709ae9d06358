from __future__ import annotations

import numpy as np
import pytest

from analytics.form.bundle import shipped_bundle
from analytics.motion.events import RepetitionMotion


@pytest.fixture(scope="session")
def shipped():
    path = shipped_bundle("knee.extension.seated")
    assert path is not None
    return path


@pytest.fixture(scope="session")
def motion():
    """motion(excursion, out, hold, back): a minimum-jerk extension from 90° and back."""

    def make(excursion_deg=75.0, out_s=1.4, hold_s=2.4, back_s=1.4, rate_hz=50.0, rest_deg=90.0):
        t = np.arange(round((out_s + hold_s + back_s) * rate_hz) + 1) / rate_hz
        phase = np.clip(t / out_s, 0, 1), np.clip((t - out_s - hold_s) / back_s, 0, 1)
        out, back = (p**3 * (10 - 15 * p + 6 * p**2) for p in phase)
        return RepetitionMotion(t, rest_deg - excursion_deg * (out - back))

    return make
