"""Other orientation filters on the same recording, at their defaults; each only where its package is installed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from analytics.motion import rotations
from analytics.signals.samples import BoolArray, FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """One recording. mag_ut: (n, 3), or None. reference: (n, 4). counts: (n,) whether a sample counts for the error."""

    name: str
    rate_hz: float
    gyr_rad_s: FloatArray
    acc_m_s2: FloatArray
    mag_ut: FloatArray | None
    reference: FloatArray
    counts: BoolArray


Peer = Callable[[Trial], FloatArray | None]
"""Orientations (n, 4), sensor to earth with z up, or None where it needs what the trial lacks."""


def online_peers() -> dict[str, Peer]:
    """Peers that never look ahead, by name, those that are installed."""
    return _installed(
        {
            "VQF 6D": ("vqf", _vqf),
            "VQF 9D": ("vqf", _vqf_magnetic),
            "Madgwick (ahrs)": ("ahrs", _madgwick),
            "imufusion": ("imufusion", _imufusion),
        }
    )


def offline_peers() -> dict[str, Peer]:
    """Peers that see the whole recording."""
    return _installed({"offlineVQF 6D": ("vqf", _offline_vqf)})


def _installed(peers: dict[str, tuple[str, Peer]]) -> dict[str, Peer]:
    return {name: peer for name, (package, peer) in peers.items() if find_spec(package) is not None}


def _vqf(trial: Trial) -> FloatArray:
    from vqf import VQF  # noqa: PLC0415

    return np.asarray(VQF(1.0 / trial.rate_hz).updateBatch(trial.gyr_rad_s, trial.acc_m_s2)["quat6D"])


def _vqf_magnetic(trial: Trial) -> FloatArray | None:
    from vqf import VQF  # noqa: PLC0415

    if trial.mag_ut is None:
        return None
    found = VQF(1.0 / trial.rate_hz).updateBatch(trial.gyr_rad_s, trial.acc_m_s2, trial.mag_ut)
    return np.asarray(found["quat9D"])


def _offline_vqf(trial: Trial) -> FloatArray:
    from vqf import offlineVQF  # noqa: PLC0415

    return np.asarray(offlineVQF(trial.gyr_rad_s, trial.acc_m_s2, None, 1.0 / trial.rate_hz)["quat6D"])


def _madgwick(trial: Trial) -> FloatArray:
    """Begun upright, since its own beginning takes seconds that would count against it."""
    from ahrs.filters import Madgwick  # noqa: PLC0415

    filter_ = Madgwick(frequency=trial.rate_hz)
    q = rotations.from_rotation_vector(_tilt(trial.acc_m_s2[0]))
    found = np.empty((len(trial.gyr_rad_s), 4))
    for i, (gyr, acc) in enumerate(zip(trial.gyr_rad_s, trial.acc_m_s2, strict=True)):
        found[i] = q = filter_.updateIMU(q, gyr=gyr, acc=acc)
    return found


def _imufusion(trial: Trial) -> FloatArray:
    """Its own bias correction is a part of its own, which its defaults leave out; so is rejection."""
    import imufusion  # noqa: PLC0415

    filter_ = imufusion.Ahrs()
    filter_.set_sample_period(1.0 / trial.rate_hz)
    gyr_deg_s, acc_g = np.degrees(trial.gyr_rad_s), trial.acc_m_s2 / 9.81
    found = np.empty((len(gyr_deg_s), 4))
    for i in range(len(gyr_deg_s)):
        filter_.update_no_magnetometer(gyr_deg_s[i], acc_g[i])
        found[i] = filter_.get_quaternion()
    return found


def _tilt(acc: FloatArray) -> FloatArray:
    """Rotation vector (3,) of the shortest turn that brings what was measured upright."""
    across = np.array([acc[1], -acc[0], 0.0])
    sine = float(np.linalg.norm(across))
    return np.asarray(across / max(sine, 1e-12) * np.arctan2(sine, acc[2]))
