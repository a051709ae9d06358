"""Figures and instants in the words and signs that every page shares. Pure; English for now."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Literal

from analytics.domain.exercise import Side

Reader = Literal["clinician", "patient"]
"""Who reads the page: a clinician gets the terms of the field, a patient plain words about themselves."""

Tone = Literal["plain", "good", "watch", "alert", "accent"]

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
NO_VALUE = "–"


@dataclass(frozen=True)
class Tag:
    """A state told three ways at once: in words, by a sign (an icon of templates/icons.html) and by its colour."""

    text: str
    tone: Tone
    icon: str


SIMULATED = Tag("simulated", "plain", "flask")


def degrees(value: float | None) -> str:
    """`72°`, with a real minus sign; a dash for a value that is not there."""
    if value is None:
        return NO_VALUE
    rounded = round(value)
    return f"−{-rounded}°" if rounded < 0 else f"{rounded}°"


def degrees_with_error(value: float | None, error: float | None) -> str:
    """`72° ± 3°`. An error below one degree is shown to a tenth, never rounded to "± 0°"."""
    if value is None or error is None:
        return degrees(value)
    return f"{degrees(value)} ± {degree_error(error)}"


def degree_error(error: float) -> str:
    """One standard deviation in whole degrees, or tenths where it is below one."""
    return f"{error:.0f}°" if error >= 0.95 else f"{error:.1f}°"


def percent(share: float | None) -> str:
    """A share of 1 in whole percent."""
    return NO_VALUE if share is None else f"{share * 100:.0f} %"


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """`1 session`, `1 240 sessions`: thousands are set apart by a thin space."""
    return f"{number:,}".replace(",", "\u202f") + " " + (noun if number == 1 else plural or noun + "s")


def day_words(day: date, *, year: bool = True) -> str:
    """`21 Sep 2026`."""
    words = f"{day.day} {_MONTHS[day.month - 1]}"
    return f"{words} {day.year}" if year else words


def moment_words(moment: datetime, zone: tzinfo) -> str:
    """`Mon 21 Sep 2026, 18:04` on the clinic's clock."""
    local = moment.astimezone(zone)
    return f"{_DAYS[local.weekday()]} {day_words(local.date())}, {local:%H:%M}"


def ago(moment: datetime | None, today: date, zone: tzinfo) -> str:
    """How long ago, in whole days of the clinic's calendar."""
    if moment is None:
        return "never"
    days = days_since(moment, today, zone)
    if days <= 0:
        return "today"
    if days == 1:
        return "yesterday"
    return f"{days} days ago" if days < 21 else f"{days // 7} weeks ago"


def days_since(moment: datetime, today: date, zone: tzinfo) -> int:
    """Midnights of the clinic between then and today."""
    return (today - moment.astimezone(zone).date()).days


def duration(seconds: float) -> str:
    """`4 min 12 s`, `42 s`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def clock(seconds: float) -> str:
    """Time within a session: `1:07`."""
    whole = max(0, round(seconds))
    return f"{whole // 60}:{whole % 60:02d}"


def date_of_day(surgery_on: date, day: float) -> date:
    """The calendar day that holds an instant of a course, whose day 0.0 is midnight before surgery."""
    return surgery_on + timedelta(days=math.floor(day))


def day_number(day: float) -> str:
    """The same day as a number: what happened on day 21 at noon is at 21.5."""
    return str(math.floor(day))


def side_words(side: Side, what: str = "knee") -> str:
    """`Right knee`."""
    return f"{side.value.capitalize()} {what}"


def join_words(words: tuple[str, ...] | list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return ", ".join(words[:-1]) + " and " + words[-1] if len(words) > 1 else "".join(words)
