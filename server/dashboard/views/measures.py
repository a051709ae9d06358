"""What else was measured in a session: a figure with its error for each set, and what changed since the one before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analytics.domain.measure import Measure, Unit
from analytics.domain.session import Repetition, SessionReport
from analytics.motion.measures import Change

from ..wording import NO_VALUE, Tag
from .explanations import Explanation, explanation, explanations


@dataclass(frozen=True)
class ChangeWords:
    difference: str
    least: str
    tag: Tag
    sentence: str


@dataclass(frozen=True)
class MeasureRow:
    """`about` is the code of its explanation. `values`: one for each column, a dash where it was not measured.
    `why`: it has no error."""

    name: str
    about: str
    why: str
    values: tuple[str, ...]
    change: ChangeWords | None


@dataclass(frozen=True)
class MeasureTable:
    """`before`: the day that changes count from; empty where there is nothing to compare with."""

    sets: tuple[str, ...]
    rows: tuple[MeasureRow, ...]
    before: str
    real: tuple[str, ...]
    repetitions: tuple[str, ...]
    each: tuple[MeasureRow, ...]
    explanations: tuple[Explanation, ...]


REAL, WITHIN, OPEN = (
    Tag("more than error", "accent", "check"),
    Tag("within error", "plain", "low"),
    Tag("cannot be told", "plain", "question"),
)


def measure_table(report: SessionReport, changed: Sequence[Change], before: str) -> MeasureTable | None:
    """None where nothing was measured beside the repetitions. `before`: the day that `changed` counts from."""
    sets, each = [one.measures for one in report.sets], [one.measures for one in report.repetitions]
    codes = _codes(sets)
    if not codes and not any(each):
        return None
    changed = [one for one in changed if one.after.code in codes]
    return MeasureTable(
        sets=tuple(f"Set {one.number}" for one in report.sets),
        rows=_rows(sets, codes, {one.after.code: _change(one) for one in changed}),
        before=before if changed else "",
        real=tuple(sentence(one) for one in changed if one.is_real),
        repetitions=tuple(_numbers(report.repetitions)),
        each=_rows(each, _codes(each), {}),
        explanations=explanations({*codes, *_codes(each)}),
    )


def figure(measure: Measure) -> str:
    """`62 ± 2°`, `3.10 ± 0.03 s`: no more digits than the error bears."""
    return str(measure).removeprefix(f"{measure.name}: ").replace("-", "−")


def sentence(change: Change) -> str:
    """What changed, and whether that is more than error."""
    return str(change).replace("-", "−")


def _rows(
    columns: Sequence[Sequence[Measure]], codes: dict[str, str], changed: dict[str, ChangeWords]
) -> tuple[MeasureRow, ...]:
    found = [{one.code: one for one in column} for column in columns]
    return tuple(
        MeasureRow(
            name=name,
            about=about.code if (about := explanation(code)) else "",
            why=next((column[code].why_no_error for column in found if code in column), ""),
            values=tuple(figure(column[code]) if code in column else NO_VALUE for column in found),
            change=changed.get(code),
        )
        for code, name in codes.items()
    )


def _codes(columns: Iterable[Iterable[Measure]]) -> dict[str, str]:
    """Names by code, in the order in which they first come."""
    return {one.code: one.name for column in columns for one in column}


def _numbers(repetitions: Sequence[Repetition]) -> list[str]:
    return [str(repetition.number) for repetition in repetitions]


def _change(change: Change) -> ChangeWords:
    unit = _unit(change.after.unit)
    tag = OPEN if change.is_real is None else REAL if change.is_real else WITHIN
    return ChangeWords(
        difference=f"{change.difference:+.2g}{unit}".replace("-", "−"),
        least="" if change.mdc95 is None else f"{change.mdc95:.2g}{unit}",
        tag=tag,
        sentence=sentence(change),
    )


def _unit(unit: Unit) -> str:
    return str(unit) if unit.startswith("°") else f" {unit}".rstrip()
