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


def gaps(numbers: Iterable[int], count: int) -> list[list[int]]:
    """[[first, last], …] of what ascending numbers lack of 0 to `count` - 1: 1, 2, 5 of 6 give [[0, 0], [3, 4]].

    Takes as long as there are numbers, however large `count` is: it comes from outside.
    """
    found: list[list[int]] = []
    expected = 0
    for number in numbers:
        if number >= count:
            break
        if number > expected:
            found.append([expected, number - 1])
        expected = number + 1
    if expected < count:
        found.append([expected, count - 1])
    return found
