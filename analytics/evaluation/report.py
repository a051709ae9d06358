"""What a task of `sinew evaluate` found, as a table for people and as one JSON object for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Result:
    """One figure. baselines: the same figure by another method on the same recordings, in the same run."""

    metric: str
    value: float
    unit: str
    n: int
    baselines: Mapping[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """The JSON form; figures to four places, beyond which no recording speaks."""
        return {
            "metric": self.metric,
            "value": round(self.value, 4),
            "unit": self.unit,
            "n": self.n,
            "baselines": {name: round(value, 4) for name, value in self.baselines.items()},
        }


@dataclass(frozen=True, slots=True)
class Report:
    """results: the figures. header and rows: what each recording gave, for people. notes: whole sentences beneath."""

    results: Sequence[Result]
    header: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    notes: Sequence[str] = ()

    def as_json(self, task: str, data: str) -> str:
        return json.dumps({"task": task, "data": data, "results": [one.as_dict() for one in self.results]})

    def as_text(self) -> str:
        lines = [*_columns([self.header, *self.rows]), ""] if self.rows else []
        names = sorted({name for one in self.results for name in one.baselines})
        head = ["", "Sinew", *names, "unit", "n"]
        figures = [
            [
                one.metric,
                f"{one.value:.3f}",
                *(f"{one.baselines[name]:.3f}" if name in one.baselines else "–" for name in names),
                one.unit,
                str(one.n),
            ]
            for one in self.results
        ]
        return "\n".join([*lines, *_columns([head, *figures]), *(["", *self.notes] if self.notes else [])])


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """The first column to the left, the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))]).rstrip()
        for row in rows
    ]
