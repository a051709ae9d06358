"""What the virtual sensors play: a real recording, or a simulated body."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from analytics.domain.exercise import Exercise, Side
from analytics.domain.session import FormLabel
from analytics.recovery.course import BEST
from analytics.signals.recording import Recording, RecordingError, load_recording
from analytics.simulation.body import SimulatedBody, seated_knee_extensions
from firmware_interface.virtual.playback import Playback


@dataclass(frozen=True, slots=True)
class Motion:
    """Two sensors on one time line: on the segment nearer to the trunk, and on the one beyond the joint."""

    proximal: Playback
    distal: Playback

    @property
    def duration_s(self) -> float:
        return float(self.distal.time_s[-1] - self.distal.time_s[0])


def recorded_motion(path: Path, exercise: Exercise) -> Motion:
    """Take from a recording the two sensors that the exercise needs, on the side that moves more.

    Which side that was does not matter to the demo: the sensors are worn on the side that the program prescribes.
    Raises RecordingError where the file is not usable or wears no such sensors.
    """
    recording = load_recording(path)
    worn = [side for side in Side if set(_pair(exercise, side)) <= recording.sensors.keys()]
    if not worn:
        raise RecordingError(
            f"{path} has sensors on {', '.join(sorted(recording.sensors))}, but {exercise.name} needs one on a "
            f"{exercise.proximal} and one on the {exercise.distal} of the same side; name another recording."
        )
    proximal, distal = _pair(exercise, max(worn, key=lambda side: _movement(recording, _pair(exercise, side)[1])))
    return Motion(
        *(Playback(recording.rate_hz, recording.time_s, *recording.sensors[name]) for name in (proximal, distal))
    )


def simulated_motion(exercise: Exercise, repetitions: int, range_deg: float, rng: np.random.Generator) -> Motion:
    """A simulated person who does most repetitions well, a few too fast or too small; see `simulated_body`."""
    body = simulated_body(exercise, repetitions, range_deg, rng)
    names = _pair(exercise, Side.RIGHT)
    return Motion(*(Playback(body.rate_hz, body.time_s, *body.sensors[name]) for name in names))


def simulated_body(exercise: Exercise, repetitions: int, range_deg: float, rng: np.random.Generator) -> SimulatedBody:
    """A body whose range as the clinic takes it, the median of the best three repetitions, is `range_deg`.

    It is less where the very best would otherwise exceed what the joint allows.
    """
    labels = list(FormLabel)[:3]
    chosen = [labels[index] for index in rng.choice(3, size=repetitions, p=(0.9, 0.05, 0.05))]
    seed = rng.integers(2**63)

    def moving(mean_deg: float) -> SimulatedBody:
        return seated_knee_extensions(chosen, np.random.default_rng(seed), side=Side.RIGHT, range_deg=mean_deg)

    # The simulator scatters repetitions around their mean, in proportion to it: the first attempt tells the proportion.
    shown_deg = sorted(repetition.excursion_deg for repetition in moving(range_deg).repetitions)
    share = min(range_deg / median(shown_deg[-BEST:]), exercise.rest_flexion_deg / shown_deg[-1])
    return moving(range_deg * share)


def _pair(exercise: Exercise, side: Side) -> tuple[str, str]:
    return exercise.proximal_segment(side), exercise.distal_segment(side)


def _movement(recording: Recording, segment: str) -> float:
    _acc, gyr = recording.sensors[segment]
    return float(np.mean(gyr**2))
