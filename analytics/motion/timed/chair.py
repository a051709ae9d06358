"""The two chair tests, from the transitions that a thigh or lower-back sensor saw.

Five times: seconds for five stands, from "go" until the person sits again after the fifth (as in the Rehabilitation
Measures Database, sralab.org); the short battery of Guralnik et al. 2000 (J. Gerontol. A 55:M221) stops at the fifth
stand: ask for that with `until_seated=False`, and compare only with the same. Thirty seconds: full stands, the last one
too if it is more than half done at 30 s (Jones, Rikli & Beam 1999, Res. Q. Exerc. Sport 70:113).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot

from analytics.domain.measure import Measure, Unit
from analytics.motion.measures.unmeasurable import UnmeasurableError
from analytics.motion.timed.transition import Transition

FIVE = 5
THIRTY_S = 30.0
LAST_STAND_S = 3.0
"""What is not over so long after the 30 s was not half done by then."""
COUNT_ERROR = 12**-0.5
"""A whole number stands for anything between its neighbours' halves."""
FROM_FIRST_MOVEMENT = (
    'The time runs from the first movement, since nobody said "go"; published times hold the moment before it as well.'
)


@dataclass(frozen=True, slots=True)
class ChairTest:
    """A result with the stands that it counts, and what has to be said beside it."""

    measure: Measure
    stands: tuple[Transition, ...]
    notes: tuple[str, ...]


def five_times(
    transitions: Sequence[Transition], go_s: float | None = None, *, until_seated: bool = True
) -> ChairTest | None:
    """Time of five stands; None until they are done. go_s: when "go" was said; None: from the first movement."""
    events = _since(transitions, go_s)
    stands = [one for one in events if one.up and one.complete][:FIVE]
    if len(stands) < FIVE:
        return None
    sits = [one for one in events if one.complete and not one.up and one.end_s > stands[-1].end_s]
    if until_seated and not sits:
        return None
    last = sits[0] if until_seated else stands[-1]
    begin_s, begin_error_s = (go_s, 0.0) if go_s is not None else (stands[0].start_s, stands[0].start_error_s)
    time_s, error_s = last.end_s - begin_s, hypot(begin_error_s, last.end_error_s)
    measure = Measure(
        code="sit_to_stand.five", name="Five times sit to stand", value=time_s, unit=Unit.SECOND, error=error_s
    )
    partial = [str(one) for one in events if not one.complete and one.end_s <= last.end_s]
    return ChairTest(measure, tuple(stands), (*partial, *(() if go_s is not None else (FROM_FIRST_MOVEMENT,))))


def thirty_seconds(
    transitions: Sequence[Transition], go_s: float, *, now_s: float, arms_used: bool = False
) -> ChairTest | None:
    """Stands in 30 s, complete ones. now_s: how far the recording has come; None until the last that may count is over.
    One that is under way at 30 s counts if half of it was done by then. Whoever pushes up with the arms has 0."""
    end_s = go_s + THIRTY_S
    if now_s < end_s + LAST_STAND_S and not any(one.end_s >= end_s for one in transitions):
        return None
    events = _since(transitions, go_s)
    stands = [one for one in events if one.up and one.complete and one.middle_s <= end_s]
    counted = 0 if arms_used else len(stands)
    measure = Measure(
        code="sit_to_stand.thirty_seconds", name="Stands in 30 s", value=counted, unit=Unit.COUNT, error=COUNT_ERROR
    )
    partial = [str(one) for one in events if not one.complete and one.start_s <= end_s]
    arms = ("The arms helped, so no stand counts.",) if arms_used else ()
    return ChairTest(measure, tuple(stands), (*partial, *arms))


def _since(transitions: Sequence[Transition], go_s: float | None) -> list[Transition]:
    """What began after "go". Raises UnmeasurableError where the person was already up then."""
    events = [one for one in transitions if go_s is None or one.middle_s >= go_s]
    if any(one.complete and not one.up for one in events[:1]):
        raise UnmeasurableError("The test begins sitting down; sit still on the chair and begin again.")
    return events
