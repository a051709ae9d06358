"""Measures the errors that docs/measures.md states, and writes them into it; --check only compares.

python tools/measure_tables.py [--check] [--data DIR]: DIR holds the recordings of ../shared/data/README.md, and
is that folder, or what SINEW_DATA says, unless named.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analytics.domain.exercise import Compensation
from analytics.domain.measure import Measure
from analytics.exercises import exercise
from analytics.motion import rotations
from analytics.motion.measures import measures_of
from analytics.motion.measures.compensation import LASTING_S, Way, compensation
from analytics.motion.measures.method_error import FROM_RATE
from analytics.motion.timed import LumbarChair, Transition
from analytics.signals.samples import FloatArray

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "measures.md"
BEGIN, END = "<!-- {name}: made by tools/measure_tables.py -->", "<!-- end of {name} -->"
GROUPS = {
    "squats": ("Sq", "BulgSq", "DeclineSq", "SumoSq", "SpainSq"),
    "lunges, steps": ("Lunge", "StepUp", "StepDn"),
}
LEAST_BEND_DEG = 15.0
"""Of the leg that a lunge or step leaves behind, less is no repetition."""
LEAST_SWING_DEG = 50.0
"""A leg that swings bends further."""
TWO_IN_THREE = 0.683
CMU_HZ = 100.0
LARGEST_LIMIT_DEG = 20.0
"""Of nearly all compensations in the catalogue; a deep squat leans further, and is to."""


@dataclass(frozen=True, slots=True)
class Knee:
    """One leg in one repetition: inertial and optical flexion, and the angular rate of the shank against the thigh."""

    time_s: FloatArray
    inertial_deg: FloatArray
    rate_rad_s: FloatArray
    optical_deg: FloatArray


def knees(folder: Path, exercises: tuple[str, ...]) -> Iterator[Knee]:
    """All repetitions of the exercises whose names begin so. The knee's axis is the main direction of the rate."""
    for path in sorted(folder.glob("*.npz")):
        if not path.name.startswith(exercises):
            continue
        with np.load(path, allow_pickle=False) as stored:
            meta, angles = json.loads(str(stored["meta"])), np.asarray(stored["angles_deg"], float)
            time_s, q, gyr = (np.asarray(stored[name], float) for name in ("t", "quat_imu", "gyr"))
        for side in ("Left", "Right"):
            optical = -angles[:, meta["angle_cols"].index(f"{side}KneeAngle_X")]
            if np.ptp(optical) < LEAST_BEND_DEG:
                continue
            thigh, shank = (meta["sensors"].index(f"{side}{segment}") for segment in ("Thigh", "Shank"))
            relative = rotations.relative(q[:, thigh], q[:, shank])
            rate = rotations.rotate(relative, gyr[:, shank]) - gyr[:, thigh]
            axis = np.linalg.svd(rate, full_matrices=False)[2][0]
            turned = rotations.multiply(relative, rotations.conjugate(relative[:1]))
            flexion = np.degrees(np.unwrap(2 * np.arctan2(turned[:, 1:] @ axis, turned[:, 0])))
            if np.corrcoef(flexion, optical)[0, 1] < 0:
                flexion = -flexion
            yield Knee(time_s, flexion, rotations.rotate(rotations.conjugate(relative), rate), optical)


def differences(folder: Path) -> dict[str, dict[str, list[tuple[float, Measure]]]]:
    """By kind of measure and group: the optical figure with the inertial measure of the same repetition."""
    found: dict[str, dict[str, list[tuple[float, Measure]]]] = {}
    for group, exercises in GROUPS.items():
        for knee in knees(folder / "cmu_exercise_sub22", exercises):
            optical = measures_of(knee.time_s, knee.optical_deg)
            inertial = measures_of(knee.time_s, knee.inertial_deg)
            turning = measures_of(knee.time_s, knee.inertial_deg, rate_rad_s=knee.rate_rad_s)
            for code in optical.keys() & inertial.keys() & turning.keys():
                kind, truth = code if "velocity" in code else code.split("_")[-1], optical[code].value
                found.setdefault(kind, {}).setdefault(group, []).append((truth, inertial[code]))
                if kind in ("sparc", "ldlj"):
                    found.setdefault(kind + FROM_RATE, {}).setdefault(group, []).append((truth, turning[code]))
    return found


