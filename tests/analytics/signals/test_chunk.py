import re
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from analytics.signals.chunk import LARGEST_BODY_BYTES, ChunkError, SensorBlock, decode_chunk, encode_chunk
from analytics.signals.samples import ImuSamples, Resolution

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault

STEP = Resolution(acc_m_s2=8 * 9.80665 / 32768, gyr_rad_s=np.radians(1000) / 32768)
HEADER = struct.Struct("<4sBBHI")

GOLDEN = bytes.fromhex(
    "534e5743010002001801000028b52ffd641800f50400c2471d27902b8d018dd2649fe3c7894953ffe04f1ae7e0725f8b3671"
    "03cd9919c7e716ce32d5062448ca14ff7c4e4875aefc95aa178648ff321a89f7608cb15b6b6d08213cc61857557d777700f4"
    "4fb98944ffaef3c0939970a624689ce1923e120cc5292c5a552ed1b316ef425ccf5a3802d43455d4411011003b23092e8041"
    "880900e0da321b20009481005d41db716ec00e180326a0d80fce3e0d5704afa10cf8"
)
"""Two runs written by version 1. Chunks in clinics look like this for ever: never make this anew."""


def block(counts, time_us, *, segment="right_shank", lost_before=0):
    counts = np.asarray(counts)
    samples = ImuSamples(
        sensor_time_us=np.asarray(time_us, dtype=np.int64),
        acc_m_s2=counts[:, :3] * STEP.acc_m_s2,
        gyr_rad_s=counts[:, 3:] * STEP.gyr_rad_s,
        lost_before=lost_before,
    )
    return SensorBlock("C1:00:00:00:00:01", segment, STEP, -123_456, 1.000_020, samples)


def golden_blocks():
    ramp = np.arange(5)[:, None] * np.array([[1, -1, 0, 1000, -1000, 7]])
    extremes = np.array([[-32768, 32767, 0, 32767, -32768, -1], [32767, -32768, 0, -32768, 32767, 1]])
    return [
        block(ramp, np.arange(5) * 40_000 + 2**33, segment="right_thigh"),
        block(extremes, [5, 40_006], lost_before=3),
    ]


def assert_equal(found, expected):
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert (a.address, a.segment, a.resolution) == (b.address, b.segment, b.resolution)
        assert (a.clock_offset_us, a.clock_rate) == (b.clock_offset_us, b.clock_rate)
        assert a.samples.lost_before == b.samples.lost_before
        np.testing.assert_array_equal(a.samples.sensor_time_us, b.samples.sensor_time_us, strict=True)
        np.testing.assert_array_equal(a.samples.acc_m_s2, b.samples.acc_m_s2, strict=True)
        np.testing.assert_array_equal(a.samples.gyr_rad_s, b.samples.gyr_rad_s, strict=True)


def body_of(chunk):
    return zstandard.ZstdDecompressor().decompress(chunk[HEADER.size :])


def chunk_of(body, runs, *, claimed=None, frame=None):
    compressed = zstandard.ZstdCompressor().compress(body) if frame is None else frame
    return HEADER.pack(b"SNWC", 1, 0, runs, len(body) if claimed is None else claimed) + compressed


def test_the_golden_chunk_is_read():
    assert_equal(decode_chunk(GOLDEN), golden_blocks())


def test_the_example_in_the_document_is_the_golden_chunk():
    page = (Path(__file__).parents[3] / "docs" / "chunk-format.md").read_text("utf-8")
    (example,) = re.findall(r"```hex\n(.*?)```", page, re.DOTALL)
    assert bytes.fromhex(example) == GOLDEN


def test_the_golden_chunk_is_what_is_written():
    """Compared unpacked: another release of zstd may pack the same body into other bytes."""
    written = encode_chunk(golden_blocks())
    assert written[: HEADER.size] == GOLDEN[: HEADER.size]
    assert body_of(written) == body_of(GOLDEN)
    assert zstandard.get_frame_parameters(written[HEADER.size :]).has_checksum


runs = st.integers(0, 60).flatmap(
    lambda n: st.builds(
        block,
        arrays(np.int16, (n, 6)),
        arrays(np.int64, n),
        segment=st.sampled_from(["left_thigh", "right_shank", "größe"]),
        lost_before=st.integers(0, 2**32 - 1),
    )
)


@given(st.lists(runs, max_size=4))
@settings(UNHURRIED)
def test_every_multiple_of_the_resolution_comes_back_exactly(blocks):
    assert_equal(decode_chunk(encode_chunk(blocks)), blocks)


