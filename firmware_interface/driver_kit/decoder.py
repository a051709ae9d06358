"""The shape of every family's decoder: bytes in, samples out, and no other error than DecodeError."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from analytics.signals.samples import ImuSamples, Source

Bookmark = dict[str, float]
"""Where a stream stands, in words of the family's own; it is kept as JSON."""


class Decoder(ABC):
    """The state of one sensor's stream. It outlives connections, so that what a lost link cost can be counted.

    Each has a `begin` of its own that sets it up for a stream, with numbers by name: rate, ranges, what else there is.
    source: set by the driver once the device has told who it is, and passed on with every run of samples.
    """

    source: Source | None = None

    @property
    def owes(self) -> bool:
        """Whether anything is held back for missing samples."""
        return False

    def bookmark(self) -> Bookmark | None:
        """Where the stream stands behind what was handed out; None where it could not be taken up again there."""
        return None

    def recall(self, bookmark: Bookmark) -> None:  # noqa: B027 - where there are no bookmarks there is nothing to do
        """Go on from there, if that stream still runs: this program died and has lost all else that it knew of it."""

    def forsaken(self) -> Sequence[ImuSamples]:
        """What was held back for missing samples of a stream that has ended since; to be taken once."""
        return ()

    def give_up(self) -> Sequence[ImuSamples]:
        """What is held back for missing samples: there will be no other connection that they could come on."""
        return ()

    @abstractmethod
    def decode(self, data: bytes, characteristic: str = "") -> Sequence[ImuSamples]:
        """Samples that this notification completes: none where it is only a part, several runs where it holds a gap.

        Raises DecodeError, after which the next notification may be decoded. Memory stays bounded whatever comes.
        """