def pelvis_leans(folder: Path) -> Iterator[tuple[float, Measure]]:
    """How far the pelvis leant from where it began [°], by cameras and by its sensor, in each repetition."""
    tilts = next(one for one in exercise("hip.abduction.standing").compensations if one.cue == "pelvis_tilts")
    for path in sorted((folder / "cmu_exercise_sub22").glob("*.npz")):
        if path.name.startswith((*GROUPS["squats"], *GROUPS["lunges, steps"], "HeelRaise")):
            with np.load(path, allow_pickle=False) as stored:
                meta, angles = json.loads(str(stored["meta"])), np.asarray(stored["angles_deg"], float)
                sensor = np.asarray(stored["quat_imu"][:, [meta["sensors"].index("Pelvis")]], float)
            tilt, aside = (np.radians(angles[:, meta["angle_cols"].index(f"PelvisAngle_{one}")]) for one in "XY")
            up = np.stack([np.sin(tilt) * np.cos(aside), np.cos(tilt) * np.cos(aside), np.sin(aside)], axis=1)
            truth = np.degrees(np.arccos(np.clip(up @ up[0], -1.0, 1.0)))
            yield lasting_deg(truth), compensation(tilts, Way.LEAN, sensor, CMU_HZ)


def knee_bends(folder: Path, bends: Compensation) -> list[tuple[float, Measure]]:
    """How far knees bent [°] in heel raises, by cameras and by the sensors on thigh and shank."""
    found = []
    for path in sorted((folder / "cmu_exercise_sub22").glob("HeelRaise*.npz")):
        with np.load(path, allow_pickle=False) as stored:
            meta, angles = json.loads(str(stored["meta"])), np.asarray(stored["angles_deg"], float)
            q = np.asarray(stored["quat_imu"], float)
        for side in ("Left", "Right"):
            pair = [meta["sensors"].index(f"{side}{one}") for one in ("Thigh", "Shank")]
            flexion = angles[:, meta["angle_cols"].index(f"{side}KneeAngle_X")]
            measure = compensation(bends, Way.BEND, q[:, pair], CMU_HZ)
            found.append((lasting_deg(np.abs(flexion - flexion[0])), measure))
    return found


def lasting_deg(course: FloatArray) -> float:
    """The greatest mean over as long as a compensation must last."""
    width = round(LASTING_S * CMU_HZ)
    return float(np.convolve(course, np.full(width, 1.0 / width), "valid").max())


def compensation_table(folder: Path) -> list[tuple[str, ...]]:
    """How far two departures in three lie from what cameras saw, and the most that one is too large or too small."""
    leans = list(pelvis_leans(folder))
    bends = next(one for one in exercise("ankle.heel_raise").compensations if one.cue == "knee_bends")
    groups = {
        "lean of the pelvis up to 20°": [one for one in leans if one[0] < LARGEST_LIMIT_DEG],
        "lean of the pelvis beyond 20°": [one for one in leans if one[0] >= LARGEST_LIMIT_DEG],
        "knees in heel raises, bent by 1 to 6°": knee_bends(folder, bends),
    }
    rows: list[tuple[str, ...]] = [("departure", "two in three within", "at most too large by", "at most too small by")]
    for name, pairs in groups.items():
        off = np.array([one.value - truth for truth, one in pairs])
        within, large, small = float(np.quantile(np.abs(off), TWO_IN_THREE)), max(0.0, off.max()), max(0.0, -off.min())
        rows.append((name, f"{within:.1f}° (n = {len(off)})", f"{large:.1f}°", f"{small:.1f}°"))
    return rows