def test_a_reading_between_two_steps_becomes_the_nearer():
    samples = ImuSamples(
        np.zeros(1, np.int64), np.full((1, 3), 2.4 * STEP.acc_m_s2), np.full((1, 3), 2.6 * STEP.gyr_rad_s)
    )
    (found,) = decode_chunk(encode_chunk([SensorBlock("a", "chest", STEP, 0, 1.0, samples)]))
    np.testing.assert_array_equal(found.samples.acc_m_s2, np.full((1, 3), 2 * STEP.acc_m_s2))
    np.testing.assert_array_equal(found.samples.gyr_rad_s, np.full((1, 3), 3 * STEP.gyr_rad_s))


@pytest.mark.parametrize("count", [32768, -32769, np.nan, np.inf], ids=str)
def test_a_reading_without_a_place_is_refused(count):
    counts = np.zeros((2, 6))
    counts[1, 4] = count
    with pytest.raises(ChunkError, match="right_shank"):
        encode_chunk([block(counts, [0, 1])])


def test_arrays_of_different_lengths_are_refused():
    samples = ImuSamples(np.zeros(3, np.int64), np.zeros((2, 3)), np.zeros((3, 3)))
    with pytest.raises(ChunkError, match="different lengths"):
        encode_chunk([SensorBlock("a", "chest", STEP, 0, 1.0, samples)])


@pytest.mark.parametrize("field", ["lost_before", "clock", "name", "resolution"])
def test_a_field_without_a_place_is_refused(field):
    samples = ImuSamples(np.zeros(0, np.int64), np.zeros((0, 3)), np.zeros((0, 3)), -1 if field == "lost_before" else 0)
    step = Resolution(0.0, 1.0) if field == "resolution" else STEP
    name = "x" * 300 if field == "name" else "x"
    with pytest.raises(ChunkError):
        encode_chunk([SensorBlock(name, "chest", step, 2**63 if field == "clock" else 0, 1.0, samples)])


def test_a_decompression_bomb_is_refused_before_it_is_unpacked():
    """One GiB of zeros is 32 kB of zstd. Both the header's claim and the frame's own are bounded."""
    compressor = zstandard.ZstdCompressor().compressobj(size=2**30)
    zeros = bytes(2**24)
    frame = b"".join(compressor.compress(zeros) for _ in range(64)) + compressor.flush()
    tracemalloc.start()
    try:
        for claimed in (2**30, 1000, LARGEST_BODY_BYTES):
            with pytest.raises(ChunkError, match=r"more than any gateway writes|claims another size"):
                decode_chunk(chunk_of(b"", 1, claimed=claimed, frame=frame))
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_a_frame_without_its_size_is_refused():
    frame = zstandard.ZstdCompressor(write_content_size=False).compress(body_of(GOLDEN))
    with pytest.raises(ChunkError, match="refused"):
        decode_chunk(chunk_of(b"", 2, claimed=len(body_of(GOLDEN)), frame=frame))


@pytest.mark.parametrize("runs", [0, 1, 3, 65535])
def test_a_wrong_number_of_runs_is_refused(runs):
    with pytest.raises(ChunkError):
        decode_chunk(chunk_of(body_of(GOLDEN), runs))


def test_another_version_says_what_to_do():
    with pytest.raises(ChunkError, match="update"):
        decode_chunk(GOLDEN[:4] + b"\x02" + GOLDEN[5:])


@pytest.mark.parametrize("length", range(0, len(GOLDEN), 7))
def test_a_chunk_cut_short_is_refused(length):
    with pytest.raises(ChunkError):
        decode_chunk(GOLDEN[:length])


def test_bytes_after_the_end_are_refused():
    with pytest.raises(ChunkError):
        decode_chunk(GOLDEN + b"\0")


@given(st.binary(max_size=200))
@settings(UNHURRIED, max_examples=200)
def test_no_bytes_raise_anything_but_a_chunk_error(data):
    for piece in (data, GOLDEN[: HEADER.size] + data, chunk_of(data, 1), chunk_of(data, 40)):
        with pytest.raises(ChunkError):
            decode_chunk(piece)


@pytest.mark.parametrize("bit", range(8))
def test_a_flipped_bit_is_noticed_or_harmless(bit):
    for position in range(len(GOLDEN)):
        damaged = bytearray(GOLDEN)
        damaged[position] ^= 1 << bit
        try:
            found = decode_chunk(bytes(damaged))
        except ChunkError:
            continue
        assert_equal(found, golden_blocks())


def test_bytes_that_are_no_chunk_are_refused_with_what_to_do():
    with pytest.raises(ChunkError, match=r"^These bytes are not a Sinew chunk; send or open a whole one"):
        decode_chunk(b"not this")
