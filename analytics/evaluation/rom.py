"""Knee flexion and its range on people against an optical reference, over squats, lunges and steps.

* Recordings (form: acc, gyr (n, k, 3), quat_imu (n, k, 4), angles_deg (n, m), meta.sensors, meta.angle_cols,
  meta.exercise) are single repetitions; those of `EXERCISES` are scored, both knees.
* The axis comes from inertial data of one other repetition of the same person: of the first exercise in
  `CALIBRATION` that there is another repetition of and that the calibration does not refuse. Names and inertial data
  decide, nothing of the reference.
* Of the reference one constant per leg is taken, the mean difference, for our zero and the markers' are not the same.
* `knee_flexion_rmse_deg` goes from the vendor's quaternions, `knee_flexion_rmse_raw_deg` from accelerometer and
  gyroscope alone by our VQF, every sample from what came before it in its repetition, which begins in movement. The
  calibrating repetition is used whole.
* `rom_mae_deg`: largest less smallest flexion of a repetition, which is known when it is over, so from the whole
  repetition, raw samples; no constant enters.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analytics.motion.angles import HingeAxes, hinge_axes, up_in_sensor
from analytics.motion.orientation import OrientationFilter
from analytics.signals.recording import RecordingError
from analytics.signals.samples import FloatArray

from .recordings import recordings_with
from .report import Report, Result
from .rom_clips import EXERCISES, FORM, Knee, knees, orientation_when_over, orientation_while_it_lasts
from .rom_peers import peer_flexions_deg

CALIBRATION = (
    "Lunge",
    "StepUpH",
    "StepUpL",
    "SqHalfDL",
    "SqDL",
    "SumoSq",
    "StepDnH",
    "StepDnL",
    "SqSL",
    "SqHalfSL",
    "BulgSq",
    "DeclineSq",
)
"""From the best suited on: a lunge bends both knees far, straight ahead, from standing to standing; a step up bends one
after the other; a squat bends both at once; in the last ones a leg is held up and hardly bends, or stands on no level
ground. In a Spanish squat nothing moves. On the subject at hand a lunge gives 4.1° from the vendor's quaternions and
3.9° of range; the next five 4.1 to 4.7° and 4.1 to 4.5°."""
SMOOTHING_S = 0.15
"""Width of the Hann window over a flexion whose extremes are looked for; people bend knees slower than 6 Hz."""
VENDOR, RAW, AFTER = "vendor quaternions", "raw samples", "raw samples, when over"
TRACKER = "raw samples, tracker's filter"
"""The filter of a session, which expects to have begun at rest; here it never has."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One knee in one repetition: flexion [°] (n,) by method, and which repetition its axis came from."""

    knee: Knee
    flexion_deg: Mapping[str, FloatArray]
    calibrated_on: str


def evaluate(folder: Path, say: Callable[[str], None]) -> Report:
    """Score all such repetitions in the folder. Raises RecordingError where there is none, or none can be scored."""
    found = knees(recordings_with(folder, *FORM))
    if not found:
        raise RecordingError(f"No squat, lunge or step below {folder} has sensors on thigh and shank and a knee angle.")
    legs: dict[tuple[str, str], list[Knee]] = defaultdict(list)
    for knee in found:
        legs[knee.person, knee.side].append(knee)
    measured: list[Measured] = []
    for (_, side), leg in legs.items():
        say(f"{side} knee: {len(leg)} repetitions")
        measured += measure_leg(leg)
    if not measured:
        raise RecordingError(
            f"No knee below {folder} could be calibrated: each needs a second repetition to be found on."
        )
    return _report(measured, len(found) - len(measured))


def measure_leg(leg: Sequence[Knee]) -> list[Measured]:
    """Flexion in every repetition of one leg that another one of them can calibrate."""
    whole = {knee.repetition: orientation_when_over(knee) for knee in leg}
    axes: dict[tuple[str, str], HingeAxes] = {}

    def axes_of(knee: Knee, method: str) -> HingeAxes:
        key = (knee.repetition, method)
        if key not in axes:
            q = knee.vendor if method == VENDOR else whole[knee.repetition]
            axes[key] = hinge_axes(q[:, 0], q[:, 1], knee.gyr[:, 0], knee.gyr[:, 1])
        return axes[key]

    measured = []
    for knee in leg:
        other = next(
            (
                o
                for o in _calibrating(leg, knee)
                if axes_of(o, RAW).refusal is None and axes_of(o, VENDOR).refusal is None
            ),
            None,
        )
        if other is None:
            continue
        ups = {
            VENDOR: up_in_sensor(knee.vendor),
            RAW: up_in_sensor(orientation_while_it_lasts(knee)),
            TRACKER: up_in_sensor(orientation_while_it_lasts(knee, OrientationFilter)),
            AFTER: up_in_sensor(whole[knee.repetition]),
        }
        flexion = {
            method: _degrees(axes_of(other, VENDOR if method == VENDOR else RAW).angle_rad(up[:, 0], up[:, 1]))
            for method, up in ups.items()
        }
        flexion |= peer_flexions_deg(knee, other, whole[other.repetition], axes_of(other, RAW))
        measured.append(Measured(knee, flexion, other.repetition))
    return measured


