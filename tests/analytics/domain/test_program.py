"""What a program says of itself."""

from __future__ import annotations

from datetime import date

import pytest

from analytics.domain.program import Restriction


@pytest.mark.parametrize(
    ("until", "in_force"),
    [(None, True), (date(2025, 5, 2), True), (date(2025, 5, 1), True), (date(2025, 4, 30), False)],
)
def test_a_restriction_is_in_force_until_the_end_of_its_last_day(until: date | None, in_force: bool) -> None:
    restriction = Restriction(exercise="x", largest_excursion_deg=60, until=until, set_by="Surgeon")
    assert restriction.in_force(date(2025, 5, 1)) is in_force
