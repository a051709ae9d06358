"""Loads a form model and judges repetitions with it."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import numpy as np

from analytics.domain.session import Form, FormLabel
from analytics.form.card import BundleError, Card, read_card
from analytics.form.features import FEATURES, UnusableMotionError, motion_features
from analytics.form.runtime import RuntimeUnavailableError, load_interpreter
from analytics.motion.events import RepetitionMotion
from analytics.signals.samples import FloatArray

__all__ = ["BundleError", "FormScorer", "load_bundle", "shipped_bundle"]

GOLDEN_TOLERANCE = 1e-4
"""Runtimes agree to 1e-6; a wrong quantisation or a damaged weight is off by far more (reference: golden vectors)."""


class FormScorer:
    """One model, ready to judge. Not for several threads at once."""

    def __init__(self, bundle: bytes) -> None:
        """Raises BundleError when card, model and golden values do not fit each other on this machine."""
        self.card: Card = read_card(bundle)
        if tuple(f.name for f in self.card.features) != FEATURES:
            raise BundleError("The form model wants other features than this program computes; use one of its release.")
        try:
            self._interpreter = load_interpreter(bundle)
        except RuntimeUnavailableError as error:
            raise BundleError(str(error)) from error
        self._mean = np.array([f.mean for f in self.card.features])
        self._scale = np.array([f.scale for f in self.card.features])
        self._centres, self._precision = np.array(self.card.gate.centres), np.array(self.card.gate.precision)
        (given,), (taken,) = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        self._input, self._output = given["index"], taken["index"]
        shapes = (tuple(given["shape"]), tuple(taken["shape"]), self._centres.shape, self._precision.shape)
        n, k = len(FEATURES), len(self.card.labels)
        if shapes != ((1, n), (1, k), (k, n), (n, n)):
            raise BundleError("The form model and its card do not fit each other; train it anew or fetch it again.")
        self._check_golden()

    @property
    def name(self) -> str:
        """Exercise and version, as it stands in a session's report."""
        return f"{self.card.exercise} {self.card.version}"

    def judge(
        self,
        motion: RepetitionMotion,
        target_excursion_deg: float | None = None,
        *,
        excursion_deg: float | None = None,
        excursion_error_deg: float = 0.0,
    ) -> Form:
        """How this repetition was done; never raises for a strange movement, but answers NOT_JUDGED and says why.

        target_excursion_deg: how far this person is to move. Without it the typical excursion of the training data
        stands in, and small movements are told from full ones less well (see the card).
        excursion_deg, excursion_error_deg: what the tracker measured. What falls short of the target by more than the
        error is never called correct, whatever the model thinks.
        """
        reference = target_excursion_deg or self.card.typical_excursion_deg
        try:
            features = (motion_features(motion, reference) - self._mean) / self._scale
        except UnusableMotionError as error:
            return _not_judged(str(error))
        if self._distance(features) > self.card.gate.largest_distance:
            return _not_judged("This movement is unlike those the model has learned from.")
        probabilities = self._run(features)
        best = int(np.argmax(probabilities))
        if probabilities[best] < self.card.gate.least_probability:
            return _not_judged("This movement lies between two kinds; the model cannot tell which.")
        label = self.card.labels[best]
        if label is FormLabel.CORRECT and falls_short(excursion_deg, excursion_error_deg, target_excursion_deg):
            reason = (
                f"Measured: {excursion_deg:.0f}° ± {excursion_error_deg:.0f}° of {target_excursion_deg:.0f}° asked for."
            )
            return Form(label=FormLabel.LOW_AMPLITUDE, reason=reason)
        return Form(label=label, probability=min(1.0, float(probabilities[best])))

    def _distance(self, features: FloatArray) -> float:
        away = features - self._centres
        return float(np.sqrt(np.einsum("ki,ij,kj->k", away, self._precision, away).min()))

    def _run(self, features: FloatArray) -> FloatArray:
        self._interpreter.set_tensor(self._input, features.astype(np.float32)[None])
        self._interpreter.invoke()
        return np.asarray(self._interpreter.get_tensor(self._output)[0], dtype=np.float64)

    def _check_golden(self) -> None:
        golden = self.card.golden
        try:
            worst = max(
                float(np.abs(self._run(np.array(given)) - np.array(wanted)).max())
                for given, wanted in zip(golden.inputs, golden.outputs, strict=True)
            )
        except (ValueError, RuntimeError) as error:
            raise BundleError(f"The form model's golden values do not fit it ({error}); train it anew.") from error
        if not worst <= GOLDEN_TOLERANCE:
            raise BundleError(
                f"The form model gives other probabilities here than when it was trained (off by {worst:.2g}), "
                f"so it is not used; fetch it again or train it anew."
            )


def falls_short(excursion_deg: float | None, error_deg: float, target_deg: float | None) -> bool:
    """Whether a measured excursion is short of its target even where it errs in its favour."""
    return excursion_deg is not None and target_deg is not None and excursion_deg + error_deg < target_deg


def _not_judged(reason: str) -> Form:
    return Form(label=FormLabel.NOT_JUDGED, reason=reason)


def load_bundle(path: Path) -> FormScorer:
    """Read a form model. Raises BundleError with one sentence that says what to do."""
    try:
        bundle = path.read_bytes()
    except OSError as error:
        raise BundleError(f"The form model {path} cannot be read ({error.strerror}); check the name.") from error
    return FormScorer(bundle)


def shipped_bundle(exercise_code: str) -> Path | None:
    """The model that comes with the program for this exercise, if there is one."""
    path = Path(str(resources.files("analytics.form") / "bundles" / f"{exercise_code}.tflite"))
    return path if path.is_file() else None
