import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from firmware_interface import open_profile as profile
from firmware_interface.errors import DecodeError

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault

U8, U16, U32, U64 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32, 64))
READINGS = st.sampled_from([6, 9]).flatmap(lambda axes: arrays(np.int16, st.tuples(st.integers(1, 42), st.just(axes))))


@given(sequence=U16, time_us=U32, counts=READINGS, resent=st.booleans())
@settings(UNHURRIED)
def test_a_packet_comes_back_as_it_was(sequence, time_us, counts, resent):
    packet = profile.decode_packet(profile.encode_packet(sequence, time_us, counts, resent=resent))
    assert (packet.sequence, packet.time_us, packet.resent) == (sequence, time_us, resent)
    np.testing.assert_array_equal(packet.counts, counts)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes.fromhex("01 01 00 00 00 00 00"),
        bytes.fromhex("01 00 00 00 00 00 00 00"),
        bytes.fromhex("01 02 00 00 00 00 00 00") + bytes(12),
        bytes.fromhex("01 01 00 00 00 00 00 00") + bytes(13),
        bytes.fromhex("11 01 00 00 00 00 00 00") + bytes(12),
        bytes.fromhex("02 01 00 00 00 00 00 00") + bytes(12),
        bytes.fromhex("41 01 00 00 00 00 00 00") + bytes(12),
        bytes.fromhex("81 01 00 00 00 00 00 00") + bytes(12),
    ],
    ids=["empty", "short", "no samples", "too few", "too many", "six of nine axes", "version", "bit 6", "bit 7"],
)
def test_what_is_no_packet_is_refused(data):
    with pytest.raises(DecodeError):
        profile.decode_packet(data)


@given(
    data=st.binary(max_size=100) | st.builds(bytes.__add__, st.sampled_from([b"\x01\x01", b"\x31\x02"]), st.binary())
)
@settings(UNHURRIED)
def test_any_notification_is_read_or_refused_with_a_decode_error(data):
    try:
        packet = profile.decode_packet(data)
    except DecodeError:
        return
    assert profile.encode_packet(packet.sequence, packet.time_us, packet.counts, resent=packet.resent) == data


@pytest.mark.parametrize("shape", [(0, 6), (256, 6), (1, 3), (1, 7)])
def test_no_packet_is_made_that_no_one_could_read(shape):
    with pytest.raises(ValueError, match="1 to 255 samples of 6 or 9 axes"):
        profile.encode_packet(0, 0, np.zeros(shape, np.int16))


@pytest.mark.parametrize(
    ("mtu", "axes", "samples"),
    [
        *[(0, 6, 0), (23, 6, 1), (34, 6, 1), (35, 6, 2), (247, 6, 19), (517, 6, 42), (65535, 6, 255)],
        *[(23, 9, 0), (28, 9, 0), (29, 9, 1), (247, 9, 13), (517, 9, 28), (65535, 9, 255)],
    ],
)
def test_as_many_samples_as_a_notification_holds(mtu, axes, samples):
    assert profile.packet_capacity(mtu, axes) == samples
    assert samples == 0 or len(profile.encode_packet(0, 0, np.zeros((samples, axes), np.int16))) <= mtu - 3


def test_full_scale_is_32768_steps():
    step = profile.resolution(8, 1000)
    assert step.acc_m_s2 * 32768 == pytest.approx(8 * 9.80665)
    assert np.rad2deg(step.gyr_rad_s * 32768) == pytest.approx(1000)
    assert profile.Started(100.0, 8, 1000, 1, 0, mag_range_ut=4915).mag_step_ut * 32768 == pytest.approx(4915)


@given(rate_mhz=U32, batch=st.integers(1, 255), axes=st.sampled_from([6, 9]))
@settings(UNHURRIED)
def test_a_start_is_understood(rate_mhz, batch, axes):
    command = profile.decode_command(profile.encode_start(rate_mhz / 1000, batch, axes))
    assert command == profile.StartCommand(rate_mhz / 1000, batch, axes)


