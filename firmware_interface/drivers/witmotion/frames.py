"""WitMotion's frames of 20 bytes, found again in a stream of bytes that has neither length nor checksum.

The sensor's radio passes on what a serial line brought, so a notification may hold one frame, several, or parts of two.
All that tells a frame is its header, 55 61 or 55 71, which data can hold as well.
"""

from __future__ import annotations

FRAME_BYTES = 20
START, MOTION, REPLY = 0x55, 0x61, 0x71


class FrameStream:
    """Cuts notifications into frames.

    A notification that is nothing but frames is taken as it is; captured ones are all of this kind. In any other, a
    frame is believed when the next header stands right behind it. Where that has not arrived yet, it is believed if it
    began in step, right behind a frame that was believed or at a notification's begin, and otherwise waits for it.
    So a false header costs the frames it lies in, and junk at most one good frame's delay. Only data that stand still
    and hold a header themselves can keep up a false step, and that until a notification of nothing but frames. What is
    held is never more than a frame and half a header.
    """

    def __init__(self) -> None:
        self._held = b""
        self._in_step = True
        self.skipped_bytes = 0

    def feed(self, data: bytes) -> bytes:
        """The frames that this notification completes, one behind the other; empty where there are none."""
        if _is_whole(data):
            frames = self._held if len(self._held) == FRAME_BYTES else b""  # a frame that waited for this header
            self.skipped_bytes += len(self._held) - len(frames)
            self._held, self._in_step = b"", True
            return frames + data
        return self._search(self._held + data, notification_at=len(self._held))

    def _search(self, stream: bytes, notification_at: int) -> bytes:
        frames, at = [], 0
        while at < len(stream):
            end = at + FRAME_BYTES
            if not (_may_begin_frame(stream, at) and _may_begin_frame(stream, end)):
                found = stream.find(START, at + 1)
                following = found if found >= 0 else len(stream)
                self._in_step = False
                self.skipped_bytes += following - at
                at = following
            elif len(stream) >= end + 2 or (len(stream) >= end and (self._in_step or at == notification_at)):
                self._in_step = True
                frames.append(stream[at:end])
                at = end
            else:
                break
        self._held = stream[at:]
        return b"".join(frames)


def _is_whole(data: bytes) -> bool:
    count, rest = divmod(len(data), FRAME_BYTES)
    kinds = data[1::FRAME_BYTES]
    return (
        count > 0
        and not rest
        and data[::FRAME_BYTES].count(START) == count
        and kinds.count(MOTION) + kinds.count(REPLY) == count
    )


def _may_begin_frame(stream: bytes, at: int) -> bool:
    """Whether a header stands here, as far as it has arrived."""
    header = stream[at : at + 2]
    return header[:1] in (b"", b"\x55") and header[1:] in (b"", b"\x61", b"\x71")
