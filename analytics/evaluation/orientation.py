"""How far orientations without magnetometer are inclined from an optical reference: `sinew evaluate orientation`.

Per recording the root mean square of the inclination error over samples with movement, then the plain mean over
recordings, as in BROAD (Laidig, Caruso, Cereatti & Seel 2021, Data 6:72). Nothing is removed or aligned before.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from analytics.evaluation.orientation_peers import Peer, Trial, offline_peers, online_peers
from analytics.evaluation.recordings import Arrays, recordings_with
from analytics.evaluation.report import Report, Result
from analytics.motion import rotations
from analytics.motion.orientation import check_readings, online_and_smoothed
from analytics.motion.orientation.clipping import LEAST_ACC_M_S2, LEAST_GYR_RAD_S, RangeEnd
from analytics.signals.recording import RecordingError
from analytics.signals.samples import FloatArray

UPRIGHT_SHARE = 0.99
"""A reference frame is upright where the recording's mean specific force, turned into it, points up so well."""

Say = Callable[[str], None]


def evaluate(folder: Path, say: Say) -> Report:
    """Recordings with `acc`, `gyr` (n, 3) and `quat_ref` (n, 4); `movement` (n) marks what counts. The rate is
    `meta.fs`, or comes from `t` (n). Raises RecordingError where no recording can be used."""
    notes: list[str] = []
    left_out: dict[str, list[str]] = {}
    trials: dict[bool, list[Trial]] = {True: [], False: []}
    for recording in recordings_with(folder, "acc", "gyr", "quat_ref"):
        trial = _trial(recording, notes, left_out)
        if trial is not None:
            trials["movement" in recording].append(trial)
    notes += [_left_out(why, names) for why, names in left_out.items()]
    if not any(trials.values()):
        raise RecordingError(" ".join([f"No recording below {folder} can be measured.", *notes]))
    results: list[Result] = []
    rows: list[list[str]] = []
    for marked, suffix in ((True, "_deg"), (False, "_unmarked_deg")):
        if trials[marked]:
            _measure(trials[marked], suffix, results, rows, say)
    if trials[False]:
        notes.append(
            "Unmarked: recordings that do not say when the sensor moves; every sample with a reference counts."
        )
    header = ["recording", *dict.fromkeys(["online", "smoothed", *online_peers(), *offline_peers()]), "clipped"]
    return Report(results, header, rows, notes)


def _measure(trials: list[Trial], suffix: str, results: list[Result], rows: list[list[str]], say: Say) -> None:
    say(f"{len(trials)} recordings: our own filter, all at once")
    clipped = [_clipped(one) for one in trials]
    online, smoothed = _ours(trials, clipped)
    peers = {}
    for name, peer in {**online_peers(), **offline_peers()}.items():
        peers[name] = _errors_of(name, peer, trials, say)
    for metric, errors, beside in (
        ("inclination_rmse", online, online_peers()),
        ("inclination_rmse_offline", smoothed, offline_peers()),
    ):
        baselines = {name: float(np.mean(peers[name])) for name in beside if np.isfinite(peers[name]).all()}
        results.append(Result(metric + suffix, float(np.mean(errors)), "deg", len(trials), baselines))
    for i, trial in enumerate(trials):
        figures = [online[i], smoothed[i], *(errors[i] for errors in peers.values())]
        rows.append([trial.name, *(f"{x:.2f}" if np.isfinite(x) else "–" for x in figures), str(int(clipped[i].sum()))])


def _left_out(why: str, names: list[str]) -> str:
    if len(names) == 1:
        return f"{names[0]} is left out: {why}."
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return f"{len(names)} recordings are left out: {why} ({', '.join(names[:2])}{more})."


