"""Knee flexion and its range on people against an optical reference, over squats, lunges and steps.

* Recordings (form: acc, gyr (n, k, 3), quat_imu (n, k, 4), angles_deg (n, m), meta.sensors, meta.angle_cols,
  meta.exercise) are single repetitions; those of `EXERCISES` are scored, both knees.
* The axis comes from inertial data of one other repetition of the same person, by the calibration of the gateway
  (`functional_hinge`): of the first exercise in `CALIBRATION` that there is another repetition of and that the
  calibration does not refuse. Names and inertial data decide, nothing of the reference.
* The flexion is taken from the inclinations of both segments about the axis (`HingeAxes`). The gateway follows the
  difference of headings as well, for which a repetition cut out of a session has no beginning.
* Of the reference one constant per leg is taken, the mean difference, for our zero and the markers' are not the same.
* `knee_flexion_rmse_deg` goes from the vendor's quaternions, `knee_flexion_rmse_raw_deg` from accelerometer and
  gyroscope alone by our VQF, every sample from what came before it in its repetition, which begins in movement. The
  calibrating repetition is used whole.
* `rom_mae_deg`: largest less smallest flexion of a repetition, which is known when it is over, so from the whole
  repetition, raw samples; no constant enters.
* What the choice of the calibrating repetition is worth stands beneath: the same figure with each in its place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analytics.motion.angles import HingeAxes
from analytics.motion.orientation import OrientationFilter
from analytics.signals.recording import RecordingError
from analytics.signals.samples import FloatArray

from .recordings import recordings_with
from .report import Report, Result
from .rom_clips import EXERCISES, FORM, Knee, knees, orientation_while_it_lasts
from .rom_legs import VENDOR, Leg, flexion_deg
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
ground. In a Spanish squat nothing moves."""
SMOOTHING_S = 0.15
"""Width of the Hann window over a flexion whose extremes are looked for; people bend knees slower than 6 Hz."""
RAW, AFTER = "raw samples", "raw samples, when over"
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
    of_leg: dict[tuple[str, str], list[Knee]] = defaultdict(list)
    for knee in found:
        of_leg[knee.person, knee.side].append(knee)
    legs, measured = [], []
    for (_, side), mine in of_leg.items():
        say(f"{side} knee: {len(mine)} repetitions")
        legs.append(Leg(mine))
        measured += measure_leg(legs[-1])
    if not measured:
        raise RecordingError(
            f"No knee below {folder} could be calibrated: each needs a second repetition to be found on."
        )
    return _report(measured, len(found) - len(measured), _by_calibration(legs))


def measure_leg(leg: Leg) -> list[Measured]:
    """Flexion in every repetition of one leg that another one of them can calibrate."""
    measured = []
    for knee in leg.knees:
        found = _calibrated(leg, knee)
        if found is None:
            continue
        other, vendor, raw = found
        flexion = {
            VENDOR: flexion_deg(knee.vendor, vendor),
            RAW: flexion_deg(orientation_while_it_lasts(knee), raw),
            TRACKER: flexion_deg(orientation_while_it_lasts(knee, OrientationFilter), raw),
            AFTER: flexion_deg(leg.whole[knee.repetition], raw),
        }
        flexion |= peer_flexions_deg(knee, other, leg.whole[other.repetition], raw)
        measured.append(Measured(knee, flexion, other.repetition))
    return measured


def _calibrated(leg: Leg, knee: Knee) -> tuple[Knee, HingeAxes, HingeAxes] | None:
    """The best suited other repetition that shows the axis, and that axis from vendor's and from our orientations."""
    others = [one for one in leg.knees if one.repetition != knee.repetition and one.exercise in CALIBRATION]
    for other in sorted(others, key=lambda one: (CALIBRATION.index(one.exercise), one.repetition)):
        vendor, raw = leg.axes(other, VENDOR), leg.axes(other, RAW)
        if vendor is not None and raw is not None:
            return other, vendor, raw
    return None


def _by_calibration(legs: Sequence[Leg]) -> list[str]:
    """What the choice of the calibrating repetition is worth: lines."""
    lines = []
    for exercise in CALIBRATION:
        sides = []
        for leg in legs:
            tried = [knee for knee in leg.knees if knee.exercise == exercise]
            shown = [knee for knee in tried if leg.axes(knee, RAW) is not None]
            errors = [_range_mae_deg(leg, one) for one in shown if len(leg.knees) > 1]
            found = f"{np.mean(errors):4.1f}, at worst {max(errors):4.1f}" if errors else f"{'–':>4}{'':15}"
            if tried:
                sides.append(f"{tried[0].side.lower():5} {found}  ({len(shown)} of {len(tried)})")
        if sides:
            lines.append(f"  {exercise:10}{'   '.join(sides)}")
    head = "Range MAE over the other repetitions of a leg, by what calibrates it (how many show the axis):"
    return [head, *lines]


def _range_mae_deg(leg: Leg, calibrating: Knee) -> float:
    axes = leg.axes(calibrating, RAW)
    assert axes is not None
    others = [knee for knee in leg.knees if knee.repetition != calibrating.repetition]
    measured = [Measured(knee, {AFTER: flexion_deg(leg.whole[knee.repetition], axes)}, "") for knee in others]
    return float(np.abs(rom_errors_deg(measured, AFTER)).mean())


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


def _report(measured: Sequence[Measured], left_out: int, by_calibration: Sequence[str]) -> Report:
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
        *by_calibration,
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


def _wrapped(angle_deg: FloatArray) -> FloatArray:
    return np.asarray((angle_deg + 180.0) % 360.0 - 180.0)
