"""Puts samples that were asked for again in their place, and holds back what comes after a gap until then."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator
from dataclasses import replace

from analytics.signals.samples import ImuSamples

MOST_HELD_SAMPLES = 4096
"""More than this is not held back: a sensor that owes so much will not catch up."""


class GapFiller:
    """Runs come with the number of their first sample and leave in order.

    next: the number of the first that is wanted, where that is known beforehand.
    """

    def __init__(self, next: int | None = None) -> None:  # noqa: A002 - its name here
        self._next = next
        self._held: list[tuple[int, ImuSamples]] = []
        self._doubtful_until = 0

    @property
    def next(self) -> int | None:
        """The number behind all that has been given out; None before the first, and while that is in doubt."""
        return None if self._next is None or self._next < self._doubtful_until else self._next

    @property
    def gap(self) -> tuple[int, int] | None:
        """The first sample that is missing and how many are, while later ones are held back."""
        return (self._next, self._held[0][0] - self._next) if self._held and self._next is not None else None

    def doubt(self, first: int, until: int) -> None:
        """Before the first run, which has the number `until`, there may have been samples, from `first` on."""
        self._next, self._doubtful_until = first, until

    def exist_from(self, number: int) -> Iterator[ImuSamples]:
        """Of what was in doubt, all from this number on has been, and nothing before it."""
        if self._next is not None and self._next < self._doubtful_until:
            self._next = min(max(self._next, number), self._doubtful_until)
            self._doubtful_until = 0
            yield from self._in_order()

    def add(self, number: int, run: ImuSamples) -> Iterator[ImuSamples]:
        """Take a run; give out what is now in order. One that has been given out, or given up, before is left out."""
        if self._next is None:
            self._next = number - run.lost_before
        if number + len(run) > self._next:
            insort(self._held, (number, run), key=lambda held: held[0])
        yield from self._in_order()
        while sum(len(held) for _, held in self._held) > MOST_HELD_SAMPLES:
            yield from self.give_up()

    def give_up(self) -> Iterator[ImuSamples]:
        """What is missing next will not come: give out what waited for it, up to the next gap.

        What is in doubt is not counted as lost.
        """
        if self._held and self._next is not None:
            number, run = self._held.pop(0)
            lost, self._next = number - max(self._next, min(self._doubtful_until, number)), number + len(run)
            yield replace(run, lost_before=lost)
            yield from self._in_order()

    def give_up_all(self) -> Iterator[ImuSamples]:
        """Nothing that is missing will come."""
        while self._held:
            yield from self.give_up()

    def _in_order(self) -> Iterator[ImuSamples]:
        while self._held and self._next is not None and self._held[0][0] <= self._next:
            number, run = self._held.pop(0)
            if number + len(run) > self._next:
                begins_at, self._next = self._next - number, number + len(run)
                yield replace(_from(run, begins_at), lost_before=0)


def _from(run: ImuSamples, first: int) -> ImuSamples:
    """The run without the samples before its `first`."""
    if first == 0:
        return run
    return replace(
        run,
        sensor_time_us=run.sensor_time_us[first:],
        acc_m_s2=run.acc_m_s2[first:],
        gyr_rad_s=run.gyr_rad_s[first:],
        mag_ut=None if run.mag_ut is None else run.mag_ut[first:],
        orientation=None if run.orientation is None else run.orientation[first:],
        clipped=None if run.clipped is None else run.clipped[first:],
    )
