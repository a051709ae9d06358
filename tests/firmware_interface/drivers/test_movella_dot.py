"""What a Movella DOT's bytes mean beyond its vectors, and what is refused."""

import contextlib
import json
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware_interface.drivers.movella_dot import configuration, device, gatt, recording, synchronisation
from firmware_interface.drivers.movella_dot.decoder import MovellaDotDecoder
from firmware_interface.drivers.movella_dot.message import decode_message, encode_message
from firmware_interface.drivers.movella_dot.payload import (
    PAYLOADS,
    PayloadMode,
    Status,
    decode_payload,
    payload_characteristic,
    record_type,
    records_clipped,
)
from firmware_interface.errors import DecodeError

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault

RATE_HZ = 60.0
PERIOD_US = 1e6 / RATE_HZ


def packet(number, q=(0.6, 0.0, 0.8, 0.0), acc=None, gyr=(1.0, 2.0, 3.0)):
    """Sample `number` of a stream at 60 Hz, told apart by its acceleration."""
    acc = (number % 100, 0.0, 9.8) if acc is None else acc
    data = struct.pack("<I10f", round(number * PERIOD_US) % 2**32, *q, *acc, *gyr)
    return data.ljust(63, b"\0")


def begun(rate_hz=RATE_HZ):
    decoder = MovellaDotDecoder()
    decoder.begin(rate_hz)
    return decoder


def number_and_lost(decoder, data):
    (run,) = decoder.decode(data)
    return int(run.acc_m_s2[0, 0]), run.lost_before


# ------------------------------------------------------------------------------------------------------------ payloads


def test_two_notifications_of_a_real_sensor(data_folder):
    packets = json.loads((data_folder / "raw_ble" / "movella_dot_short_payload.json").read_text())["packets"]
    assert len(packets) == 2
    for published in packets:
        payload = decode_payload(bytes.fromhex(published["hex"]), mode=6)
        assert payload.timestamp_us == published["timestamp_us"]
        assert payload.free_acc_m_s2 == pytest.approx(published["free_acc_ms2"], abs=1e-6)


@pytest.mark.parametrize("mode", [1, 17, 25])
def test_secret_modes_are_refused_with_what_to_do(mode):
    with pytest.raises(DecodeError, match=f"mode {mode} is Movella's secret .* ask the sensor for another, as 26"):
        decode_payload(bytes(63), mode)


def test_unknown_modes_are_refused():
    with pytest.raises(DecodeError, match="mode 38 is unknown"):  # 0x26, which some programs take for 26
        decode_payload(bytes(63), 38)


def test_every_documented_mode_is_read():
    assert set(PAYLOADS) | {1, 17, 25} == set(PayloadMode) == {*range(1, 8), *range(16, 27)}


@pytest.mark.parametrize("mode", PAYLOADS)
def test_a_mode_comes_by_the_shortest_characteristic_that_holds_it(mode):
    """Tables 14 to 16."""
    by = {26: gatt.LONG_PAYLOAD, 4: gatt.SHORT_PAYLOAD, 5: gatt.SHORT_PAYLOAD, 6: gatt.SHORT_PAYLOAD}
    assert payload_characteristic(mode) == by.get(mode, gatt.MEDIUM_PAYLOAD)


def test_a_sample_is_clipped_where_status_or_counts_say_so():
    records = np.zeros(6, record_type(("status", "acc_clips", "gyr_clips")))
    records["status"][[0, 1, 2]] = Status.MAG_IS_NEW, Status.MAG_X, Status.GYR_Z | Status.MAG_IS_NEW
    records["acc_clips"][3], records["gyr_clips"][4] = 200, 1
    assert records_clipped(records).tolist() == [False, False, True, True, True, False]
    assert records_clipped(np.zeros(3, record_type(("quaternion",)))) is None


# ------------------------------------------------------------------------------------------------------------ messages


def test_the_specifications_own_misprints_are_refused():
    for misprint in ("010740df503b5b0807e0", "0109010040df503b5b0807dd"):
        with pytest.raises(DecodeError, match="checksum"):
            decode_message(bytes.fromhex(misprint))


@given(st.integers(0, 255), st.binary(max_size=157), st.data())
@settings(UNHURRIED)
def test_a_message_arrives_whole_or_not_at_all(topic, content, data):
    message = encode_message(topic, content)
    assert sum(message) % 256 == 0
    assert decode_message(message) == (topic, content)
    place, change = data.draw(st.integers(0, len(message) - 1)), data.draw(st.integers(1, 255))
    damaged = bytearray(message)
    damaged[place] ^= change
    with pytest.raises(DecodeError):
        decode_message(bytes(damaged))
    for other in (message[:place], message + b"\0\1"):
        with pytest.raises(DecodeError):
            decode_message(other)


def test_what_does_not_fit_a_message_is_no_command():
    with pytest.raises(ValueError, match="holds 157 bytes and not 158"):
        encode_message(1, bytes(158))
    with pytest.raises(ValueError, match="does not export free_acc_m_s2; choose of timestamp_us"):
        recording.encode_select_data(["acc_m_s2", "free_acc_m_s2"])
    with pytest.raises(ValueError, match="longer than 16 bytes"):
        device.encode_device_control(8, **device.DeviceControl("x" * 17, 60, 0, 0, 0)._asdict())
    with pytest.raises(ValueError, match="is no Bluetooth address"):
        synchronisation.encode_start_sync("D4:22:CD:00:00")


