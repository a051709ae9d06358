"""Runs of consecutive numbers, as an upload says what it has and what it lacks."""

from __future__ import annotations

from collections.abc import Iterable


def ranges(numbers: Iterable[int]) -> list[list[int]]:
    """[[first, last], …] of ascending numbers: 0, 1, 2, 5 gives [[0, 2], [5, 5]]."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return found
