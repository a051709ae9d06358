"""The population fit: expectation-maximisation on summed statistics (Laird and Ware 1982, Biometrics 38:963).

Patient i is measured at days t_ij:  y_ij = b(t_ij)·c_i + u_ij + e_ij  with the basis b(t) = [1, exp(-t/τ)],
coefficients c_i ~ N(μ, Σ) (asymptote, start minus asymptote), day-to-day variation u_ij ~ N(0, s²) and the
measurement's own error e_ij ~ N(0, error_ij²), which is known. μ, Σ and s² follow by EM for each τ of a grid; the τ of
the best penalised likelihood stays. Statistics of parts of a cohort add up to those of the whole.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analytics.domain.recovery import KNEE_RANGE
from analytics.signals.samples import FloatArray

from .course import Measurements

TAU_GRID_DAYS = np.geomspace(5.0, 120.0, 33)
MOST_ITERATIONS = 400
TOLERANCE = 1e-5
"""Change of the log-likelihood below which an iteration changes nothing anybody could see."""


@dataclass(frozen=True, slots=True)
class Population:
    """What patients have in common: `mean` (2,) and `covariance` (2, 2) of [asymptote, start - asymptote]."""

    tau_days: float
    mean: FloatArray
    covariance: FloatArray
    session_variance: float


@dataclass(frozen=True, slots=True)
class Assumption:
    """A weak prior: what is assumed before patients have been seen, and how few patients outweigh it.

    `worth` is in patients (for mean and covariance) and in measurements (for the session variance); `log_tau_sd` is the
    width of the prior of ln τ.
    """

    population: Population
    typical_error: float
    worth: float = 2.0
    log_tau_sd: float = 0.7


def _assumed(
    start: tuple[float, float], asymptote: tuple[float, float], tau_days: float, session_sd: float
) -> Population:
    """Population from (mean, sd) of independent start and asymptote."""
    to_coefficients = np.array([[0.0, 1.0], [1.0, -1.0]])
    spread = to_coefficients @ np.diag([start[1] ** 2, asymptote[1] ** 2]) @ to_coefficients.T
    return Population(tau_days, to_coefficients @ np.array([start[0], asymptote[0]]), spread, session_sd**2)


ASSUMPTIONS = {
    # Geometry and deliberate width, not data: sitting, the knee rests near 90°, so a full extension shows about 90° and
    # a quadriceps that still lags some 10° less; weeks after surgery anything from 5° to 85° is believed (two sd).
    KNEE_RANGE: Assumption(_assumed((45.0, 20.0), (80.0, 12.0), 21.0, 4.0), typical_error=1.5),
}


def basis(day: FloatArray, tau_days: float) -> FloatArray:
    """(..., 2): the constant, and what is still to come."""
    return np.stack([np.ones_like(day), np.exp(-day / tau_days)], axis=-1)


@dataclass(frozen=True, slots=True)
class Statistics:
    """What one expectation step hands to the maximisation: sums over patients, so parts may be added."""

    patients: float
    points: float
    coefficients: FloatArray
    squares: FloatArray
    session_squares: float
    log_likelihood: float

    def __add__(self, other: Statistics) -> Statistics:
        return Statistics(
            self.patients + other.patients,
            self.points + other.points,
            self.coefficients + other.coefficients,
            self.squares + other.squares,
            self.session_squares + other.session_squares,
            self.log_likelihood + other.log_likelihood,
        )


@dataclass(frozen=True, slots=True)
class Cohort:
    """Patients as padded arrays (patients, most points); `seen` is 1 where there is a point and 0 in the padding."""

    day: FloatArray
    value: FloatArray
    error: FloatArray
    seen: FloatArray

    @classmethod
    def of(cls, patients: Sequence[Measurements]) -> Cohort:
        shape = (len(patients), max(len(p.day) for p in patients))
        day, value, error, seen = np.zeros(shape), np.zeros(shape), np.ones(shape), np.zeros(shape)
        for row, p in enumerate(patients):
            n = len(p.day)
            day[row, :n], value[row, :n], error[row, :n], seen[row, :n] = p.day, p.value, p.error, 1
        return cls(day, value, error, seen)


def expectation(cohort: Cohort, population: Population) -> Statistics:
    """Posterior of every patient's coefficients, summed (Laird and Ware 1982, eq. 3.3 to 3.6)."""
    b = basis(cohort.day, population.tau_days)
    variance = population.session_variance + cohort.error**2
    weight = cohort.seen / variance
    weighted = b * weight[..., None]
    prior_precision = np.linalg.inv(population.covariance)
    residual = cohort.value - b @ population.mean

    precision = prior_precision + np.einsum("ija,ijb->iab", weighted, b)
    posterior = np.linalg.inv(precision)
    pull = np.einsum("ija,ij->ia", weighted, residual)
    shift = np.einsum("iab,ib->ia", posterior, pull)
    coefficients = population.mean + shift

    # Split each residual between the day's own variation and the measurement's known error.
    share = population.session_variance / variance
    left = (residual - np.einsum("ija,ia->ij", b, shift)) ** 2 + np.einsum("ija,iab,ijb->ij", b, posterior, b)
    session_squares = cohort.seen * (share**2 * left + share * cohort.error**2)

    # Marginal likelihood by the matrix determinant lemma and Woodbury's identity.
    log_determinant = (
        float((cohort.seen * np.log(2 * np.pi * variance)).sum())
        + float(np.linalg.slogdet(precision)[1].sum())
        - len(b) * float(np.linalg.slogdet(prior_precision)[1])
    )
    quadratic = float((weight * residual**2).sum()) - float((pull * shift).sum())
    return Statistics(
        patients=len(b),
        points=float(cohort.seen.sum()),
        coefficients=coefficients.sum(axis=0),
        squares=posterior.sum(axis=0) + coefficients.T @ coefficients,
        session_squares=float(session_squares.sum()),
        log_likelihood=-0.5 * (log_determinant + quadratic),
    )