ROWS = {
    "peak_velocity": ("greatest speed", True),
    "mean_velocity": ("mean speed", True),
    "time": ("concentric, eccentric, hold time", False),
    "sparc": ("SPARC of the joint angle's velocity", False),
    "sparc" + FROM_RATE: ("SPARC of a sensor's angular rate", False),
    "ldlj": ("LDLJ of the joint angle's velocity", False),
    "ldlj" + FROM_RATE: ("LDLJ of a sensor's angular rate", False),
}
"""Kinds in the table: their names, and whether the difference is a share of the value."""


def errors_table(folder: Path) -> list[tuple[str, ...]]:
    """How far two measurements in three lie from the optical one, per group, and how many."""
    found = differences(folder)
    rows = [("measure", *(f"{group}: two in three within" for group in GROUPS), "stated error (±)")]
    for kind, (name, relative) in ROWS.items():
        cells = []
        for group in GROUPS:
            off = [abs(one.value - truth) / (abs(truth) if relative else 1.0) for truth, one in found[kind][group]]
            within = float(np.quantile(off, TWO_IN_THREE))
            cells.append(f"{100 * within:.0f} % (n = {len(off)})" if relative else f"{within:.2f} (n = {len(off)})")
        one = found[kind]["squats"][0][1]
        assert one.error is not None
        rows.append((name, *cells, f"{100 * one.error / abs(one.value):.0f} %" if relative else f"{one.error:.2f}"))
    return rows


def robustness_table(folder: Path) -> list[tuple[str, ...]]:
    """How much smoothness of squats changes (median) when the recording does."""
    squats = list(knees(folder / "cmu_exercise_sub22", GROUPS["squats"]))
    rng = np.random.default_rng(0)
    changes: dict[str, Callable[[Knee], tuple[FloatArray, FloatArray]]] = {
        "50 Hz instead of 100": lambda k: (k.time_s[::2], k.inertial_deg[::2]),
        "25 Hz instead of 100": lambda k: (k.time_s[::4], k.inertial_deg[::4]),
        "the same in twice the time": lambda k: (2 * k.time_s, k.inertial_deg),
        "noise of 0.1° on each angle": lambda k: (k.time_s, k.inertial_deg + rng.normal(0, 0.1, len(k.time_s))),
        "noise of 0.5° on each angle": lambda k: (k.time_s, k.inertial_deg + rng.normal(0, 0.5, len(k.time_s))),
    }
    rows: list[tuple[str, ...]] = [("what is changed", "SPARC", "LDLJ")]
    for name, alter in changes.items():
        rows.append((name, *_typical_change((_measured(k), measures_of(*alter(k))) for k in squats)))
    extensions = seated_extensions(folder)
    rows.append(
        ("1 s of rest about it instead of 0.25 s", *_typical_change((short, long) for short, long in extensions))
    )
    return rows


def seated_extensions(folder: Path) -> list[tuple[dict[str, Measure], dict[str, Measure]]]:
    """Two seated knee extensions from rest to rest, each measured with little and with much of the rest."""
    with np.load(folder / "movella_dot_knee" / "seated_knee_extension.npz", allow_pickle=False) as stored:
        time_s, flexion = (np.asarray(stored[name], float) for name in ("ik_t", "ik_knee_angle_l_deg"))
    out = np.concatenate([[False], flexion < 95.0, [False]])
    edges = np.flatnonzero(out[1:] != out[:-1]).reshape(-1, 2)
    found = []
    for start, end in edges:
        about = [(time_s >= time_s[start] - rest_s) & (time_s <= time_s[end - 1] + rest_s) for rest_s in (0.25, 1.0)]
        found.append(tuple(measures_of(time_s[one], flexion[one]) for one in about))
    return [(short, long) for short, long in found]


def _measured(knee: Knee) -> dict[str, Measure]:
    return measures_of(knee.time_s, knee.inertial_deg)


