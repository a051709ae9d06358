"""What a Movella DOT measures and how it is laid out in bytes: streamed (§3.2 to §3.5) and exported (§5.2.2.10)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import DecodeError
from .gatt import PAYLOAD_BYTES

Records = npt.NDArray[np.void]
"""(n,) with a field for each quantity, named as in FORMATS."""


class Status(IntFlag):
    """§3.5.1: which readings were out of range, and whether the magnetometer's is a new one."""

    ACC_X = 0x0001
    ACC_Y = 0x0002
    ACC_Z = 0x0004
    GYR_X = 0x0008
    GYR_Y = 0x0010
    GYR_Z = 0x0020
    MAG_X = 0x0040
    MAG_Y = 0x0080
    MAG_Z = 0x0100
    MAG_IS_NEW = 0x0200


CLIPPED = Status(0x003F)
"""Those that make a sample clipped: of the accelerometer and the gyroscope."""

FORMATS: dict[str, tuple[Any, ...]] = {
    "timestamp_us": ("<u4",),
    "quaternion": ("<f4", 4),
    "euler_deg": ("<f4", 3),
    "free_acc_m_s2": ("<f4", 3),
    "dq": ("<f4", 4),
    "dv_m_s": ("<f4", 3),
    "acc_m_s2": ("<f4", 3),
    "gyr_dps": ("<f4", 3),
    "mag_counts": ("<i2", 3),
    "status": ("<u2",),
    "acc_clips": ("u1",),
    "gyr_clips": ("u1",),
}
"""§3.5, by the name of the quantity; Payload says what each is."""


class PayloadMode(IntEnum):
    """§3.1."""

    HIGH_FIDELITY_WITH_MAG = 1
    EXTENDED_QUATERNION = 2
    COMPLETE_QUATERNION = 3
    ORIENTATION_EULER = 4
    ORIENTATION_QUATERNION = 5
    FREE_ACCELERATION = 6
    EXTENDED_EULER = 7
    COMPLETE_EULER = 16
    HIGH_FIDELITY = 17
    DELTA_QUANTITIES_WITH_MAG = 18
    DELTA_QUANTITIES = 19
    RATE_QUANTITIES_WITH_MAG = 20
    RATE_QUANTITIES = 21
    CUSTOM_1 = 22
    CUSTOM_2 = 23
    CUSTOM_3 = 24
    CUSTOM_4 = 25
    CUSTOM_5 = 26


def record_type(quantities: Iterable[str]) -> np.dtype[np.void]:
    """The layout of these quantities, one after the other without a gap."""
    return np.dtype([(name, *FORMATS[name]) for name in quantities])


_CLIPPING = ("status", "acc_clips", "gyr_clips")
PAYLOADS: dict[int, np.dtype[np.void]] = {
    mode: record_type(("timestamp_us", *quantities))
    for mode, quantities in {
        PayloadMode.EXTENDED_QUATERNION: ("quaternion", "free_acc_m_s2", *_CLIPPING),
        PayloadMode.COMPLETE_QUATERNION: ("quaternion", "free_acc_m_s2"),
        PayloadMode.ORIENTATION_EULER: ("euler_deg",),
        PayloadMode.ORIENTATION_QUATERNION: ("quaternion",),
        PayloadMode.FREE_ACCELERATION: ("free_acc_m_s2",),
        PayloadMode.EXTENDED_EULER: ("euler_deg", "free_acc_m_s2", *_CLIPPING),
        PayloadMode.COMPLETE_EULER: ("euler_deg", "free_acc_m_s2"),
        PayloadMode.DELTA_QUANTITIES_WITH_MAG: ("dq", "dv_m_s", "mag_counts"),
        PayloadMode.DELTA_QUANTITIES: ("dq", "dv_m_s"),
        PayloadMode.RATE_QUANTITIES_WITH_MAG: ("acc_m_s2", "gyr_dps", "mag_counts"),
        PayloadMode.RATE_QUANTITIES: ("acc_m_s2", "gyr_dps"),
        PayloadMode.CUSTOM_1: ("euler_deg", "free_acc_m_s2", "gyr_dps"),
        PayloadMode.CUSTOM_2: ("euler_deg", "free_acc_m_s2", "mag_counts"),
        PayloadMode.CUSTOM_3: ("quaternion", "gyr_dps"),
        PayloadMode.CUSTOM_5: ("quaternion", "acc_m_s2", "gyr_dps"),
    }.items()
}
"""The documented modes. The high fidelity modes and custom mode 4 can be read by Movella's own programs only (§3.1)."""