def _trial(recording: Arrays, notes: list[str], left_out: dict[str, list[str]]) -> Trial | None:
    """The recording as a trial, or None, with the reason, where it is none."""
    # Some peers take rows in C order only.
    gyr, acc, reference = (np.ascontiguousarray(recording.numbers(key)) for key in ("gyr", "acc", "quat_ref"))
    if gyr.ndim != 2 or acc.shape != gyr.shape or reference.shape != (len(gyr), 4):
        return None  # several sensors in one recording: a chain, for the other tasks
    length = np.linalg.norm(reference, axis=1)
    counts = np.asarray(np.abs(length - 1.0) < 0.1)
    if not counts.any():
        return None  # no reference
    rate_hz = _rate_hz(recording)
    if rate_hz is None:
        left_out.setdefault("no meta.fs and no times (t)", []).append(recording.name)
        return None
    force = rotations.rotate(reference[counts], acc[counts])
    force = np.nanmean(force, axis=0)
    if force[2] < UPRIGHT_SHARE * np.linalg.norm(force):
        left_out.setdefault("the z axis of the reference does not point up", []).append(recording.name)
        return None
    notes.extend(f"{recording.name}: {fault.sentence}" for fault in check_readings(gyr, acc, rate_hz))
    if "movement" in recording:
        counts &= recording.numbers("movement") == 1
        if not counts.any():
            left_out.setdefault("no sample has both movement and a reference", []).append(recording.name)
            return None
    mag = np.ascontiguousarray(recording.numbers("mag")) if "mag" in recording else None
    return Trial(recording.name, rate_hz, gyr, acc, mag, reference, counts)


def _rate_hz(recording: Arrays) -> float | None:
    if "fs" in recording.meta and "t" not in recording:
        return float(recording.meta["fs"])
    if "t" not in recording:
        return None
    # Times may repeat, and a nominal rate be off: what counts is how many samples came in all.
    t = recording.numbers("t")
    return float((len(t) - 1) / (t[-1] - t[0])) if t[-1] > t[0] else None


def _ours(trials: list[Trial], clipped: list[FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Errors [deg] online and smoothed; trials of about the same rate go through the filter side by side."""
    errors = np.empty((2, len(trials)))
    rates = np.array([round(trial.rate_hz) for trial in trials])
    for rate in np.unique(rates):
        group = np.flatnonzero(rates == rate)
        longest = max(len(trials[i].gyr_rad_s) for i in group)
        gyr, acc, ends = (np.full((longest, len(group), n), fill) for n, fill in ((3, np.nan), (3, np.nan), (2, 0.0)))
        for k, i in enumerate(group):
            n = len(trials[i].gyr_rad_s)
            gyr[:n, k], acc[:n, k], ends[:n, k] = trials[i].gyr_rad_s, trials[i].acc_m_s2, clipped[i]
        rate_hz = float(np.mean([trials[i].rate_hz for i in group]))
        for both, found in zip(errors, online_and_smoothed(gyr, acc, rate_hz, ends > 0.0), strict=True):
            both[group] = [_error_deg(found[: len(trials[i].gyr_rad_s), k], trials[i]) for k, i in enumerate(group)]
    return errors[0], errors[1]


def _clipped(trial: Trial) -> FloatArray:
    """Which samples have the gyroscope and the accelerometer at the end of their range (n, 2)."""
    ends = RangeEnd(LEAST_GYR_RAD_S), RangeEnd(LEAST_ACC_M_S2)
    readings = np.nan_to_num(trial.gyr_rad_s), np.nan_to_num(trial.acc_m_s2)
    return np.stack([end.update(x) for end, x in zip(ends, readings, strict=True)], axis=1).astype(np.float64)


def _errors_of(name: str, peer: Peer, trials: list[Trial], say: Say) -> FloatArray:
    errors = np.full(len(trials), np.nan)
    for i, trial in enumerate(trials):
        say(f"{name}: {i + 1} of {len(trials)}, {trial.name}")
        found = peer(trial)
        if found is not None:
            errors[i] = _error_deg(found, trial)
    return errors


def _error_deg(found: FloatArray, trial: Trial) -> float:
    """Root mean square of the inclination error over what counts."""
    error = rotations.inclination_between(found[trial.counts], trial.reference[trial.counts])
    return float(np.degrees(np.sqrt(np.mean(error**2))))
