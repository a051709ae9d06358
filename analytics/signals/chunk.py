"""The chunk: about ten seconds of all sensors as one small, self-contained piece of bytes.

A chunk is what a gateway makes durable before anything else counts it, what it uploads, and what a server stores: the
same bytes everywhere. Whole-numbered readings are written as differences, zigzag, split into byte planes and compressed
with zstd: about 6.4 bytes for six channels and a time stamp. The bytes are specified in docs/chunk-format.md.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import zstandard

from . import chunk_version_1
from .chunk_planes import BytesReader, ChunkError, pack_times, unpack_times
from .chunk_readings import pack_clipped, pack_readings, unpack_clipped, unpack_readings
from .samples import ImuSamples, Resolution

__all__ = ["ChunkError", "SensorBlock", "decode_chunk", "encode_chunk"]

MAGIC = b"SNWC"
VERSION = 2
MAG_STEP_UT = 1 / 256
"""Below the noise of every magnetometer in a wearable, and fine enough to give back the readings of each family."""
ORIENTATION_STEP = 1 / 32767
"""Of a quaternion's parts: less than 0.004°."""
LARGEST_BODY_BYTES = 16 * 2**20
"""Ten minutes of seven sensors at 200 Hz. A chunk that unpacks to more is refused before memory is given to it."""

_HEADER = struct.Struct("<4sBBHI")
_RUN = struct.Struct("<qdII")
_ZSTD_LEVEL = 3  # level 9 gained less than 1 % for twice the time


@dataclass(frozen=True, slots=True)
class SensorBlock:
    """One gap-free run of one sensor, with the clock that places it.

    Gateway time [µs since session start] = clock_offset_us + clock_rate * sensor_time_us.
    """

    address: str
    segment: str
    resolution: Resolution
    clock_offset_us: int
    clock_rate: float
    samples: ImuSamples


def encode_chunk(blocks: Sequence[SensorBlock]) -> bytes:
    """Write blocks as one chunk. Readings become the nearest whole multiple of their resolution, if 16 bits hold it.

    Raises ChunkError where arrays differ in length, or a field has no place.
    """
    if len(blocks) > 0xFFFF:
        raise ChunkError(f"A chunk holds at most 65535 runs and {len(blocks)} were given; write chunks more often.")
    body = b"".join(_encode_block(block) for block in blocks)
    if len(body) > LARGEST_BODY_BYTES:
        raise ChunkError(f"A chunk of {len(body)} bytes is larger than any reader accepts; write chunks more often.")
    compressor = zstandard.ZstdCompressor(level=_ZSTD_LEVEL, write_checksum=True, write_content_size=True)
    return _HEADER.pack(MAGIC, VERSION, 0, len(blocks), len(body)) + compressor.compress(body)


def decode_chunk(data: bytes) -> list[SensorBlock]:
    """Read what `encode_chunk` of any version wrote, bit for bit. Raises ChunkError for all else, however made."""
    if len(data) < _HEADER.size or data[:4] != MAGIC:
        raise ChunkError("These bytes are not a Sinew chunk; send or open a whole one, as a gateway wrote it.")
    _, version, flags, count, body_bytes = _HEADER.unpack_from(data)
    if not 1 <= version <= VERSION or flags:
        raise ChunkError(f"This chunk is of version {version} and this program reads up to {VERSION}; update it.")
    reader = BytesReader(_unpack_body(data[_HEADER.size :], body_bytes))
    read_run = chunk_version_1.read_run if version == 1 else _read_run
    blocks = [SensorBlock(reader.text(), reader.text(), *read_run(reader)) for _ in range(count)]
    reader.finish()
    return blocks


def _unpack_body(frame: bytes, body_bytes: int) -> bytes:
    if body_bytes > LARGEST_BODY_BYTES:
        raise ChunkError(
            f"This chunk says that it unpacks to {body_bytes} bytes, more than any gateway writes; refused."
        )
    try:
        parameters = zstandard.get_frame_parameters(frame)
        # zstandard gives memory by the frame's own claim, so the claim is checked before the frame is opened.
        if parameters.content_size != body_bytes or parameters.window_size > LARGEST_BODY_BYTES:
            raise ChunkError("This chunk's compressed part claims another size than its header; refused.")
        decompressor = zstandard.ZstdDecompressor(max_window_size=LARGEST_BODY_BYTES)
        return decompressor.decompress(frame, max_output_size=body_bytes, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise ChunkError("This chunk is truncated or damaged; send it again.") from error


def _encode_block(block: SensorBlock) -> bytes:
    samples, resolution = block.samples, block.resolution
    _check_lengths(block)
    try:
        fields = _RUN.pack(block.clock_offset_us, block.clock_rate, samples.lost_before, len(samples))
    except struct.error as error:
        raise ChunkError(f"The clock or the count of the run of {block.segment} does not fit a chunk.") from error
    return b"".join([
        *(_pack_text(block.address), _pack_text(block.segment), fields, pack_times(samples.sensor_time_us)),
        pack_readings(samples.acc_m_s2, resolution.acc_m_s2),
        pack_readings(samples.gyr_rad_s, resolution.gyr_rad_s),
        pack_readings(samples.mag_ut, MAG_STEP_UT),
        pack_readings(samples.orientation, ORIENTATION_STEP),
        pack_clipped(samples.clipped),
    ])  # fmt: skip


def _read_run(reader: BytesReader) -> tuple[Resolution, int, float, ImuSamples]:
    """Resolution, clock offset [µs], clock rate and samples."""
    offset_us, rate, lost_before, count = _RUN.unpack(reader.take(_RUN.size))
    time_us = unpack_times(reader, count)
    acc_m_s2, acc_step = unpack_readings(reader, count, 3)
    gyr_rad_s, gyr_step = unpack_readings(reader, count, 3)
    mag_ut, _ = unpack_readings(reader, count, 3)
    orientation, _ = unpack_readings(reader, count, 4)
    clipped = unpack_clipped(reader, count)
    if acc_m_s2 is None or gyr_rad_s is None or not np.isfinite(rate):
        raise ChunkError("This chunk holds a run without readings or a clock; refused.")
    samples = ImuSamples(time_us, acc_m_s2, gyr_rad_s, lost_before, mag_ut, orientation, clipped)
    return Resolution(acc_step, gyr_step), offset_us, rate, samples


def _check_lengths(block: SensorBlock) -> None:
    samples, count = block.samples, len(block.samples)
    quantities = ((samples.acc_m_s2, 3), (samples.gyr_rad_s, 3), (samples.mag_ut, 3), (samples.orientation, 4))
    fits = all(values is None or values.shape == (count, channels) for values, channels in quantities)
    if not fits or (samples.clipped is not None and samples.clipped.shape != (count,)):
        raise ChunkError(f"The run of {block.segment} has arrays of different lengths.")


def _pack_text(text: str) -> bytes:
    encoded = text.encode()
    if len(encoded) > 0xFF:
        raise ChunkError(f"The name {text[:20]}… is longer than 255 bytes.")
    return bytes([len(encoded)]) + encoded
