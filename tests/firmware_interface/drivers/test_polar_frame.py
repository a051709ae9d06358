"""The bits of Polar's frames: against packing that goes bit by bit, the emulator's encoder, and anything at all."""

import contextlib
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_interface.drivers.polar.control import Measurement
from firmware_interface.drivers.polar.frame import decode_deltas, decode_frame
from firmware_interface.errors import DecodeError
from firmware_interface.virtual.families.polar.frames import (
    compressed_capacity,
    encode_compressed,
    encode_raw,
    raw_capacity,
)

KINDS = [(2, 0x00), (2, 0x01), (2, 0x02), (2, 0x80), (2, 0x81), (5, 0x80), (5, 0x81), (6, 0x80), (6, 0x81)]


@st.composite
def blocks(draw):
    """Width and differences (n, 3) of a block."""
    width = draw(st.integers(1, 32))
    difference = st.integers(-(1 << width - 1), (1 << width - 1) - 1)
    return width, draw(st.lists(st.tuples(difference, difference, difference), max_size=20))


def packed(width, differences):
    """A block, as one long number: the first difference in its lowest bits."""
    number = 0
    for place, difference in enumerate(value for sample in differences for value in sample):
        number |= (difference & (1 << width) - 1) << place * width
    return bytes([width, len(differences)]) + number.to_bytes((width * 3 * len(differences) + 7) // 8, "little")


@given(st.tuples(*[st.integers(-32768, 32767)] * 3), st.lists(blocks(), max_size=6))
def test_blocks_of_any_width_are_read_bit_for_bit(first, some):
    body = struct.pack("<3h", *first) + b"".join(packed(*block) for block in some)
    expected = [first]
    for _, differences in some:
        for difference in differences:
            expected.append(tuple(a + b for a, b in zip(expected[-1], difference, strict=True)))
    assert decode_deltas(body, 3, 2).tolist() == [list(sample) for sample in expected]


@given(st.data(), st.sampled_from([61, 229]))
def test_what_the_emulator_packs_is_what_it_measured_and_fits(data, payload_bytes):
    count = data.draw(st.integers(1, compressed_capacity(payload_bytes)))
    reading = st.sampled_from([-32768, -1, 0, 1, 32767]) | st.integers(-32768, 32767)
    counts = np.array(data.draw(st.lists(st.tuples(reading, reading, reading), min_size=count, max_size=count)))
    frame = encode_compressed(Measurement.ACC, 5, 1, counts)
    assert len(frame) <= payload_bytes
    np.testing.assert_array_equal(decode_frame(frame).readings, counts)
    raw = encode_raw(Measurement.ACC, 5, counts[: raw_capacity(payload_bytes)])
    assert len(raw) <= payload_bytes
    np.testing.assert_array_equal(decode_frame(raw).readings, counts[: raw_capacity(payload_bytes)])


def test_a_full_frame_of_the_h10_holds_as_many_samples_as_the_device_sends():
    """36, polar-ble-sdk issue 317."""
    assert raw_capacity(229) == 36


@given(st.binary(max_size=600), st.sampled_from(KINDS), st.booleans())
def test_any_bytes_raise_nothing_but_a_decode_error_and_make_no_more_samples_than_bits(body, kind, headed):
    data = struct.pack("<BQB", kind[0], 0, kind[1]) + body if headed else body
    with contextlib.suppress(DecodeError):
        frame = decode_frame(data)
        assert frame.readings.shape[1] == 3
        assert 1 <= len(frame.readings) <= 1 + 8 * len(data) / 3


@pytest.mark.parametrize("kind", KINDS)
def test_a_frame_that_is_cut_short_is_refused(kind):
    whole = (
        struct.pack("<BQB", kind[0], 0, kind[1]) + bytes(16 if kind[1] & 0x80 else 18) + bytes([9, 2]) * (kind[1] >> 7)
    )
    with pytest.raises(DecodeError):
        decode_frame(whole[:9])
    with pytest.raises(DecodeError):
        decode_frame(whole[:10])
    with pytest.raises(DecodeError):
        decode_frame(whole[:-1] if kind[1] & 0x80 else whole[:-2] + b"\1" * (kind[1] == 0))


@pytest.mark.parametrize("block", ["00 01", "21 01 " + "00" * 13, "08", "08 ff", "01 08 00 00"])
def test_a_block_that_cannot_be_is_refused(block):
    """Differences without bits, or of more than 32; a header or bits that are missing."""
    with pytest.raises(DecodeError, match="does not fit"):
        decode_deltas(bytes(6) + bytes.fromhex(block), 3, 2)


def test_a_block_of_no_samples_adds_none():
    assert decode_deltas(bytes(6) + b"\0\0\5\0", 3, 2).tolist() == [[0, 0, 0]]


@pytest.mark.parametrize("measurement", [0, 1, 3, 7, 9, 0x3F])
def test_a_frame_of_something_else_is_refused(measurement):
    with pytest.raises(DecodeError, match="none of movement"):
        decode_frame(struct.pack("<BQB", measurement, 0, 1) + bytes(6))


@pytest.mark.parametrize("pattern", [0x7F800001, 0xFFC00000, 0x7F800000])
def test_a_pattern_that_is_no_number_is_refused(pattern):
    """A signalling NaN, another, and infinity."""
    with pytest.raises(DecodeError, match="no number"):
        decode_frame(struct.pack("<BQB", 5, 0, 0x81) + struct.pack("<3I", 0, 0x3F800000, pattern))