def _typical_change(pairs: Iterable[tuple[dict[str, Measure], dict[str, Measure]]]) -> tuple[str, str]:
    """Median change of SPARC and LDLJ over both ways of all repetitions."""
    off: dict[str, list[float]] = {"sparc": [], "ldlj": []}
    for before, after in pairs:
        for code in before.keys() & after.keys():
            if (kind := code.split("_")[-1]) in off:
                off[kind].append(after[code].value - before[code].value)
    # Adding nothing to what was rounded makes one zero of its two signs.
    sparc, ldlj = (f"{round(float(np.median(one)), 2) + 0.0:+.2f}" for one in off.values())
    return sparc, ldlj


def lumbar_transitions(folder: Path) -> list[Transition]:
    """What the lower-back sensor makes of three sit-to-stands between walking and bending."""
    with np.load(folder / "skdh_lumbar" / "sit2stand.npz", allow_pickle=False) as stored:
        time_s, acc = stored["t"] - stored["t"][0], np.asarray(stored["acc"], float)
    chair = LumbarChair(standing=True)
    lengths = np.linalg.norm(acc, axis=1)
    return [one for pair in zip(time_s.tolist(), lengths.tolist(), strict=True) if (one := chair.update(*pair))]


def lumbar_table(folder: Path) -> list[tuple[str, ...]]:
    """Our stands beside those that another library expects of the same recording."""
    with np.load(folder / "skdh_lumbar" / "sit2stand.npz", allow_pickle=False) as stored:
        library_s = np.sort(stored["expected_Duration"])
    stands = [one for one in lumbar_transitions(folder) if one.up]
    ours_s = np.sort([one.end_s - one.start_s for one in stands])
    return [
        ("", "this program", "scikit-digital-health"),
        ("stands found", str(len(stands)), str(len(library_s))),
        ("their durations, s", *(", ".join(f"{one:.2f}" for one in all_s) for all_s in (ours_s, library_s))),
    ]


def walking_table(folder: Path) -> list[tuple[str, ...]]:
    """Range of the swinging leg in single steps. The leg that stands bends too little to show its axis."""
    steps = [k for k in knees(folder / "cmu_exercise_sub22", ("Walk",)) if np.ptp(k.optical_deg) > LEAST_SWING_DEG]
    off = [float(np.ptp(one.inertial_deg) - np.ptp(one.optical_deg)) for one in steps]
    return [
        ("steps", "range by cameras, °", "difference, °", "root mean square, °"),
        (
            str(len(steps)),
            ", ".join(f"{np.ptp(one.optical_deg):.0f}" for one in steps),
            ", ".join(f"{round(one, 1) + 0.0:+.1f}" for one in off),
            f"{np.sqrt(np.mean(np.square(off))):.1f}",
        ),
    ]


TABLES = {
    "errors": errors_table,
    "robustness": robustness_table,
    "lower back": lumbar_table,
    "compensation": compensation_table,
    "walking": walking_table,
}


def page_with_tables(page: str, folder: Path) -> str:
    """The page with the tables between their marks made anew."""
    for name, make in TABLES.items():
        begin, end = BEGIN.format(name=name), END.format(name=name)
        before, rest = page.split(begin)
        header, *rows = make(folder)
        lines = [header, ("---",) * len(header), *rows]
        table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
        page = f"{before}{begin}\n{table}\n{end}{rest.split(end)[1]}"
    return page


def main(argv: list[str]) -> int:
    """Answers the exit code: 1 where the page is not what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--data", type=Path, default=os.environ.get("SINEW_DATA") or ROOT.parent / "shared" / "data")
    options = parser.parse_args(argv)
    page = PAGE.read_text("utf-8")
    made = page_with_tables(page, options.data)
    if options.check:
        if made != page:
            print("docs/measures.md is not what was measured; run tools/measure_tables.py.", file=sys.stderr)
        return int(made != page)
    PAGE.write_text(made, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