def test_a_start_may_name_the_axes_it_would_mean_anyway():
    assert profile.decode_command(bytes.fromhex("01 a0 86 01 00 05 06")) == profile.StartCommand(100.0, 5, 6)


def test_a_stop_is_understood():
    assert profile.decode_command(profile.encode_stop()) is None


@given(small=U8, number=U16, count=st.integers(1, 65535), token=U32)
@settings(UNHURRIED)
def test_the_other_commands_are_understood(small, number, count, token):
    assert profile.decode_command(profile.encode_ranges(small, number)) == profile.RangesCommand(small, number)
    assert profile.decode_command(profile.encode_identify(small)) == profile.IdentifyCommand(small)
    assert profile.decode_command(profile.encode_time(token)) == profile.TimeCommand(token)
    assert profile.decode_command(profile.encode_resend(number, count)) == profile.ResendCommand(number, count)
    assert profile.encode_resend(number + 65536, count) == profile.encode_resend(number, count)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ("", profile.Status.UNKNOWN_OPCODE),
        ("00", profile.Status.UNKNOWN_OPCODE),
        ("07", profile.Status.UNKNOWN_OPCODE),
        ("01 a0 86 01 00", profile.Status.BAD_PARAMETER),
        ("01 a0 86 01 00 00", profile.Status.BAD_PARAMETER),
        ("01 a0 86 01 00 05 00", profile.Status.BAD_PARAMETER),
        ("01 a0 86 01 00 05 07", profile.Status.BAD_PARAMETER),
        ("01 a0 86 01 00 05 09 00", profile.Status.BAD_PARAMETER),
        ("02 00", profile.Status.BAD_PARAMETER),
        ("03 08 e8", profile.Status.BAD_PARAMETER),
        ("04", profile.Status.BAD_PARAMETER),
        ("05 00 00 00 00 00", profile.Status.BAD_PARAMETER),
        ("06 00 00 00 00", profile.Status.BAD_PARAMETER),
    ],
)
def test_a_bad_command_gets_its_status(data, status):
    with pytest.raises(profile.CommandError) as raised:
        profile.decode_command(bytes.fromhex(data))
    assert (raised.value.opcode, raised.value.status) == (int(data[:2] or "0", 16), status)


@given(st.binary(max_size=30) | st.builds(lambda a, b: bytes([a]) + b, st.integers(1, 6), st.binary(max_size=8)))
@settings(UNHURRIED)
def test_any_control_write_is_a_command_or_gets_a_status(data):
    answer = None
    try:
        profile.decode_command(data)
    except profile.CommandError as error:
        answer = profile.encode_reply(error.opcode, error.status)
    assert answer is None or profile.decode_reply(answer).status is not profile.Status.OK


@given(
    rate_mhz=st.integers(1, 2**32 - 1),
    acc=st.sampled_from(profile.ACC_RANGES_G),
    gyr=st.sampled_from(profile.GYR_RANGES_DPS),
    stream=U16,
    time_us=U64,
    mag=st.none() | st.integers(1, 65535),
)
@settings(UNHURRIED)
def test_the_answer_to_a_start_comes_back_as_it_was(rate_mhz, acc, gyr, stream, time_us, mag):
    started = profile.Started(rate_mhz / 1000, acc, gyr, stream, time_us, mag)
    encoded = profile.encode_started(started)
    least_mtu = 23 if started.axes == 6 else 29
    assert profile.packet_capacity(least_mtu, started.axes) == 1
    assert len(encoded) <= least_mtu - 3, "it fits an indication wherever a packet fits a notification"
    assert profile.decode_reply(encoded) == (profile.Opcode.START, profile.Status.OK, started)


@given(st.builds(profile.RangesSet, st.integers(1, 255), st.integers(1, 65535)))
@settings(UNHURRIED)
def test_the_ranges_come_back_as_they_were(ranges):
    reply = profile.decode_reply(profile.encode_ranges_set(ranges))
    assert reply == (profile.Opcode.RANGES, profile.Status.OK, ranges)


