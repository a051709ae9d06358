"""What others make of the same knees: quaternions without calibration, VQF with compass and without, Olsson's axis.

They are oracles for development, not part of the product; where they are not installed they are left out. Where a
method knows no axis, its flexion is the whole turn of the shank against the thigh since the pose in which the
calibrating repetition was least bent. Olsson's axis (qmt) is given our way from inclinations to a flexion, for qmt's
own, its heading correction, works with windows of 8 s: on these repetitions of 1 to 4 s it is wrong by 44 to 71°
in the settings tried.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from analytics.motion import rotations
from analytics.motion.angles import HingeAxes, up_in_sensor
from analytics.signals.samples import FloatArray

from .rom_clips import Knee

PLAIN_VENDOR = "vendor, no axis"
PLAIN = "VQF 6D, no axis"
COMPASS = "VQF 9D, no axis"
OLSSON = "VQF 6D, Olsson axis"


def peer_flexions_deg(knee: Knee, other: Knee, orientation: FloatArray, axes: HingeAxes) -> dict[str, FloatArray]:
    """Flexion [°] (n,) of `knee` by method, calibrated on `other`, of which orientations and axes are our own: they say
    where it is least bent, and nothing else."""
    up = up_in_sensor(orientation)
    pose = int(np.argmin(axes.angle_rad(up[:, 0], up[:, 1])))
    flexions = {PLAIN_VENDOR: _whole_turn_deg(_relative(knee.vendor), _relative(other.vendor)[pose])}
    try:
        import vqf  # noqa: PLC0415 -- a development dependency
    except ImportError:
        return flexions
    six, six_other = (_filtered(vqf, one, compass=False) for one in (knee, other))
    flexions[PLAIN] = _whole_turn_deg(_relative(six), _relative(six_other)[pose])
    if knee.mag is not None and other.mag is not None:
        nine, nine_other = (_filtered(vqf, one, compass=True) for one in (knee, other))
        flexions[COMPASS] = _whole_turn_deg(_relative(nine), _relative(nine_other)[pose])
    try:
        import qmt  # noqa: PLC0415 -- a development dependency
    except ImportError:
        return flexions
    vertical = up_in_sensor(six)
    axes = _olsson(qmt, other, up, axes)
    flexions[OLSSON] = np.degrees(np.unwrap(axes.angle_rad(vertical[:, 0], vertical[:, 1])))
    return flexions


def _filtered(vqf: Any, knee: Knee, *, compass: bool) -> FloatArray:
    orientations = []
    for k in (0, 1):
        gyr, acc = np.ascontiguousarray(knee.gyr[:, k]), np.ascontiguousarray(knee.acc[:, k])
        field = (np.ascontiguousarray(knee.mag[:, k]),) if compass and knee.mag is not None else ()
        out = vqf.VQF(1.0 / knee.rate_hz).updateBatch(gyr, acc, *field)
        orientations.append(out["quat9D" if compass else "quat6D"])
    return np.stack(orientations, axis=1)


def _olsson(qmt: Any, other: Knee, up: FloatArray, ours: HingeAxes) -> HingeAxes:
    """Olsson's axes in place of ours, in the sense in which the knee bends away from where the repetition begins and
    ends."""
    signals = (other.acc[:, 0], other.acc[:, 1], other.gyr[:, 0], other.gyr[:, 1])
    found = qmt.jointAxisEstHingeOlsson(*signals, estSettings={"quiet": True})
    thigh, shank = (np.asarray(axis, dtype=np.float64).ravel() for axis in found[:2])
    axes = replace(ours, proximal=thigh, distal=shank)
    angle = np.unwrap(axes.angle_rad(up[:, 0], up[:, 1]))
    angle -= (angle[0] + angle[-1]) / 2
    return axes if angle.max() > -angle.min() else replace(ours, proximal=-thigh, distal=-shank)


def _relative(orientation: FloatArray) -> FloatArray:
    return rotations.relative(orientation[:, 0], orientation[:, 1])


def _whole_turn_deg(relative: FloatArray, pose: FloatArray) -> FloatArray:
    return np.degrees(rotations.angle_between(np.broadcast_to(pose, relative.shape), relative))
