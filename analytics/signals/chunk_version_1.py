"""Runs as version 1 wrote them: acceleration and angular rate only, always there. Clinics hold such chunks for ever."""

from __future__ import annotations

import struct

import numpy as np

from .chunk_planes import BytesReader, ChunkError, unpack_counts, unpack_times
from .samples import ImuSamples, Resolution

_BLOCK = struct.Struct("<ddqdII")


def read_run(reader: BytesReader) -> tuple[Resolution, int, float, ImuSamples]:
    """Resolution, clock offset [µs], clock rate and samples."""
    acc_step, gyr_step, offset_us, rate, lost_before, count = _BLOCK.unpack(reader.take(_BLOCK.size))
    if not (acc_step > 0 and gyr_step > 0 and np.isfinite([acc_step, gyr_step, rate]).all()):
        raise ChunkError("This chunk holds a run without a resolution or a clock; refused.")
    time_us = unpack_times(reader, count)
    counts = unpack_counts(reader, count, 6)
    samples = ImuSamples(time_us, counts[:, :3] * acc_step, counts[:, 3:] * gyr_step, lost_before)
    return Resolution(acc_step, gyr_step), offset_us, rate, samples
