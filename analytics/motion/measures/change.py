"""Whether a difference is more than measurement error: between two days, and between two sides."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from math import hypot, sqrt
from types import MappingProxyType

from analytics.domain.measure import Measure, Unit
from analytics.domain.session import SessionReport
from analytics.motion.measures.of_set import of_session
from analytics.motion.measures.unmeasurable import UnmeasurableError

Z_95 = 1.96


@dataclass(frozen=True, slots=True)
class Retest:
    """Standard error of measurement (SEM) when the same people are measured again with nothing changed."""

    sem: float
    source: str


PUBLISHED_RETEST = MappingProxyType(
    {
        # The largest of three test-retest MDC95 of knee extension, 5.4°; a goniometer's error is in it.
        "knee.range": Retest(5.4 / (Z_95 * sqrt(2)), "92 patients, goniometer; doi 10.1055/a-2321-0516"),
        "sit_to_stand.five": Retest(0.9, "29 women of 73.6 years on average; Goldberg 2012, doi 10.1007/BF03325265"),
        "sit_to_stand.thirty_seconds": Retest(
            0.89, "114 patients with knee osteoarthritis testing themselves at home; doi 10.1080/21679169.2024.2337419"
        ),
    }
)


def detectable_change(sem: float) -> float:
    """Smallest difference of two measurements that error alone exceeds in one case of twenty: MDC95 = 1.96 √2 SEM."""
    return Z_95 * sqrt(2.0) * sem


@dataclass(frozen=True, slots=True)
class Change:
    """A measure, then and now. mdc95: None where a measure has no error, and then nothing is said of the change."""

    before: Measure
    after: Measure
    mdc95: float | None
    retest_included: bool

    @property
    def difference(self) -> float:
        return self.after.value - self.before.value

    @property
    def is_real(self) -> bool | None:
        """Whether it is beyond measurement error; None where that cannot be known."""
        return None if self.mdc95 is None else abs(self.difference) > self.mdc95

    def __str__(self) -> str:
        unit = self.after.unit if self.after.unit.startswith("°") else f" {self.after.unit}".rstrip()
        changed = f"{self.after.name} changed by {self.difference:+.2g}{unit}"
        if self.mdc95 is None:
            return f"{changed}; whether that is more than measurement error is not known."
        least = f"{self.mdc95:.2g}{unit}"
        if self.is_real and not self.retest_included:
            return f"{changed}, more than the sensors' own error ({least}); how much days differ is not known."
        if self.is_real:
            return f"{changed}, more than the {least} that measurement error explains."
        return f"{changed}, within measurement error: less than {least} may be no change at all."


def change(before: Measure, after: Measure, retest: Retest | None = None) -> Change:
    """Compare a measure with itself on another day.

    SEM² is the mean of the two errors squared, plus the published test-retest SEM squared: people differ when tested
    again, and straps are put on anew. That counts the published instrument's error beside ours, to be on the safe side.
    Without a published figure the change must only exceed our own error.
    """
    if before.code != after.code or before.unit != after.unit:
        raise ValueError(f"{before.code} and {after.code} are not the same measure.")
    included = retest is not None
    if before.error is None or after.error is None:
        return Change(before, after, None, included)
    own = hypot(before.error, after.error) / sqrt(2.0)
    return Change(before, after, detectable_change(hypot(own, retest.sem if retest else 0.0)), included)


def changes(before: SessionReport, after: SessionReport) -> tuple[Change, ...]:
    """What changed between two sessions of one exercise on one side, of all that both measured."""
    if (before.exercise, before.side) != (after.exercise, after.side):
        raise ValueError("Only sessions of the same exercise on the same side can be compared over time.")
    then, now = of_session(before), of_session(after)
    return tuple(change(then[code], now[code], _retest(after.exercise, code)) for code in now if code in then)


def _retest(exercise: str, code: str) -> Retest | None:
    """Published for a whole test, or for a measure of a joint's exercises."""
    return PUBLISHED_RETEST.get(code) or PUBLISHED_RETEST.get(f"{exercise.partition('.')[0]}.{code}")


LEAST_TIMES_ITS_ERROR = 3.0
NO_SIDES = ("compensation.", "sit_to_stand.")
COMPARED_BETWEEN_SIDES = frozenset({Unit.DEGREE, Unit.DEGREE_PER_SECOND, Unit.SECOND})


def symmetry(affected: Measure, other: Measure) -> Measure:
    """Limb symmetry index: the affected side as a percentage of the other one; 100 is alike.

    The affected side is known in rehabilitation, so this says it in the plainest way, and it needs no choice of a
    reference, on which the classic symmetry index depends (Zifchock et al. 2008, Gait Posture 27:622). It is no proof
    of health: the other side weakens too (Wellsandt et al. 2017, J. Orthop. Sports Phys. Ther.: 8 of 11 who were hurt
    again had passed 90 %). Only of what has a zero and is above it: a range, a speed, a time.

    Raises UnmeasurableError where the other side hardly moved, since everything is much more than next to nothing.
    """
    if affected.code != other.code or affected.unit != other.unit:
        raise ValueError(f"{affected.code} and {other.code} are not the same measure.")
    if affected.unit is Unit.NONE:
        raise ValueError(f"{affected.code} has no zero to take a ratio from; compare the two figures themselves.")
    if other.value <= 0 or (other.error is not None and other.value < LEAST_TIMES_ITS_ERROR * other.error):
        raise UnmeasurableError("The other side moved too little to compare with; do the exercise with it as well.")
    index = 100.0 * affected.value / other.value
    code, name = f"{affected.code}_symmetry", f"{affected.name} against the other side"
    if affected.error is None or other.error is None:
        reason = affected.why_no_error or other.why_no_error
        return Measure(code=code, name=name, value=index, unit=Unit.PERCENT, why_no_error=reason)
    error = 100.0 * hypot(affected.error, affected.value * other.error / other.value) / other.value
    return Measure(code=code, name=name, value=index, unit=Unit.PERCENT, error=error)


def symmetries(affected: SessionReport, other: SessionReport) -> tuple[Measure, ...]:
    """The affected side against the other one in the same exercise, of all that both measured and that has a zero.
    Left out is how far somebody compensated, since as much on both sides is no recovery, and chair tests, which take
    both legs."""
    if affected.exercise != other.exercise or affected.side is other.side:
        raise ValueError("Only sessions of the same exercise on two sides can be compared with each other.")
    found, theirs = [], of_session(other)
    for code, one in of_session(affected).items():
        if code in theirs and one.unit in COMPARED_BETWEEN_SIDES and not code.startswith(NO_SIDES):
            with suppress(UnmeasurableError):
                found.append(symmetry(one, theirs[code]))
    return tuple(found)