def _calibrating(leg: Sequence[Knee], knee: Knee) -> Iterable[Knee]:
    others = [one for one in leg if one.repetition != knee.repetition and one.exercise in CALIBRATION]
    return sorted(others, key=lambda one: (CALIBRATION.index(one.exercise), one.repetition))


def errors_deg(measured: Sequence[Measured], method: str) -> list[FloatArray]:
    """Of each repetition (n,), without the one constant of its leg."""
    errors = [_wrapped(one.flexion_deg[method] - one.knee.flexion_deg) for one in measured]
    legs = [(one.knee.person, one.knee.side) for one in measured]
    for leg in set(legs):
        mine = [i for i, one in enumerate(legs) if one == leg]
        samples = np.concatenate([errors[i] for i in mine])
        # On the circle first: an offset near 180° would otherwise be half plus, half minus.
        constant = float(np.degrees(np.angle(np.exp(1j * np.radians(samples)).mean())))
        constant += float(_wrapped(samples - constant).mean())
        for i in mine:
            errors[i] = _wrapped(errors[i] - constant)
    return errors


def rom_errors_deg(measured: Sequence[Measured], method: str) -> FloatArray:
    """Of each repetition: its range less the reference's."""
    return np.array([_range_deg(one.flexion_deg[method], one.knee) - np.ptp(one.knee.flexion_deg) for one in measured])


def _range_deg(flexion_deg: FloatArray, knee: Knee) -> float:
    window = np.hanning(2 + max(1, round(SMOOTHING_S * knee.rate_hz)))[1:-1]
    unwrapped = np.degrees(np.unwrap(np.radians(flexion_deg)))
    # Odd reflection, for a repetition begins and ends in movement.
    width = (len(window) // 2, (len(window) - 1) // 2)
    padded = np.pad(unwrapped, width, mode="reflect", reflect_type="odd")
    return float(np.ptp(np.convolve(padded, window / window.sum(), mode="valid")))


def _report(measured: Sequence[Measured], left_out: int) -> Report:
    methods = [name for name in measured[0].flexion_deg if all(name in one.flexion_deg for one in measured)]
    rmse = {name: _rms(errors_deg(measured, name)) for name in methods}
    mae = {name: float(np.abs(rom_errors_deg(measured, name)).mean()) for name in methods}
    peers = [name for name in methods if name not in (VENDOR, RAW, AFTER, TRACKER)]
    results = [
        Result("knee_flexion_rmse_deg", rmse[VENDOR], "deg", len(measured), {name: rmse[name] for name in peers}),
        Result(
            "knee_flexion_rmse_raw_deg",
            rmse[RAW],
            "deg",
            len(measured),
            {name: rmse[name] for name in [AFTER, TRACKER, *peers]},
        ),
        Result("rom_mae_deg", mae[AFTER], "deg", len(measured), {name: mae[name] for name in [VENDOR, RAW, *peers]}),
    ]
    notes = [
        "n counts knees in repetitions. RMSE is over all their samples, less one constant per leg.",
        "rom_mae_deg goes from raw samples once the repetition is over.",
        f"Axes came from: {', '.join(sorted({one.calibrated_on for one in measured}))}.",
    ]
    if left_out:
        notes.append(f"{left_out} not scored: no other repetition of that leg showed its axis.")
    return Report(
        results, ("exercise", "knees", "vendor RMSE", "raw RMSE", "range MAE", "range bias"), _rows(measured), notes
    )


def _rows(measured: Sequence[Measured]) -> list[list[str]]:
    vendor, raw, ranges = errors_deg(measured, VENDOR), errors_deg(measured, RAW), rom_errors_deg(measured, AFTER)
    rows = []
    for exercise in EXERCISES:
        for side in ("Left", "Right"):
            mine = [i for i, one in enumerate(measured) if (one.knee.exercise, one.knee.side) == (exercise, side)]
            if not mine:
                continue
            figures = (
                _rms([vendor[i] for i in mine]),
                _rms([raw[i] for i in mine]),
                float(np.abs(ranges[mine]).mean()),
                float(ranges[mine].mean()),
            )
            rows.append([f"{exercise} {side.lower()}", str(len(mine)), *(f"{figure:.1f}" for figure in figures)])
    return rows


def _rms(errors: Sequence[FloatArray]) -> float:
    return float(np.sqrt(np.mean(np.concatenate(errors) ** 2)))


def _degrees(angle_rad: FloatArray) -> FloatArray:
    return np.degrees(np.unwrap(angle_rad))


def _wrapped(angle_deg: FloatArray) -> FloatArray:
    return np.asarray((angle_deg + 180.0) % 360.0 - 180.0)
