import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from firmware_interface import open_profile as profile
from firmware_interface.errors import DecodeError

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault

DOCUMENT = Path(__file__).parents[2] / "docs" / "firmware-open-profile.md"
READINGS = arrays(np.int16, st.tuples(st.integers(1, 42), st.just(6)))
STARTED = profile.Started(rate_hz=100.0, acc_range_g=8, gyr_range_dps=1000, stream=1, time_us=5_000_000)


@given(sequence=st.integers(0, 65535), time_us=st.integers(0, 2**32 - 1), counts=READINGS)
@settings(UNHURRIED)
def test_a_packet_comes_back_as_it_was(sequence, time_us, counts):
    packet = profile.decode_packet(profile.encode_packet(sequence, time_us, counts))
    assert (packet.sequence, packet.time_us) == (sequence, time_us)
    np.testing.assert_array_equal(packet.counts, counts)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes.fromhex("01 01 00 00 00 00 00"),
        bytes.fromhex("01 00 00 00 00 00 00 00"),
        bytes.fromhex("01 02 00 00 00 00 00 00") + bytes(12),
        bytes.fromhex("01 01 00 00 00 00 00 00") + bytes(13),
        bytes.fromhex("02 01 00 00 00 00 00 00") + bytes(12),
    ],
    ids=["empty", "short header", "no samples", "too few samples", "too many bytes", "other version"],
)
def test_what_is_no_packet_is_refused(data):
    with pytest.raises(DecodeError):
        profile.decode_packet(data)


@pytest.mark.parametrize(("mtu", "samples"), [(23, 1), (34, 1), (35, 2), (247, 19), (517, 42), (65535, 255)])
def test_as_many_samples_as_a_notification_holds(mtu, samples):
    assert profile.packet_capacity(mtu) == samples
    assert 8 + 12 * samples <= mtu - 3


def test_full_scale_is_32768_steps():
    step = profile.resolution(8, 1000)
    assert step.acc_m_s2 * 32768 == pytest.approx(8 * 9.80665)
    assert np.rad2deg(step.gyr_rad_s * 32768) == pytest.approx(1000)


@given(rate_mhz=st.integers(0, 2**32 - 1), batch=st.integers(1, 255))
@settings(UNHURRIED)
def test_a_start_is_understood(rate_mhz, batch):
    assert profile.decode_command(profile.encode_start(rate_mhz / 1000, batch)) == (rate_mhz / 1000, batch)


def test_a_stop_is_understood():
    assert profile.decode_command(profile.encode_stop()) is None


@given(st.binary(max_size=30))
@settings(UNHURRIED)
def test_any_control_write_is_a_command_or_gets_a_status(data):
    answer = None
    try:
        profile.decode_command(data)
    except profile.CommandError as error:
        answer = profile.encode_reply(error.opcode, error.status)
    assert answer is None or profile.decode_reply(answer)[1] is not profile.Status.OK


@given(
    rate_mhz=st.integers(1, 2**32 - 1),
    acc=st.sampled_from(profile.ACC_RANGES_G),
    gyr=st.sampled_from(profile.GYR_RANGES_DPS),
    stream=st.integers(0, 65535),
    time_us=st.integers(0, 2**64 - 1),
)
@settings(UNHURRIED)
def test_the_answer_to_a_start_comes_back_as_it_was(rate_mhz, acc, gyr, stream, time_us):
    started = profile.Started(rate_mhz / 1000, acc, gyr, stream, time_us)
    encoded = profile.encode_started(started)
    assert len(encoded) <= 20, "fits a notification at the least MTU"
    assert profile.decode_reply(encoded) == (profile.Opcode.START, profile.Status.OK, started)


@given(st.binary(max_size=30))
@settings(UNHURRIED)
def test_any_reply_is_read_or_refused_with_a_decode_error(data):
    try:
        opcode, status, started = profile.decode_reply(data)
    except DecodeError:
        return
    assert data[:2] == bytes([opcode | 0x80, status])
    assert started is None or profile.encode_started(started) == data


def test_the_documented_bytes_are_the_bytes():
    counts = np.array([[0, 0, 4096, 0, 0, 0], [1, -1, 4096, 100, -100, 0]], dtype=np.int16)
    encoded = {
        "START at 100 Hz, 5 samples to a packet": profile.encode_start(100.0, 5),
        "START at the sensor's own rate, 1 sample to a packet": profile.encode_start(0, 1),
        "STOP": profile.encode_stop(),
        "START worked: 100 Hz, 8 g, 1000 °/s, stream 1, clock 5 s": profile.encode_started(STARTED),
        "STOP worked": profile.encode_reply(profile.Opcode.STOP, profile.Status.OK),
        "START refused, data is not subscribed": profile.encode_reply(
            profile.Opcode.START, profile.Status.NOT_SUBSCRIBED
        ),
        "Opcode 0x7F refused, unknown": profile.encode_reply(0x7F, profile.Status.UNKNOWN_OPCODE),
        "Samples 65535 and 0, taken at 5.000000 s": profile.encode_packet(65535, 5_000_000, counts),
    }
    rows = re.findall(r"^\| (.+?) \| `([0-9a-f ]+)` \|$", DOCUMENT.read_text(), flags=re.MULTILINE)
    assert {name: bytes.fromhex(data) for name, data in rows} == encoded


@pytest.mark.parametrize("uuid", [profile.SERVICE_UUID, profile.DATA_UUID, profile.CONTROL_UUID])
def test_the_documented_uuids_are_the_uuids(uuid):
    assert uuid in DOCUMENT.read_text()
