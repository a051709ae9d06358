"""Captured bytes, and what WitMotion's own app logged of a sensor at rest against what we make of the same bytes."""

import contextlib
import csv
import json
import struct

import numpy as np
import pytest

from firmware_interface.drivers.witmotion.driver import WitMotionDriver
from firmware_interface.drivers.witmotion.registers import decode_magnetic_field_ut, decode_quaternion
from firmware_interface.errors import DecodeError


@pytest.fixture(scope="module")
def logged(data_folder):
    with (data_folder / "raw_ble" / "witmotion_app_log_static_excerpt.txt").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))

    def columns(*names):
        return np.array([[float(row[name]) for name in names] for row in rows])

    return {
        "acc_g": columns("AccX(g)", "AccY(g)", "AccZ(g)"),
        "gyr_dps": columns("AsX(°/s)", "AsY(°/s)", "AsZ(°/s)"),
        "angle_deg": columns("AngleX(°)", "AngleY(°)", "AngleZ(°)"),
        "mag_ut": columns("HX(uT)", "HY(uT)", "HZ(uT)"),
        "quaternion": columns("Q0()", "Q1()", "Q2()", "Q3()"),  # as they are read, they are shorter than 1 by 0.00005
    }


@pytest.fixture(scope="module")
def decoded(logged):
    """The log's numbers as the frames that they were made of."""
    counts = np.rint(
        32768 * np.hstack([logged["acc_g"] / 16, logged["gyr_dps"] / 2000, logged["angle_deg"] / 180])
    ).astype("<i2")
    decoder = WitMotionDriver.new_decoder()
    decoder.begin(rate_hz=200.0)
    (run,) = decoder.decode(b"".join(b"\x55\x61" + row.tobytes() for row in counts))
    return run


def turned(quaternion, vector):
    """A vector of the sensor, as the earth sees it."""
    w, axis = quaternion[0], quaternion[1:]
    return vector + 2 * np.cross(axis, np.cross(axis, vector) + w * vector)


def test_the_app_rounds_what_we_decode(logged, decoded):
    assert len(decoded) == 300
    np.testing.assert_allclose(decoded.acc_m_s2 / 9.80665, logged["acc_g"], atol=0.0006)
    np.testing.assert_allclose(np.degrees(decoded.gyr_rad_s), logged["gyr_dps"], atol=0.0006)
    assert np.linalg.norm(decoded.acc_m_s2.mean(axis=0)) == pytest.approx(9.80665, rel=0.02)
    assert not decoded.clipped.any()


def test_its_angles_turn_as_its_quaternions_do(logged, decoded):
    """Read a moment apart, so within half a degree: 0.0044 of a quaternion."""
    same = np.sign((decoded.orientation * logged["quaternion"]).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(decoded.orientation, same * logged["quaternion"], rtol=0, atol=0.0044)


def test_up_is_up_and_north_is_north(logged, decoded):
    """Gravity pushes upwards along z of its earth, and the magnetic field points along y and down: east, north, up."""
    orientation = decoded.orientation.mean(axis=0)
    up = turned(orientation, decoded.acc_m_s2.mean(axis=0) / 9.80665)
    np.testing.assert_allclose(up, [0, 0, 1], atol=0.03)
    east, north, upwards = turned(orientation, logged["mag_ut"].mean(axis=0))
    assert north > 30
    assert upwards < 0
    assert abs(np.degrees(np.arctan2(east, north))) < 3


def test_its_registers_count_in_these_steps(logged):
    """The log holds whole multiples of a 150th of a microtesla and of a 32768th of a quaternion."""
    for mag_ut, quaternion in zip(logged["mag_ut"][::50], logged["quaternion"][::50], strict=True):
        mag = struct.pack("<BBH8h", 0x55, 0x71, 0x3A, *np.rint(mag_ut * 150).astype(int), 0, 0, 0, 0, 0)
        np.testing.assert_allclose(decode_magnetic_field_ut(mag, magnetometer=6), mag_ut, atol=0.0006)
        four = struct.pack("<BBH8h", 0x55, 0x71, 0x51, *np.rint(quaternion * 32768).astype(int), 0, 0, 0, 0)
        np.testing.assert_allclose(decode_quaternion(four), quaternion, atol=0.000006)


def test_captured_notifications_that_lost_their_ends_give_no_false_sample(data_folder):
    captured = json.loads((data_folder / "raw_ble" / "witmotion_ble_0x61.json").read_text("utf-8"))
    decoder = WitMotionDriver.new_decoder()
    decoder.begin(rate_hz=100.0)
    for data in captured["truncated_16_of_20_bytes"]:
        with contextlib.suppress(DecodeError):
            assert decoder.decode(bytes.fromhex(data)) == []
    (run,) = decoder.decode(bytes.fromhex(captured["notifications"][0]["hex"]))
    expected = [frame["acc_ms2"] for frame in captured["notifications"][0]["frames"]]
    np.testing.assert_allclose(run.acc_m_s2, expected, atol=1e-5)
