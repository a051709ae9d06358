"""Prints how well exercises of the catalogue are counted and measured on simulated people, by each set of sensors that
may follow them: `python tools/catalogue_table.py` (some minutes)."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np

from analytics.domain.exercise import Follows, Layout, Side
from analytics.exercises import exercise
from analytics.motion.events import RepetitionDone
from analytics.motion.tracker import Tracker
from analytics.signals.samples import ImuSamples
from analytics.simulation.body import repeat, rest, simulate
from analytics.simulation.body.catalogue import MOVEMENT_OF
from analytics.simulation.body.movement import Movement

PEOPLE, REPETITIONS, RATE_HZ = 5, 6, 50.0


def row(code: str, movement: Movement, layout: Layout) -> str:
    """One line of the table."""
    segments = layout.on(Side.RIGHT)
    counted, errors, ranges = 0, [], []
    for seed in range(PEOPLE):
        rng = np.random.default_rng(seed)
        parts = [rest(3.0, movement.position), repeat(movement, REPETITIONS, rng), rest(1.0, movement.position)]
        body = simulate(parts, [str(segment) for segment in segments], rng, rate_hz=RATE_HZ)
        tracker = Tracker(exercise(code), Side.RIGHT, dict.fromkeys(segments, RATE_HZ))
        time_us = np.round(body.time_s * 1e6).astype(np.int64)
        events = [
            event
            for segment in segments
            for event in tracker.update(segment, ImuSamples(time_us, *body.sensors[str(segment)]), body.time_s)
        ]
        found = [event for event in [*events, *tracker.finish()] if isinstance(event, RepetitionDone)]
        counted += len(found)
        true_deg = [one.excursion_deg for one in body.repetitions]
        ranges += true_deg
        if len(found) == len(true_deg):
            errors += [
                one.excursion_deg - true
                for one, true in zip(found, true_deg, strict=True)
                if one.excursion_deg is not None
            ]
    sensors = ", ".join(part.replace("_", " ") for part in layout.segments)
    if layout.follows is Follows.PATTERN:
        measured = "by its pattern | | "
    else:
        mean, worst = np.mean(np.abs(errors)), np.max(np.abs(errors))
        measured = f"{np.mean(ranges):.0f}° | {mean:.1f}° | {worst:.1f}°"
    return f"| {code} | {sensors} | {counted} of {PEOPLE * REPETITIONS} | {measured} |"


def table() -> Iterator[str]:
    """The table, line by line."""
    yield "| exercise | sensors | counted | range | mean error | worst |"
    yield "|---|---|---|---|---|---|"
    for code, movement in MOVEMENT_OF.items():
        print(code, file=sys.stderr)
        for layout in exercise(code).layouts:
            yield row(code, movement.in_place(), layout)


if __name__ == "__main__":
    for line in table():
        print(line, flush=True)
