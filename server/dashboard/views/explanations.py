"""What each measure is and when not to trust it, as docs/measures.md has it for clinicians."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Explanation:
    """`ending`: of the codes that it explains."""

    code: str
    title: str
    what: str
    doubt: str
    ending: tuple[str, ...]


EXPLANATIONS = (
    Explanation(
        "range",
        "Range moved",
        "how far the joint went",
        "a sensor slipped, or calibration was refused",
        ("range",),
    ),
    Explanation(
        "peak-velocity",
        "Greatest speed",
        "the fastest moment",
        "the movement was a jerk shorter than 0.25 s",
        ("peak_velocity",),
    ),
    Explanation(
        "mean-velocity",
        "Mean speed",
        "range over time, both ways, hold left out",
        "the repetition was broken off",
        ("mean_velocity",),
    ),
    Explanation(
        "times",
        "Concentric and eccentric time",
        "shortening and lengthening work",
        "the person crept into the movement",
        ("concentric_time", "eccentric_time"),
    ),
    Explanation(
        "hold",
        "Hold",
        "time at the turning point",
        "it is below 0.1 s: that is a turn, no hold",
        ("hold_time",),
    ),
    Explanation("duration", "Duration", "start to end", "the person crept into the movement", ("duration",)),
    Explanation(
        "sparc",
        "Smoothness, SPARC",
        "one stroke (−1.4) or many small ones (−2, −3 …)",
        "the way took less than 0.3 s: then it is left out",
        ("_sparc",),
    ),
    Explanation(
        "ldlj",
        "Smoothness, LDLJ",
        "the same question, by jerk; −5.3 is one perfect stroke",
        "nearly always: it follows the skin, the strap and the speed of the movement",
        ("_ldlj",),
    ),
    Explanation(
        "variation",
        "Variation of range, of tempo",
        "how alike the repetitions are in size, in time",
        "there were fewer than five repetitions",
        ("_variation",),
    ),
    Explanation(
        "likeness",
        "Likeness",
        "how alike their shapes are, size left out",
        "the movement has an irregular path of its own",
        ("shape_likeness",),
    ),
    Explanation(
        "compensation",
        "Compensation",
        "how far the trunk or another segment left its place",
        "the segment was already leaning when it began",
        (),
    ),
)


def explanation(code: str) -> Explanation | None:
    """Of the measure with this code; None for one that this release has no words for."""
    if code.startswith("compensation."):
        return EXPLANATIONS[-1]
    return next((one for one in EXPLANATIONS if one.ending and code.endswith(one.ending)), None)


def explanations(codes: Iterable[str]) -> tuple[Explanation, ...]:
    """Each that is needed, once, in the order of the page."""
    needed = {found.code for code in codes if (found := explanation(code)) is not None}
    return tuple(one for one in EXPLANATIONS if one.code in needed)
