"""Frames without length or checksum: found again wherever notifications are cut, and after whatever came before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_interface.drivers.witmotion.driver import WitMotionDriver
from firmware_interface.drivers.witmotion.frames import FRAME_BYTES, FrameStream
from firmware_interface.errors import DecodeError

# 0x55 in data can look like a header for as long as the data stand still; without it, nothing can be mistaken.
contents = st.binary(min_size=18, max_size=18).map(lambda data: data.replace(b"\x55", b"\x54"))
frames = st.sampled_from([b"\x55\x61", b"\x55\x71"]).flatmap(lambda header: contents.map(header.__add__))
junk = st.sampled_from([b"", b"\x55", b"\x55\x61", b"\x55\x71"]).flatmap(
    lambda header: st.binary(max_size=40).map(header.__add__)
)


def cut(stream, sizes):
    pieces, at = [], 0
    while at < len(stream):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(stream[at : at + size])
        at += size
    return pieces


@given(st.lists(frames, min_size=1, max_size=8), st.lists(st.integers(1, 50), min_size=1, max_size=8))
def test_frames_are_the_same_however_notifications_are_cut(sent, sizes):
    stream = FrameStream()
    assert b"".join(stream.feed(piece) for piece in cut(b"".join(sent), sizes)) == b"".join(sent)
    assert stream.skipped_bytes == 0


@given(st.lists(junk, max_size=8), st.lists(frames, min_size=1, max_size=6))
def test_after_junk_a_notification_of_frames_is_taken_at_once(rubbish, sent):
    stream = FrameStream()
    for data in rubbish:
        stream.feed(data)
    assert stream.feed(b"".join(sent)).endswith(b"".join(sent))


@given(
    st.lists(junk, max_size=8),
    st.lists(frames, min_size=2, max_size=6),
    st.lists(st.integers(1, 50), min_size=1, max_size=8),
)
def test_after_junk_frames_that_are_cut_are_found_by_the_second(rubbish, sent, sizes):
    stream = FrameStream()
    for data in rubbish:
        stream.feed(data)
    found = b"".join(stream.feed(piece) for piece in cut(b"".join(sent) + sent[0][:2], sizes))
    assert found.endswith(b"".join(sent[1:]))


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_whatever_comes_little_is_held_and_nothing_but_a_decode_error_is_raised(notifications):
    decoder = WitMotionDriver.new_decoder()
    decoder.begin(rate_hz=100.0)
    given_out = 0
    for data in notifications:
        try:
            runs = decoder.decode(data)
        except DecodeError:
            continue
        given_out += sum(map(len, runs))
        assert len(decoder._frames._held) <= FRAME_BYTES + 1
    assert given_out * FRAME_BYTES <= sum(map(len, notifications))


def test_a_header_inside_of_data_is_not_believed():
    """Subscribed to in mid-frame: the data hold a header, but 20 bytes on there is none."""
    first = bytes.fromhex("5561" + "0102030455610506" + "00" * 10)
    second = bytes.fromhex("5561" + "0102" * 9)
    stream = FrameStream()
    assert stream.feed(first[5:] + second[:9]) == b""
    assert stream.feed(second[9:] + second) == second * 2
    assert stream.skipped_bytes == 15


def test_a_notification_of_frames_outweighs_what_data_look_like():
    """A frame lost its end, and of a sensor at rest the same data follow, which hold a header where one would stand."""
    frame = bytes.fromhex("5561" + "010203040506" + "5561" + "00" * 10)
    stream = FrameStream()
    assert stream.feed(frame[:12]) == b""
    assert [stream.feed(frame) for _ in range(3)] == [frame] * 3


def test_a_frame_that_lost_its_end_is_left_out():
    frame = bytes.fromhex("5561" + "0102" * 9)
    stream = FrameStream()
    assert stream.feed(frame + frame[:12] + frame + frame) == frame * 3
    assert stream.skipped_bytes == 12


def test_a_frame_after_junk_waits_for_the_next_header():
    frame = bytes.fromhex("5561" + "0102" * 9)
    stream = FrameStream()
    assert stream.feed(b"junk" + frame) == b""
    assert stream.feed(frame) == frame * 2


def test_junk_alone_is_a_decode_error_and_the_next_notification_is_not():
    decoder = WitMotionDriver.new_decoder()
    decoder.begin(rate_hz=100.0)
    with pytest.raises(DecodeError, match="belong to no frame"):
        decoder.decode(b"junk")
    assert len(decoder.decode(bytes.fromhex("5561" + "0102" * 9))[0]) == 1
