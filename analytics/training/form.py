"""Trains the model that judges form: six features, a small perceptron, a gate for what it has not seen.

Everything is seeded and single-threaded, so the same data give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import LedoitWolf
from sklearn.neural_network import MLPClassifier

from analytics.domain.exercise import Exercise
from analytics.domain.session import FormLabel
from analytics.form.bundle import falls_short
from analytics.form.card import Card, Feature, Gate, Golden, LeaveOneSubjectOut, TrainingData, write_bundle
from analytics.form.features import FEATURES, motion_features
from analytics.signals.samples import FloatArray, IntArray
from analytics.training.dataset import DataError, LabelledRepetition
from analytics.training.tflite_writer import write_classifier

LABELS = (FormLabel.CORRECT, FormLabel.TOO_FAST, FormLabel.LOW_AMPLITUDE)
HIDDEN = (8,)
REGULARISATION = 1.0
"""Chosen on the plateau: from 0.1 to 3 the left-out people are judged alike."""
GATE_QUANTILE = 0.975
"""The gate opens for this share of what left-out people did: they are what a new patient is to the model."""
LEAST_PROBABILITY = 0.6
LEAST_SUBJECTS = 3
GOLDEN_ROWS = 8
DECIMALS = 6
"""Cards hold rounded figures, so that a last bit of arithmetic does not change a file."""

WITH_REFERENCE = "one full movement shown by the person in another session"
WITHOUT_REFERENCE = "typical excursion of the other people"
PRESCRIBED_SHARE = 0.85
AS_PRESCRIBED = (
    f"target of {PRESCRIBED_SHARE:.0%} of that full movement, as in a program; "
    "what falls short of it is not called correct"
)


@dataclass(frozen=True, slots=True, eq=False)
class _Model:
    """A perceptron with its normalisation and what the gate measures from."""

    mean: FloatArray
    scale: FloatArray
    layers: tuple[tuple[FloatArray, FloatArray], ...]
    centres: FloatArray
    precision: FloatArray

    def normalise(self, features: FloatArray) -> FloatArray:
        return np.asarray((features - self.mean) / self.scale)

    def probabilities(self, features: FloatArray) -> FloatArray:
        """(n, 3), computed in double precision: the reference that golden values come from."""
        here = self.normalise(features)
        for k, (weights, biases) in enumerate(self.layers):
            here = here @ weights + biases
            if k < len(self.layers) - 1:
                here = np.maximum(here, 0.0)
        grown = np.exp(here - here.max(axis=1, keepdims=True))
        return np.asarray(grown / grown.sum(axis=1, keepdims=True))

    def distances(self, features: FloatArray) -> FloatArray:
        away = self.normalise(features)[:, None] - self.centres
        return np.asarray(np.sqrt(np.einsum("nki,ij,nkj->nk", away, self.precision, away).min(axis=1)))


def train(
    exercise: Exercise,
    labelled: Sequence[LabelledRepetition],
    data: TrainingData,
    *,
    seed: int,
    version: int,
    progress: Callable[[str], None],
) -> bytes:
    """A bundle trained on all people, its card saying how people left out were judged. Raises DataError."""
    subjects = np.array([one.subject for one in labelled])
    kinds = np.array([LABELS.index(one.label) for one in labelled], dtype=np.int64)
    people = sorted(set(subjects.tolist()))
    if len(people) < LEAST_SUBJECTS or len(set(kinds.tolist())) < len(LABELS):
        raise DataError(
            f"Training needs at least {LEAST_SUBJECTS} people and every kind of repetition; "
            f"the data have {len(people)} people and {len(set(kinds.tolist()))} of {len(LABELS)} kinds."
        )
    typical = round(float(median(one.reference_excursion_deg for one in labelled)), 1)
    own = np.array([motion_features(one.motion, one.reference_excursion_deg) for one in labelled])
    probabilities, distances = _left_out(own, kinds, subjects, seed)
    largest = float(np.quantile(distances, GATE_QUANTILE))
    judged = (distances <= largest) & (probabilities.max(axis=1) >= LEAST_PROBABILITY)
    results = [_result(WITH_REFERENCE, probabilities, judged, kinds, subjects)]

    def against(reference_deg: Sequence[float]) -> tuple[FloatArray, FloatArray]:
        """Probabilities, and whether judged, of people left out who were to move this far."""
        pairs = zip(labelled, reference_deg, strict=True)
        features = np.array([motion_features(one.motion, deg) for one, deg in pairs])
        probabilities, distances = _left_out(own, kinds, subjects, seed, tested=features)
        return probabilities, (distances <= largest) & (probabilities.max(axis=1) >= LEAST_PROBABILITY)

    typical_of_others = {
        person: float(median(one.reference_excursion_deg for one in labelled if one.subject != person))
        for person in people
    }
    probabilities, judged_blind = against([typical_of_others[one.subject] for one in labelled])
    results.append(_result(WITHOUT_REFERENCE, probabilities, judged_blind, kinds, subjects))
    targets_deg = [PRESCRIBED_SHARE * one.reference_excursion_deg for one in labelled]
    probabilities, judged_prescribed = against(targets_deg)
    _call_short_ones_small(probabilities, labelled, targets_deg)
    results.append(_result(AS_PRESCRIBED, probabilities, judged_prescribed, kinds, subjects))
    for result in results:
        progress(f"left-out people, {result.reference}: {result.accuracy:.3f} right of {result.n}")

    model = _fit(own, kinds, seed)
    golden = own[:: max(1, len(own) // GOLDEN_ROWS)][:GOLDEN_ROWS]
    inputs = np.round(model.normalise(golden), DECIMALS)
    card = Card(
        exercise=exercise.code,
        version=version,
        labels=LABELS,
        features=tuple(
            Feature(name=n, mean=float(m), scale=float(s))
            for n, m, s in zip(FEATURES, model.mean, model.scale, strict=True)
        ),
        typical_excursion_deg=typical,
        gate=Gate(
            centres=_rows(model.centres),
            precision=_rows(model.precision),
            largest_distance=round(largest, DECIMALS),
            least_probability=LEAST_PROBABILITY,
            held_out_rate=round(float(1 - judged.mean()), 4),
        ),
        data=data,
        results=tuple(results),
        limits=_limits(data),
        seed=seed,
        golden=Golden(inputs=_rows(inputs), outputs=_rows(model.probabilities(inputs * model.scale + model.mean))),
    )
    return write_bundle(write_classifier(model.layers), card)


def _fit(features: FloatArray, kinds: IntArray, seed: int) -> _Model:
    mean, scale = np.round(features.mean(axis=0), DECIMALS), np.round(features.std(axis=0) + 1e-3, DECIMALS)
    normal = (features - mean) / scale
    network = MLPClassifier(HIDDEN, alpha=REGULARISATION, solver="lbfgs", max_iter=2000, random_state=seed)
    network.fit(normal, kinds)
    centres = np.array([normal[kinds == k].mean(axis=0) for k in range(len(LABELS))])
    precision = LedoitWolf(assume_centered=True).fit(normal - centres[kinds]).precision_
    layers = tuple(
        (w.astype(np.float32).astype(float), b.astype(np.float32).astype(float))
        for w, b in zip(network.coefs_, network.intercepts_, strict=True)
    )
    return _Model(mean, scale, layers, np.round(centres, DECIMALS), np.round(precision, DECIMALS))


def _left_out(
    features: FloatArray, kinds: IntArray, subjects: NDArray[np.str_], seed: int, *, tested: FloatArray | None = None
) -> tuple[FloatArray, FloatArray]:
    """Probabilities (n, 3) and gate distances (n,) of each repetition by a model that never saw its person."""
    probabilities, distances = np.zeros((len(kinds), len(LABELS))), np.zeros(len(kinds))
    for person in np.unique(subjects):
        out = subjects == person
        model = _fit(features[~out], kinds[~out], seed)
        given = (features if tested is None else tested)[out]
        probabilities[out], distances[out] = model.probabilities(given), model.distances(given)
    return probabilities, distances


def _result(
    reference: str, probabilities: FloatArray, judged: FloatArray, kinds: IntArray, subjects: NDArray[np.str_]
) -> LeaveOneSubjectOut:
    right = (probabilities.argmax(axis=1) == kinds) & judged
    return LeaveOneSubjectOut(
        reference=reference,
        n=len(kinds),
        accuracy=round(float(right.mean()), 4),
        accuracy_per_label={str(label): round(float(right[kinds == k].mean()), 4) for k, label in enumerate(LABELS)},
        accuracy_per_subject={str(s): round(float(right[subjects == s].mean()), 4) for s in np.unique(subjects)},
        majority_baseline=round(float(np.bincount(kinds).max() / len(kinds)), 4),
    )


def _call_short_ones_small(
    probabilities: FloatArray, labelled: Sequence[LabelledRepetition], targets_deg: Sequence[float]
) -> None:
    """What FormScorer does with a measured target, on probabilities (n, 3) in place."""
    correct, small = LABELS.index(FormLabel.CORRECT), LABELS.index(FormLabel.LOW_AMPLITUDE)
    for row, one, target_deg in zip(probabilities, labelled, targets_deg, strict=True):
        short = falls_short(one.excursion_deg, one.excursion_error_deg, target_deg)
        if short and row.argmax() == correct:
            row[:] = np.eye(len(LABELS))[small]


def _rows(values: FloatArray) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(round(float(v), DECIMALS) for v in row) for row in values)


def _limits(data: TrainingData) -> tuple[str, ...]:
    who = "nobody: simulated bodies only" if data.simulated else f"{data.subjects} healthy people, no patient"
    return (
        f"Learned from {who}, {data.repetitions} repetitions.",
        "Knows three kinds only: compensation, tremor and pain are not judged.",
        "Small movements are told from full ones by the person's own target; without it, often wrongly.",
    )
