"""Capture2Go's bytes: in any pieces, among any junk."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_interface.drivers.capture2go.driver import (
    Capture2GoDecoder,
    decode_orientation,
    decode_package,
    encode_command,
)
from firmware_interface.drivers.capture2go.frames import PackageReader
from firmware_interface.drivers.capture2go.packages import encode_package
from firmware_interface.errors import DecodeError

SECOND_NS = 1_000_000_000


def packed(number, flags=0, mag=True, start_ns=0):
    """Eight samples at 200 Hz, all counts the number."""
    counts = np.full(72 if mag else 48, number % 1000, "<i2").tobytes()
    time_ns = start_ns + number * SECOND_NS // 25
    return encode_package(0x0221 if mag else 0x0231, struct.pack("<q", time_ns) + counts + bytes(10) + bytes([flags]))


def fresh():
    decoder = Capture2GoDecoder()
    decoder.begin(200.0)
    return decoder


def test_what_comes_before_a_begin_is_passed_over():
    assert Capture2GoDecoder().decode(b"\xff" + packed(1)) == []


@given(st.lists(st.integers(1, 243), min_size=1, max_size=20), st.booleans())
def test_in_any_pieces_the_same_samples(sizes, mag):
    stream = b"".join(packed(number, mag=mag) for number in range(12))
    decoder, runs, at, turn = fresh(), [], 0, 0
    while at < len(stream):
        size = sizes[turn % len(sizes)]
        runs += decoder.decode(b"\xff" + stream[at : at + size])
        at, turn = at + size, turn + 1
    assert [run.acc_m_s2[0, 0] / (16 * 9.81 / 32768) for run in runs] == pytest.approx(range(12))
    assert [run.lost_before for run in runs] == [0] * 12
    assert all((run.mag_ut is not None) == mag for run in runs)


junk = st.one_of(
    st.binary(max_size=250),
    st.binary(max_size=250).map(lambda data: b"\xff" + data),
    st.tuples(st.integers(0, 60), st.integers(0, 170)).map(lambda cut: b"\xff" + packed(cut[0])[: cut[1]]),
    st.tuples(st.integers(0, 60), st.integers(1, 170), st.integers(1, 255)).map(
        lambda flip: b"\xff" + packed(flip[0])[: flip[1]] + bytes([flip[2]]) + packed(flip[0])[flip[1] + 1 :]
    ),
    st.tuples(st.integers(0, 65535), st.binary(max_size=236)).map(lambda parts: b"\xff" + encode_package(*parts)),
    st.tuples(st.sampled_from([0x0221, 0x0231, 0x0247, 0x0504]), st.binary(max_size=236)).map(
        lambda parts: b"\xfe" + encode_package(*parts)
    ),
)


@given(st.lists(junk, max_size=20))
def test_whatever_comes_the_stream_goes_on_by_the_second_package(bad):
    decoder = fresh()
    for notification in bad:
        try:
            runs = decoder.decode(notification)
        except DecodeError:
            continue
        assert all(np.isfinite(run.acc_m_s2).all() for run in runs)
        assert len(decoder._reader._rest) < 244
    came = 0
    for number in (100, 101):
        try:
            came += len(decoder.decode(b"\xff" + packed(number, start_ns=86_400 * SECOND_NS)))
        except DecodeError:
            continue
    assert came


def test_junk_is_not_waited_for():
    """A start, a length and a header that do not belong together are skipped at once, not after 244 bytes."""
    reader = PackageReader()
    with pytest.raises(DecodeError, match="no package"):
        reader.take(b"\xff\x02\x00\x00\x00\x00\xe0\x01\x01")
    assert reader.take(b"\xff" + packed(1)[:100]) == []
    assert reader.take(b"\xff" + packed(1)[100:]) == [packed(1)]


def test_a_hole_in_the_buffers_bytes_costs_the_packages_it_is_in():
    decoder = fresh()
    stream = b"".join(packed(number) for number in range(4))
    runs = list(decoder.decode(b"\xff" + stream[:250]))
    with pytest.raises(DecodeError, match="no package"):
        decoder.decode(b"\xff" + stream[300:500])
    runs += decoder.decode(b"\xff" + stream[500:])
    assert [(len(run), run.lost_before) for run in runs] == [(8, 0), (8, 8), (8, 0)]


def test_a_damaged_real_time_package_spoils_its_notification_only():
    decoder = fresh()
    decoder.decode(b"\xff" + packed(0)[:50])
    with pytest.raises(DecodeError, match="real-time package"):
        decoder.decode(b"\xfe" + packed(0)[:40] + packed(0)[50:])
    (run,) = decoder.decode(b"\xff" + packed(1))
    assert run.sensor_time_us[0] == 40_000


def test_a_jump_that_is_not_told_is_doubted_and_one_that_is_told_is_not():
    decoder = fresh()
    decoder.decode(b"\xff" + packed(50))
    with pytest.raises(DecodeError, match="do not continue"):
        decoder.decode(b"\xff" + packed(3))
    (run,) = decoder.decode(b"\xff" + packed(4))
    assert (run.lost_before, run.sensor_time_us[0]) == (8, 160_000), "the one that was doubted is lost"
    (run,) = decoder.decode(b"\xff" + packed(2, flags=1))
    assert (run.lost_before, run.sensor_time_us[0]) == (0, 80_000)


def test_a_measurement_of_another_length_is_refused():
    with pytest.raises(DecodeError, match="has 20 bytes instead of 163"):
        fresh().decode(b"\xff" + encode_package(0x0221, bytes(20)))


@pytest.mark.parametrize("data", [b"", bytes(7), bytes(9)])
def test_an_orientation_of_another_length_is_refused(data):
    with pytest.raises(DecodeError, match=f"has {len(data)} bytes instead of 8"):
        decode_orientation(data)


@pytest.mark.parametrize("package", [b"", b"\x02" * 7, packed(1)[:-1], packed(1)[1:], packed(1)[:-1] + b"\x01"])
def test_a_package_that_is_damaged_is_refused(package):
    with pytest.raises(DecodeError, match="of Capture2Go"):
        decode_package(package)


@given(st.binary(max_size=300))
def test_no_bytes_of_a_package_raise_anything_else(data):
    for package in (data, encode_package(0x0201, data[:236]), encode_package(0x0071, data[:47].ljust(47, b"\xff"))):
        try:
            decode_package(package)
        except DecodeError:
            continue


def test_a_command_without_a_name_is_nobodys():
    with pytest.raises(KeyError):
        encode_command("CMD_FLY")
