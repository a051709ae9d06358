"""Labelled repetitions: motions as the tracker sees them online, with how they were done."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from analytics.domain.exercise import Exercise, Side
from analytics.domain.session import FormLabel
from analytics.form.card import TrainingData
from analytics.motion.events import RepetitionDone, RepetitionMotion
from analytics.signals.recording import Recording, load_recording
from analytics.simulation.body import seated_knee_extensions
from analytics.training.replay import repetitions

UCI_FOLDER = "uci_physical_therapy"
UCI_SEATED_KNEE_EXTENSION = "e1"
UCI_TYPES = {1: FormLabel.CORRECT, 2: FormLabel.TOO_FAST, 3: FormLabel.LOW_AMPLITUDE}
SIMULATED_PEOPLE = 8


class DataError(ValueError):
    """The data cannot be learned from; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A part of a recording that someone labelled."""

    start_s: float
    end_s: float
    label: FormLabel

    def overlap_s(self, done: RepetitionDone) -> float:
        """How long a counted repetition and this interval have in common; negative if apart."""
        return min(self.end_s, done.end_s) - max(self.start_s, done.start_s)


@dataclass(frozen=True, slots=True, eq=False)
class LabelledRepetition:
    """reference_excursion_deg: what this person showed as the full movement, in another session."""

    subject: str
    label: FormLabel
    motion: RepetitionMotion
    excursion_deg: float
    excursion_error_deg: float
    reference_excursion_deg: float


def uci_folder(data: Path) -> Path:
    """The folder of UCI Physical Therapy, given itself or the folder above. Raises DataError."""
    for folder in (data / UCI_FOLDER, data):
        if any(folder.glob(f"s*_{UCI_SEATED_KNEE_EXTENSION}_test.npz")):
            return folder
    raise DataError(
        f"There are no recordings of seated knee extension (s1_e1_test.npz and so on) in {data}; "
        f"name the folder that holds {UCI_FOLDER}."
    )


def uci_subjects(folder: Path) -> list[str]:
    """Subjects with a test session: s1, s2, s3."""
    return sorted(p.name.split("_")[0] for p in folder.glob(f"s*_{UCI_SEATED_KNEE_EXTENSION}_test.npz"))


def uci_recording(folder: Path, subject: str, kind: str) -> Recording:
    """One session, `test` or `template`. Raises RecordingError."""
    return load_recording(folder / f"{subject}_{UCI_SEATED_KNEE_EXTENSION}_{kind}.npz")


def uci_intervals(folder: Path, subject: str, kind: str) -> tuple[list[Interval], bool]:
    """Labels of a session, and whether they are of each repetition (else of blocks of one type)."""
    path = folder / f"{subject}_{UCI_SEATED_KNEE_EXTENSION}_{kind}.npz"
    try:
        with np.load(path, allow_pickle=False) as arrays:
            hand = arrays["reps"]
            rows = hand if len(hand) else arrays["blocks_auto"]
            rate_hz = float(json.loads(str(arrays["meta"]))["fs"])
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise DataError(f"{path.name} has no labels that can be read ({error}); copy it again.") from error
    found = [Interval(float(a) / rate_hz, float(b) / rate_hz, UCI_TYPES[int(kind_)]) for a, b, kind_ in rows]
    return found, len(hand) > 0


def uci_repetitions(folder: Path, exercise: Exercise, progress: Callable[[str], None]) -> list[LabelledRepetition]:
    """All labelled seated knee extensions, each matched with the label it overlaps most."""
    labelled: list[LabelledRepetition] = []
    for subject in uci_subjects(folder):
        shown = repetitions(uci_recording(folder, subject, "template"), exercise, Side.RIGHT)
        reference = _reference_deg(shown, uci_intervals(folder, subject, "template")[0], subject)
        intervals, by_hand = uci_intervals(folder, subject, "test")
        counted = repetitions(uci_recording(folder, subject, "test"), exercise, Side.RIGHT)
        labelled += _labelled(subject, counted, intervals, reference)
        source = "hand labels" if by_hand else "labels of blocks"
        progress(f"{subject}: {len(counted)} repetitions counted, {source}, full movement shown {reference:.0f}°")
    return labelled


def _labelled(
    subject: str, counted: Sequence[RepetitionDone], intervals: Sequence[Interval], reference_deg: float
) -> Iterator[LabelledRepetition]:
    """Each counted repetition with the label it overlaps most; without any, it is left out."""
    for one in counted:
        best = max(intervals, key=lambda interval: interval.overlap_s(one))
        if one.motion is None or one.excursion_deg is None or one.excursion_error_deg is None:
            raise DataError("A form model judges the angle's curve, and this exercise is followed by its pattern.")
        if best.overlap_s(one) > 0:
            yield LabelledRepetition(
                subject, best.label, one.motion, one.excursion_deg, one.excursion_error_deg, reference_deg
            )


def _reference_deg(shown: Sequence[RepetitionDone], intervals: Sequence[Interval], subject: str) -> float:
    correct = [i for i in intervals if i.label is FormLabel.CORRECT]
    shown_deg = [(one, one.excursion_deg) for one in shown if one.excursion_deg is not None]
    found = [deg for one, deg in shown_deg if any(i.overlap_s(one) > 0 for i in correct)]
    if not found:
        raise DataError(f"No correct repetition was counted in the template session of {subject}; check the recording.")
    return float(median(found))


def simulated_repetitions(exercise: Exercise, seed: int, progress: Callable[[str], None]) -> list[LabelledRepetition]:
    """The same from the body simulator, for where no data is at hand."""
    labelled: list[LabelledRepetition] = []
    for person in range(SIMULATED_PEOPLE):
        rng = np.random.default_rng([seed, person])
        labels = [label for label in UCI_TYPES.values() for _ in range(10)]
        rng.shuffle(labels)
        range_deg = float(rng.uniform(50, 85))
        body = seated_knee_extensions(labels, rng, rate_hz=50.0, range_deg=range_deg)
        subject = f"simulated {person + 1}"
        truth = [Interval(one.start_s, one.end_s, one.label) for one in body.repetitions]
        counted = repetitions(Recording(subject, body.rate_hz, body.time_s, body.sensors), exercise, Side.RIGHT)
        labelled += _labelled(subject, counted, truth, range_deg)
        progress(f"{subject}: {len(counted)} repetitions counted")
    return labelled


def describe_uci(folder: Path, labelled: Sequence[LabelledRepetition]) -> TrainingData:
    """What a card says of these data."""
    files = sorted(folder.glob(f"s*_{UCI_SEATED_KNEE_EXTENSION}_*.npz"))
    return TrainingData(
        name="Physical Therapy Exercises Dataset (UCI 730), seated knee extension, converted copy",
        simulated=False,
        licence="CC BY 4.0",
        citation="A. Yurtman, B. Barshan, Automated evaluation of physical therapy exercises using multi-template "
        "dynamic time warping on wearable sensor signals, Comput Methods Programs Biomed 117(2):189-207, 2014; "
        "doi 10.24432/C5JK60.",
        labels="Subject 1: third-party hand labels of each repetition. Subjects 2 and 3: the conversion's labels of "
        "blocks (the protocol's order of 10 correct, 10 too fast, 10 of low amplitude), not the authors' own.",
        subjects=len({one.subject for one in labelled}),
        repetitions=len(labelled),
        sha256={path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files},
    )


def describe_simulated(labelled: Sequence[LabelledRepetition]) -> TrainingData:
    """What a card says of simulated data."""
    return TrainingData(
        name="Sinew body simulator, seated knee extension",
        simulated=True,
        licence="Apache-2.0",
        citation="analytics/simulation/body of this program",
        labels="As simulated: exact, but no person moved.",
        subjects=len({one.subject for one in labelled}),
        repetitions=len(labelled),
        sha256={},
    )
