"""The chunk: about ten seconds of all sensors as one small, self-contained piece of bytes.

A chunk is what a gateway makes durable before anything else counts it, what it uploads, and what a server stores: the
same bytes everywhere. Integer readings are written as differences, zigzag, split into byte planes and compressed with
zstd: about 6.4 bytes for six channels and a time stamp. The bytes are specified in docs/chunk-format.md.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import zstandard

from .chunk_planes import BytesReader, ChunkError, pack_counts, pack_times, unpack_counts, unpack_times
from .samples import FloatArray, ImuSamples, Resolution

__all__ = ["ChunkError", "SensorBlock", "decode_chunk", "encode_chunk"]

MAGIC = b"SNWC"
VERSION = 1
LARGEST_BODY_BYTES = 16 * 2**20
"""Ten minutes of seven sensors at 200 Hz. A chunk that unpacks to more is refused before memory is given to it."""

_HEADER = struct.Struct("<4sBBHI")
_BLOCK = struct.Struct("<ddqdII")
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
    """Write blocks as one chunk. Readings become the nearest whole multiple of their resolution.

    Raises ChunkError where a reading is not a finite 16-bit multiple of its resolution, or a field has no place.
    """
    if len(blocks) > 0xFFFF:
        raise ChunkError(f"A chunk holds at most 65535 runs and {len(blocks)} were given; write chunks more often.")
    body = b"".join(_encode_block(block) for block in blocks)
    if len(body) > LARGEST_BODY_BYTES:
        raise ChunkError(f"A chunk of {len(body)} bytes is larger than any reader accepts; write chunks more often.")
    compressor = zstandard.ZstdCompressor(level=_ZSTD_LEVEL, write_checksum=True, write_content_size=True)
    return _HEADER.pack(MAGIC, VERSION, 0, len(blocks), len(body)) + compressor.compress(body)


def decode_chunk(data: bytes) -> list[SensorBlock]:
    """Read what `encode_chunk` wrote, bit for bit. Raises ChunkError for anything else, however it was made."""
    if len(data) < _HEADER.size or data[:4] != MAGIC:
        raise ChunkError("These bytes are not a Sinew chunk; send or open a whole one, as a gateway wrote it.")
    _, version, flags, count, body_bytes = _HEADER.unpack_from(data)
    if version != VERSION or flags:
        raise ChunkError(f"This chunk is of version {version} and this program reads version {VERSION}; update it.")
    reader = BytesReader(_unpack_body(data[_HEADER.size :], body_bytes))
    blocks = [_decode_block(reader) for _ in range(count)]
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
    count = len(samples)
    if samples.acc_m_s2.shape != (count, 3) or samples.gyr_rad_s.shape != (count, 3):
        raise ChunkError(f"The run of {block.segment} has arrays of different lengths.")
    if not (resolution.acc_m_s2 > 0 and resolution.gyr_rad_s > 0):
        raise ChunkError(f"The run of {block.segment} has no resolution, so its readings cannot be written.")
    counts = np.empty((count, 6), dtype="<i2")
    counts[:, :3] = _counts(samples.acc_m_s2, resolution.acc_m_s2, block.segment)
    counts[:, 3:] = _counts(samples.gyr_rad_s, resolution.gyr_rad_s, block.segment)
    try:
        fields = _BLOCK.pack(
            resolution.acc_m_s2,
            resolution.gyr_rad_s,
            block.clock_offset_us,
            block.clock_rate,
            samples.lost_before,
            count,
        )
    except struct.error as error:
        raise ChunkError(f"The clock or the count of the run of {block.segment} does not fit a chunk.") from error
    names = _pack_text(block.address) + _pack_text(block.segment)
    return names + fields + pack_times(samples.sensor_time_us) + pack_counts(counts)


def _decode_block(reader: BytesReader) -> SensorBlock:
    address, segment = reader.text(), reader.text()
    acc_step, gyr_step, offset_us, rate, lost_before, count = _BLOCK.unpack(reader.take(_BLOCK.size))
    if not (acc_step > 0 and gyr_step > 0 and np.isfinite([acc_step, gyr_step, rate]).all()):
        raise ChunkError("This chunk holds a run without a resolution or a clock; refused.")
    time_us = unpack_times(reader, count)
    counts = unpack_counts(reader, count)
    samples = ImuSamples(
        sensor_time_us=time_us,
        acc_m_s2=counts[:, :3] * acc_step,
        gyr_rad_s=counts[:, 3:] * gyr_step,
        lost_before=lost_before,
    )
    return SensorBlock(address, segment, Resolution(acc_step, gyr_step), offset_us, rate, samples)


def _counts(values: FloatArray, step: float, segment: str) -> FloatArray:
    steps = np.rint(values / step)
    if not np.all(np.abs(steps + 0.5) <= 32767.5):  # also false for NaN
        raise ChunkError(f"A reading of {segment} is not a number within 16 bits of its resolution of {step:.6g}.")
    return steps


def _pack_text(text: str) -> bytes:
    encoded = text.encode()
    if len(encoded) > 0xFF:
        raise ChunkError(f"The name {text[:20]}… is longer than 255 bytes.")
    return bytes([len(encoded)]) + encoded