@given(st.builds(profile.TimeTold, U32, U64, U32))
@settings(UNHURRIED)
def test_the_time_comes_back_as_it_was(told):
    encoded = profile.encode_time_told(told)
    assert len(encoded) <= 20, "it fits an indication at the least MTU"
    assert profile.decode_reply(encoded) == (profile.Opcode.TIME, profile.Status.OK, told)


@given(st.builds(profile.Resending, U16, U16))
@settings(UNHURRIED)
def test_what_will_be_resent_comes_back_as_it_was(resending):
    reply = profile.decode_reply(profile.encode_resending(resending))
    assert reply == (profile.Opcode.RESEND, profile.Status.OK, resending)


ENCODERS = {
    profile.Started: profile.encode_started,
    profile.RangesSet: profile.encode_ranges_set,
    profile.TimeTold: profile.encode_time_told,
    profile.Resending: profile.encode_resending,
}
ANSWERS = st.builds(lambda opcode, rest: bytes([opcode, 0]) + rest, st.integers(0x81, 0x86), st.binary(max_size=20))


@given(st.binary(max_size=30) | ANSWERS)
@settings(UNHURRIED, max_examples=300)
def test_any_reply_is_read_or_refused_with_a_decode_error(data):
    try:
        opcode, status, answer = profile.decode_reply(data)
    except DecodeError:
        return
    assert data == (ENCODERS[type(answer)](answer) if answer else profile.encode_reply(opcode, status))


@pytest.mark.parametrize(
    "data",
    [
        "82",
        "02 00",
        "81 00",
        "81 05",
        "82 00 00",
        "83 00 00 e8 03",
        "83 00 08 00 00",
        "81 00 00 00 00 00 08 e8 03 01 00 40 4b 4c 00 00 00 00 00",
        "81 00 a0 86 01 00 00 e8 03 01 00 40 4b 4c 00 00 00 00 00",
        "81 00 a0 86 01 00 08 00 00 01 00 40 4b 4c 00 00 00 00 00",
        "81 00 a0 86 01 00 08 e8 03 01 00 40 4b 4c 00 00 00 00 00 00 00",
    ],
)
def test_what_is_no_reply_is_refused(data):
    with pytest.raises(DecodeError):
        profile.decode_reply(bytes.fromhex(data))


@given(taken=st.integers(0, 200_000), held=st.integers(0, 500), first=st.integers(-600, 60), count=st.integers(1, 700))
@settings(UNHURRIED, max_examples=400)
def test_what_is_held_of_what_was_asked_for_is_resent(taken, held, first, count):
    """A sensor that has sent `taken` samples keeps the newest; the gateway asks from `first` after the next on."""
    held = min(held, taken)
    asked = [number & 0xFFFF for number in range(taken + first, taken + first + count)]
    kept = [number & 0xFFFF for number in range(taken - held, taken)]
    resending = profile.resendable(profile.ResendCommand(asked[0], count), taken & 0xFFFF, held)
    wanted = [number for number in asked if number in kept]
    assert [(resending.first + i) & 0xFFFF for i in range(resending.samples)] == wanted
    assert wanted or resending.first == asked[0]


@given(ahead=st.integers(-(10**12), 10**12), asked=U32, there=U32, held=U32, back=U32)
@settings(UNHURRIED)
def test_a_time_exchange_bounds_how_far_the_sensors_clock_is_ahead(ahead, asked, there, held, back):
    told = profile.TimeTold(7, asked + there + ahead, held)
    least, most = told.offset_bounds_us(asked, asked + there + held + back)
    assert least <= ahead <= most
    assert most - least == there + back
    assert (least == ahead) == (back == 0)
    assert (most == ahead) == (there == 0)


def test_the_documents_time_exchange():
    told = profile.decode_reply(bytes.fromhex("85 00 78 56 34 12 40 4b 4c 00 00 00 00 00 fa 00 00 00")).answer
    assert told.offset_bounds_us(1_000_000, 1_045_250) == (3_955_000, 4_000_000)
