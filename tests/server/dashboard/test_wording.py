from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from server.dashboard import wording


@pytest.mark.parametrize(
    ("value", "error", "said"),
    [
        (72.4, 2.6, "72° ± 3°"),
        (72.4, 0.52, "72° ± 0.5°"),
        (72.4, 0.96, "72° ± 1°"),
        (-3.2, 1.0, "−3° ± 1°"),
        (-0.3, None, "0°"),
        (None, 2.0, "–"),
    ],
)
def test_an_error_is_never_rounded_away(value, error, said) -> None:
    assert wording.degrees_with_error(value, error) == said


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (datetime(2026, 9, 21, 7, 0, tzinfo=UTC), "today"),
        # In Berlin it was already the 21st.
        (datetime(2026, 9, 20, 22, 30, tzinfo=UTC), "today"),
        (datetime(2026, 9, 20, 21, 30, tzinfo=UTC), "yesterday"),
        (datetime(2026, 9, 14, 9, 0, tzinfo=UTC), "7 days ago"),
        (datetime(2026, 8, 1, 9, 0, tzinfo=UTC), "7 weeks ago"),
        (None, "never"),
    ],
)
def test_days_are_counted_on_the_clinics_calendar(moment, said) -> None:
    assert wording.ago(moment, date(2026, 9, 21), ZoneInfo("Europe/Berlin")) == said


def test_a_moment_is_told_on_the_clinics_clock() -> None:
    moment = datetime(2026, 9, 20, 22, 30, tzinfo=UTC)
    assert wording.moment_words(moment, UTC) == "Sun 20 Sep 2026, 22:30"
    assert wording.moment_words(moment, ZoneInfo("Europe/Berlin")) == "Mon 21 Sep 2026, 00:30"


def test_an_instant_of_a_course_lies_on_the_day_that_holds_it() -> None:
    assert wording.date_of_day(date(2026, 8, 1), 20.9) == date(2026, 8, 21)
    assert wording.day_number(20.9) == "20"


def test_counts_read_well() -> None:
    assert wording.counted(1, "session") == "1 session"
    assert wording.counted(10400, "sample") == "10\u202f400 samples"
    assert wording.join_words(["a", "b", "c"]) == "a, b and c"
    assert wording.join_words([]) == ""
    assert (wording.duration(42), wording.duration(245.4), wording.clock(67.2)) == ("42 s", "4 min 05 s", "1:07")
