"""The growth model: what a population's recoveries look like, and one patient's place among them in closed form."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np

from analytics.domain.recovery import KNEE_RANGE, Course
from analytics.signals.samples import FloatArray

from .cohort import ASSUMPTIONS, basis, fit_population
from .course import Measurements, measurements

NAME = "growth.exponential 1"
FEWEST_COURSES = 2


class GrowthModelError(ValueError):
    """A model that cannot be fitted or read; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Coefficients:
    """Posterior of one patient's [asymptote, start - asymptote]: `mean` (2,), `covariance` (2, 2)."""

    tau_days: float
    mean: FloatArray
    covariance: FloatArray

    def course(self, day: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Mean and standard deviation of the patient's underlying course, (n,) each; no day-to-day variation."""
        b = basis(day, self.tau_days)
        return b @ self.mean, np.sqrt(np.maximum(np.einsum("ja,ab,jb->j", b, self.covariance, b), 0.0))


@dataclass(frozen=True)
class GrowthModel:
    """A linear mixed model on [1, exp(-t/τ)]; see `cohort` for its equation. Fit, keep as JSON, ask for posteriors.

    `mean` and `covariance` are what is believed of a patient not yet seen, coefficients [asymptote, start - asymptote];
    the covariance therefore also holds how little a small cohort says about its own mean. `assumed` is true where fewer
    than two courses were there to learn from and the numbers are the weak prior of `cohort.ASSUMPTIONS`.
    """

    outcome: str
    tau_days: float
    mean: tuple[float, float]
    covariance: tuple[tuple[float, float], tuple[float, float]]
    session_sd: float
    typical_error: float
    courses: int
    measurements: int
    last_day: float
    assumed: bool

    @classmethod
    def fit(cls, courses: Sequence[Course], *, outcome: str = KNEE_RANGE) -> GrowthModel:
        """Learn from courses of one outcome; those without a usable point are left out.

        Raises `GrowthModelError` for an outcome without an assumption to start from, and for a course of another.
        """
        if outcome not in ASSUMPTIONS:
            raise GrowthModelError(f"There is no growth model for {outcome!r}; known are: {', '.join(ASSUMPTIONS)}.")
        if strangers := {c.outcome for c in courses} - {outcome}:
            raise GrowthModelError(
                f"A model of {outcome!r} cannot learn from courses of {', '.join(sorted(strangers))}."
            )
        assumption = ASSUMPTIONS[outcome]
        patients = [m for m in map(measurements, courses) if len(m.day)]
        if len(patients) < FEWEST_COURSES:
            population, typical_error, widening = assumption.population, assumption.typical_error, 1.0
        else:
            population = fit_population(patients, assumption)
            typical_error = float(np.median(np.concatenate([m.error for m in patients])))
            widening = 1 + 1 / len(patients)
        (a, b), (c, d) = (population.covariance * widening).tolist()
        return cls(
            outcome=outcome,
            tau_days=population.tau_days,
            mean=(float(population.mean[0]), float(population.mean[1])),
            covariance=((a, b), (c, d)),
            session_sd=math.sqrt(population.session_variance),
            typical_error=typical_error,
            courses=len(patients),
            measurements=sum(len(m.day) for m in patients),
            last_day=max((float(m.day[-1]) for m in patients), default=0.0),
            assumed=len(patients) < FEWEST_COURSES,
        )

    @property
    def name(self) -> str:
        return NAME

    @cached_property
    def _prior(self) -> tuple[FloatArray, FloatArray]:
        """Precision, and precision times mean."""
        precision = np.linalg.inv(np.array(self.covariance))
        return precision, precision @ np.array(self.mean)

    def posterior(self, patient: Measurements) -> Coefficients:
        """What the measurements say of this patient, exactly (the Gaussian posterior in information form).

        With no measurement it is the population's distribution. Cost: one 2 × 2 inverse, whatever the number of points.
        """
        precision, information = self._prior
        b = basis(patient.day, self.tau_days)
        weighted = b / (self.session_sd**2 + patient.error**2)[:, None]
        (p, q), (_, r) = (precision + weighted.T @ b).tolist()
        covariance = np.array([[r, -q], [-q, p]]) / (p * r - q * q)
        return Coefficients(self.tau_days, covariance @ (information + weighted.T @ patient.value), covariance)

    def distance(self, patient: Coefficients) -> float:
        """Squared Mahalanobis distance of a patient from the population; about χ² with two degrees for one of them."""
        away = patient.mean - np.array(self.mean)
        return float(away @ self._prior[0] @ away)

    def to_json(self) -> str:
        """Canonical text: the same model is always the same bytes, so its digest names it."""
        return json.dumps({"form": NAME, **asdict(self)}, sort_keys=True, separators=(",", ":"))

    @cached_property
    def sha256(self) -> str:
        """Hex digest of `to_json`."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    @classmethod
    def from_json(cls, text: str) -> GrowthModel:
        """Read what `to_json` wrote. Raises `GrowthModelError` for anything else."""
        try:
            content = json.loads(text)
            if content.pop("form") != NAME:
                raise GrowthModelError(f"This model is of another form than {NAME!r}: fit it again from the courses.")
            (a, b), (c, d) = content.pop("covariance")
            start, change = content.pop("mean")
            model = cls(**content, mean=(start, change), covariance=((a, b), (c, d)))
            numbers = (model.tau_days, model.session_sd, model.typical_error, a, d, a * d - b * c)
            sound = b == c and all(0 < x < math.inf for x in numbers) and all(map(math.isfinite, model.mean))
        except GrowthModelError:
            raise
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise GrowthModelError(
                "This is not a growth model's JSON: fit the model again from the courses."
            ) from error
        if not sound:
            raise GrowthModelError("This growth model holds impossible numbers: fit it again from the courses.")
        return model