def test_a_list_of_files_is_as_long_as_its_marks():
    """The example of §5.2.4.7: two files of 232 kB and 460 kB."""
    header = struct.pack("<IIHIII106x", 0x466C6173, 128, 0x0200, 1690000000, 1 << 26, 5)
    marks = bytes.fromhex("EECCEECCCC").ljust(128, b"\xff")
    messages = [encode_message(1, b"\x51" + part) for part in (header, marks)]
    assert recording.decode_flash_info(*messages).files_kb == (232, 460)
    before_revision_2 = header[:8] + b"\x00\x01" + header[10:18] + bytes(110)
    messages[0] = encode_message(1, b"\x51" + before_revision_2)
    assert recording.decode_flash_info(*messages).files_kb == (232, 460)


def test_settings_that_are_not_named_are_written_back_as_they_were_read():
    odd = bytes(range(200, 232)) + b"and what a later firmware has added"
    changed = device.encode_device_control(device.Visit.RATE, odd, rate_hz=60)
    assert changed == bytes([device.Visit.RATE, 0]) + odd[2:24] + b"\x3c\x00" + odd[26:]
    changed = device.encode_device_control(device.Visit.TAG, odd, tag="knee")
    assert changed == bytes([device.Visit.TAG, 0]) + odd[2:7] + b"\x04knee".ljust(17, b"\0") + odd[24:]
    with pytest.raises(DecodeError, match="31 bytes is too short"):
        device.encode_device_control(device.Visit.RATE, bytes(31), rate_hz=60)


DECODERS = sorted(
    {
        function
        for module in (configuration, device, recording, synchronisation)
        for name, function in vars(module).items()
        if name.startswith("decode_")
    },
    key=lambda function: function.__name__,
)


@pytest.mark.parametrize("decode", DECODERS)
@given(st.binary(max_size=40), st.integers(0, 3), st.booleans())
@settings(UNHURRIED)
def test_no_bytes_raise_anything_but_a_decode_error(decode, data, topic, enveloped):
    with contextlib.suppress(DecodeError):
        decode(encode_message(topic, data) if enveloped else data)


@given(st.binary(max_size=70), st.integers(0, 40))
@settings(UNHURRIED)
def test_no_payload_raises_anything_but_a_decode_error(data, mode):
    with contextlib.suppress(DecodeError):
        decode_payload(data, mode)


# ---------------------------------------------------------------------------------------------------------- the stream


def test_nothing_is_decoded_before_the_sensor_was_told_how_to_measure():
    with pytest.raises(DecodeError):
        MovellaDotDecoder().decode(packet(0))


def test_only_modes_with_acceleration_and_angular_rate_make_samples():
    for mode in PAYLOADS:
        with (
            contextlib.nullcontext() if mode in {20, 21, 26} else pytest.raises(ValueError, match="does not hold both")
        ):
            MovellaDotDecoder().begin(RATE_HZ, mode)


@pytest.mark.parametrize(
    "damaged",
    [
        packet(1)[:43],
        packet(1, acc=(0, float("nan"), 0)),
        packet(1, gyr=(float("inf"), 0, 0)),
        packet(1, acc=(0, 0, 320)),
        packet(1, gyr=(0, -4100, 0)),
        packet(1, q=(0.6, 0.0, 0.9, 0.0)),
        packet(1, q=(float("nan"), 0.0, 0.9, 0.0)),
        packet(1, q=(0, 0, 0, 0)),
        packet(10_000),
    ],
    ids=[
        "short",
        "acc-nan",
        "gyr-inf",
        "acc-far",
        "gyr-far",
        "long-quaternion",
        "nan-quaternion",
        "zero-quaternion",
        "far-future",
    ],
)
def test_a_damaged_packet_is_left_out_and_counted(damaged):
    decoder = begun()
    decoder.decode(packet(0))
    with pytest.raises(DecodeError):
        decoder.decode(damaged)
    assert number_and_lost(decoder, packet(2)) == (2, 1)


def test_asked_again_while_it_streams_it_goes_on():
    decoder = begun()
    decoder.decode(packet(0))
    assert decoder.begin(RATE_HZ)
    assert number_and_lost(decoder, packet(601)) == (1, 600)


def test_after_a_longer_silence_the_second_packet_is_believed():
    decoder = begun()
    decoder.decode(packet(0))
    assert decoder.begin(RATE_HZ)
    with pytest.raises(DecodeError):
        decoder.decode(packet(36_000))
    assert number_and_lost(decoder, packet(36_001)) == (1, 36_000)


def test_what_a_stopped_sensor_does_not_measure_is_not_lost():
    decoder = begun()
    decoder.decode(packet(0))
    decoder.end()
    assert not decoder.begin(RATE_HZ)
    assert number_and_lost(decoder, packet(500)) == (0, 0)


def test_another_rate_is_another_stream():
    decoder = begun()
    decoder.decode(packet(0))
    assert not decoder.begin(30.0)


junk = st.one_of(
    st.binary(max_size=70),
    st.binary(min_size=44, max_size=63),
    st.builds(lambda n, cut: packet(n)[:cut], st.integers(0, 10**6), st.integers(0, 43)),
    st.builds(packet, st.integers(10**5, 10**6)),
)


@given(st.lists(junk, min_size=1, max_size=20))
@settings(UNHURRIED, max_examples=200)
def test_junk_takes_no_good_packet_with_it(pieces):
    """But for the first after bytes that are a whole packet of the near future, unit quaternion and all."""
    decoder = begun()
    for number, piece in enumerate(pieces):
        first, second, third = 3 * number, 3 * number + 1, 3 * number + 2
        assert number_and_lost(decoder, packet(first))[0] == first
        try:
            decoder.decode(piece)
        except DecodeError:
            assert number_and_lost(decoder, packet(second)) == (second, 0)
        else:
            assert abs(sum(q * q for q in struct.unpack_from("<4f", piece, 4)) - 1) < 2e-3
            with contextlib.suppress(DecodeError):
                decoder.decode(packet(second))
        assert number_and_lost(decoder, packet(third)) == (third, 0)