def maximisation(sums: Statistics, tau_days: float, assumption: Assumption) -> Population:
    """Most probable μ, Σ and s² given the sums and the assumption's worth."""
    assumed, worth = assumption.population, assumption.worth
    mean = (sums.coefficients + worth * assumed.mean) / (sums.patients + worth)
    cross = np.outer(mean, sums.coefficients)
    scatter = sums.squares - cross - cross.T + sums.patients * np.outer(mean, mean)
    pull = mean - assumed.mean
    covariance = (scatter + worth * (np.outer(pull, pull) + assumed.covariance)) / (sums.patients + worth)
    session = (sums.session_squares + worth * assumed.session_variance) / (sums.points + worth)
    return Population(tau_days, mean, (covariance + covariance.T) / 2, session)


def log_prior(p: Population, assumption: Assumption) -> float:
    """Log prior density up to a constant; its maximum together with the likelihood is what `maximisation` climbs to."""
    assumed, worth = assumption.population, assumption.worth
    precision = np.linalg.inv(p.covariance)
    pull = p.mean - assumed.mean
    spread = np.linalg.slogdet(p.covariance)[1] + np.trace(precision @ assumed.covariance) + pull @ precision @ pull
    session = math.log(p.session_variance) + assumed.session_variance / p.session_variance
    tau = (math.log(p.tau_days / assumed.tau_days) / assumption.log_tau_sd) ** 2
    return -0.5 * (worth * float(spread) + worth * session + tau)


def climb(cohort: Cohort, start: Population, assumption: Assumption) -> tuple[Population, float]:
    """EM at the time constant of `start`: the population and its penalised log-likelihood."""
    population, height = start, -math.inf
    for _ in range(MOST_ITERATIONS):
        sums = expectation(cohort, population)
        reached = sums.log_likelihood + log_prior(population, assumption)
        if reached - height < TOLERANCE:
            break
        population, height = maximisation(sums, start.tau_days, assumption), reached
    return population, reached


def fit_population(patients: Sequence[Measurements], assumption: Assumption) -> Population:
    """Profile the shared time constant over `TAU_GRID_DAYS`, each τ started from its neighbour's answer."""
    cohort = Cohort.of(patients)
    population, best, height = assumption.population, assumption.population, -math.inf
    for tau_days in TAU_GRID_DAYS:
        start = Population(float(tau_days), population.mean, population.covariance, population.session_variance)
        population, reached = climb(cohort, start, assumption)
        if reached > height:
            best, height = population, reached
    return best