@dataclass(frozen=True, slots=True)
class Payload:
    """One notification, as it was sent; None is what its mode does not hold.

    timestamp_us: the sensor's clock, 32 bits, from power-on; after a synchronisation the root sensor's.
    quaternion: w, x, y, z, sensor to earth (x magnetic east, y magnetic north, z up: Xsens DOT User Manual, §4.1).
    euler_deg: roll, pitch, yaw. free_acc_m_s2: acceleration in earth axes without gravity.
    dq, dv_m_s: change of orientation (w, x, y, z) and of velocity since the last sample, in the sensor's axes.
    acc_m_s2, gyr_dps: specific force and angular rate in the sensor's axes.
    mag_counts: fixed point in arbitrary units, so never microtesla. One unit is the field in the maker's laboratory,
        some 40 µT (User Manual, §4.2.2), and 4096 counts in the maker's archived xsens_dot_server; §3.5 does not say.
    acc_clips, gyr_clips: how many of the chip's readings in this sample were out of range.
    """

    timestamp_us: int
    quaternion: tuple[float, ...] | None = None
    euler_deg: tuple[float, ...] | None = None
    free_acc_m_s2: tuple[float, ...] | None = None
    dq: tuple[float, ...] | None = None
    dv_m_s: tuple[float, ...] | None = None
    acc_m_s2: tuple[float, ...] | None = None
    gyr_dps: tuple[float, ...] | None = None
    mag_counts: tuple[int, ...] | None = None
    status: Status | None = None
    acc_clips: int | None = None
    gyr_clips: int | None = None


def payload_type(mode: int) -> np.dtype[np.void]:
    """The layout of a payload mode. Raises DecodeError for one that is secret or unknown."""
    if mode not in PAYLOADS:
        known = mode in tuple(PayloadMode)
        why = "is Movella's secret and only its own programs read it" if known else "is unknown"
        raise DecodeError(f"Payload mode {mode} {why}; ask the sensor for another, as {PayloadMode.CUSTOM_5:d}.")
    return PAYLOADS[mode]


def payload_characteristic(mode: int) -> str:
    """The characteristic that notifies this mode: the shortest that holds it."""
    needed = payload_type(mode).itemsize
    return min((uuid for uuid, size in PAYLOAD_BYTES.items() if size >= needed), key=PAYLOAD_BYTES.__getitem__)


def decode_payload(data: bytes, mode: int) -> Payload:
    """Read one notification of a payload mode. Raises DecodeError where it is secret, unknown or too short."""
    layout = payload_type(mode)
    if len(data) < layout.itemsize:
        raise DecodeError(f"A packet of {len(data)} bytes is shorter than its {layout.itemsize} bytes of readings.")
    (record,) = np.frombuffer(data, layout, 1)
    values = {name: record[name].tolist() for name in record.dtype.names}
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }
    if "status" in fields:
        fields["status"] = Status(fields["status"])
    return Payload(**fields)


def records_clipped(records: Records) -> npt.NDArray[np.bool_] | None:
    """(n,) whether a reading was out of range, as the sensor tells; None where these records do not hold it."""
    names = records.dtype.names or ()
    told = [records[name] != 0 for name in ("acc_clips", "gyr_clips") if name in names]
    if "status" in names:
        told.append(records["status"] & CLIPPED != 0)
    return np.logical_or.reduce(told) if told else None
