"""Data frames as Polar's sensors pack them, the other way round from drivers/polar_frame.py."""

from __future__ import annotations

import struct

import numpy as np

from analytics.signals.samples import IntArray

from ....drivers.polar.control import Measurement
from ....drivers.polar.frame import COMPRESSED

HEADER_BYTES = 10
DEVICE_MTU = 232
"""A frame is sent when it fills a packet of this MTU (polar-ble-sdk, issue 439); ATT needs three bytes of it."""
_BLOCK_SAMPLES = 16
_SAMPLE_BYTES = 6
_WIDEST_DELTAS_BITS = 3 * 17


def raw_capacity(payload_bytes: int) -> int:
    """Samples that an uncompressed frame of 16 bits holds."""
    return (payload_bytes - HEADER_BYTES) // _SAMPLE_BYTES


def compressed_capacity(payload_bytes: int) -> int:
    """Samples that a compressed frame of 16 bits holds whatever was measured; of a limb at rest it would hold more."""
    free_bits = 8 * (payload_bytes - HEADER_BYTES - _SAMPLE_BYTES)
    samples = 1 + free_bits // _WIDEST_DELTAS_BITS
    blocks = -(-samples // _BLOCK_SAMPLES)
    return 1 + (free_bits - 16 * blocks) // _WIDEST_DELTAS_BITS


def encode_raw(measurement: Measurement, last_ns: int, counts: IntArray) -> bytes:
    """Samples (n, 3) of 16 bits as they are: frame type 1."""
    return _header(measurement, last_ns, 1) + counts.astype("<i2").tobytes()


def encode_compressed(measurement: Measurement, last_ns: int, frame_type: int, counts: IntArray) -> bytes:
    """Samples (n, k) of 16 bits: the first, then differences in blocks that are as wide as their widest."""
    frame: bytes = _header(measurement, last_ns, COMPRESSED | frame_type) + counts[0].astype("<i2").tobytes()
    deltas = np.diff(counts, axis=0)
    for first in range(0, len(deltas), _BLOCK_SAMPLES):
        block = deltas[first : first + _BLOCK_SAMPLES]
        # Two's complement takes a bit more than the magnitude, and -1 less one none.
        width = int(np.where(block < 0, ~block, block).max()).bit_length() + 1
        bits = (block.reshape(-1, 1) >> np.arange(width)) & 1
        frame += bytes([width, len(block)]) + np.packbits(bits.astype(np.uint8), bitorder="little").tobytes()
    return frame


def _header(measurement: Measurement, last_ns: int, kind: int) -> bytes:
    return struct.pack("<BQB", measurement, last_ns, kind)
