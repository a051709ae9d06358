"""The angle of a mechanical hinge from two sensors against an optical reference or a robot's encoders.

Chain (form: acc_rigid, gyr_rigid, acc_nonrigid, … (n, k, 3), t_imu; quat_ref (m, k, 4), t_ref): every pair of
neighbours that the reference shows to be a hinge is scored, in every mounting.

* The axis is found by our own calibration from the first 20 s of inertial data; nothing of the reference goes in. A
  joint whose calibration is refused is listed and not scored. After those 20 s the angle is followed causally, and
  only what comes after them is scored.
* The reference angle is signed about the joint's true axis, ours is about the axis we found. A line has no sense of
  its own: ours gets the sense in which the two angles go together, and nothing else.
* Peers are given the true axis and VQF's orientations, and qmt looks ahead. All are scored over the same samples.
* All are zeroed alike: the mean error over one second, the stillest after 5 s, is taken off. Before 5 s qmt has no
  heading yet and would be the worse for it.
* The clocks of sensors and cameras are brought together by the correlation of angular speeds, for all alike. Where the
  maker filled gaps of the reference by even turns, nothing is scored.

Robot (form: t, acc, gyr (n, 2, 3), quat_ref (n, k, 4), meta.imus and meta.ref): the same calibration; its 20 s are then
gone over once more, as the tracker does, and the whole recording is scored, zeroed on its stillest second. Sensors are
not aligned with the links, and nothing but the calibration aligns them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import degrees
from pathlib import Path

import numpy as np

from analytics.motion.calibration import FunctionalHinge, functional_hinge
from analytics.motion.joint_angle import HingeJoint
from analytics.signals.recording import RecordingError
from analytics.signals.samples import FloatArray

from .hinge_chains import ROBOT, Chain, chains
from .hinge_peers import COMPASS, OLSSON, PLAIN, QMT, SensorPair, peer_angles_rad
from .hinge_reference import ReferenceHinge, reference_hinge
from .recordings import recordings_with
from .report import Report, Result

CALIBRATION_S = 20.0
START_UP_S = 5.0
POSE_S = 1.0
OURS = "Sinew"
PEERS = (QMT, OLSSON, COMPASS, PLAIN)
METRICS = {"rigid": "rigid_rmse_deg", "nonrigid": "foam_rmse_deg", ROBOT: "robot_rmse_deg"}
RATIO = "ratio to qmt 1d_corr"
EARLY = "ratio, zeroed before 20 s"


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """One joint: RMSE [°] by method, zeroed on the stillest second and on the stillest before 20 s; empty where the
    calibration was refused."""

    title: str
    metric: str
    calibration: FunctionalHinge
    rmse_deg: dict[str, float]
    early_deg: dict[str, float]


def evaluate(folder: Path, say: Callable[[str], None]) -> Report:
    """Score all hinges in the folder. Raises RecordingError where there is none."""
    scored, notes = [], []
    for recording in recordings_with(folder, "quat_ref"):
        try:
            scored += [one for chain in chains(recording) for one in _score_chain(chain, say)]
        except RecordingError as error:
            notes.append(f"Left out: {error}")
    if not scored:
        raise RecordingError(f"No recording below {folder} shows a hinge with a reference; name another folder.")
    kept = {metric: [one for one in scored if one.metric == metric and one.rmse_deg] for metric in METRICS.values()}
    notes += [f"Refused: {one.title}. {one.calibration.refusal}" for one in scored if one.calibration.refusal]
    return Report(
        [_result(metric, ones) for metric, ones in kept.items() if ones],
        ["RMSE [deg]", OURS, *PEERS, "axis stable to", "across it"],
        [_row(one) for one in scored],
        [*notes, "Peers that are not installed, or that the recording does not allow, are left out."],
    )


def _score_chain(chain: Chain, say: Callable[[str], None]) -> Iterator[Scored]:
    for k in range(len(chain.segments) - 1):
        truth = reference_hinge(chain.reference[:, k], chain.reference[:, k + 1])
        if truth is not None:
            say(f"{chain.name}, {chain.mounting}, {chain.segments[k]}-{chain.segments[k + 1]}")
            yield _score(chain, k, truth)


def _score(chain: Chain, k: int, truth: ReferenceHinge) -> Scored:
    rate_hz, first, pair = chain.rate_hz, round(CALIBRATION_S * chain.rate_hz), slice(k, k + 2)
    proximal, distal = chain.orientation[:, k], chain.orientation[:, k + 1]
    acc, gyr, mag = chain.sensors["acc"], chain.sensors["gyr"], chain.sensors.get("mag")
    time_s = np.arange(len(proximal)) / rate_hz
    title = f"{chain.name}, {chain.mounting}, {chain.segments[k]}-{chain.segments[k + 1]}"
    hinge = functional_hinge(proximal[:first], distal[:first], time_s[:first], acc_m_s2=acc[:first, pair])
    if hinge.refusal:
        return Scored(title, METRICS[chain.mounting], hinge, {}, {})
    angles = {OURS: _followed_rad(hinge, proximal, distal, rate_hz, truth.angle_rad)}
    robot = chain.mounting == ROBOT
    if not robot:
        worn = SensorPair(rate_hz, acc[:, pair], gyr[:, pair], None if mag is None else mag[:, pair])
        angles |= peer_angles_rad(worn, truth.axis, first)
    # Where the reference saw nothing there is no pose to zero on.
    speed = np.where(np.isfinite(truth.angle_rad), np.linalg.norm(gyr, axis=2).max(axis=1), np.inf)
    judged = slice(0 if robot else first, None)
    poses = [
        _stillest(speed, rate_hz, 0.0 if robot else START_UP_S, time_s[-1]),
        _stillest(speed, rate_hz, START_UP_S, CALIBRATION_S),
    ]
    late, early = (
        {name: _rmse_deg(one, truth.angle_rad, pose, judged) for name, one in angles.items()} for pose in poses
    )
    return Scored(title, METRICS[chain.mounting], hinge, late, early)


def _followed_rad(
    hinge: FunctionalHinge, proximal: FloatArray, distal: FloatArray, rate_hz: float, truth_rad: FloatArray
) -> FloatArray:
    """Our angle, sample by sample, in the sense of the true one."""
    joint = HingeJoint.from_calibration(hinge, 1 / rate_hz, since_s=-CALIBRATION_S)
    pairs = zip(proximal.tolist(), distal.tolist(), strict=True)
    excursions = [joint.excursion_deg(tuple(p), tuple(d), restarted=False) for p, d in pairs]
    angle: FloatArray = np.unwrap(np.radians(np.array(excursions, dtype=np.float64)))
    together = float(np.nansum(np.diff(angle) * np.diff(truth_rad)))
    return angle if together >= 0 else -angle


def _stillest(speed_rad_s: FloatArray, rate_hz: float, from_s: float, to_s: float) -> slice:
    """The second of least angular speed."""
    size, first, last = (round(s * rate_hz) for s in (POSE_S, from_s, to_s))
    mean = np.lib.stride_tricks.sliding_window_view(speed_rad_s[first:last], size).mean(axis=1)
    start = first + int(np.argmin(mean))
    return slice(start, start + size)


def _rmse_deg(angle_rad: FloatArray, truth_rad: FloatArray, pose: slice, judged: slice) -> float:
    error = np.exp(1j * (angle_rad - truth_rad))
    zeroed = np.angle(error / np.nanmean(error[pose]))[judged]
    return degrees(float(np.sqrt(np.nanmean(zeroed**2))))


def _result(metric: str, scored: list[Scored]) -> Result:
    def mean(name: str) -> float:
        return float(np.mean([one.rmse_deg[name] for one in scored]))

    baselines = {name: mean(name) for name in PEERS if all(name in one.rmse_deg for one in scored)}
    if QMT in baselines:
        baselines[RATIO] = mean(OURS) / baselines[QMT]
        baselines[EARLY] = sum(one.early_deg[OURS] for one in scored) / sum(one.early_deg[QMT] for one in scored)
    return Result(metric, mean(OURS), "deg", len(scored), baselines)


def _row(one: Scored) -> list[str]:
    figures = [f"{one.rmse_deg[name]:.2f}" if name in one.rmse_deg else "–" for name in (OURS, *PEERS)]
    found = one.calibration
    ours = "refused" if found.refusal else figures[0]
    return [one.title, ours, *figures[1:], f"{found.stability_deg:.1f}", f"{found.residual_deg:.1f}"]
