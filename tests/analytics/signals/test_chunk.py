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

from analytics.signals.chunk import (
    LARGEST_BODY_BYTES,
    MAG_STEP_UT,
    ORIENTATION_STEP,
    ChunkError,
    SensorBlock,
    decode_chunk,
    encode_chunk,
)
from analytics.signals.chunk_planes import pack_counts, pack_times
from analytics.signals.samples import ImuSamples, Resolution

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault

STEP = Resolution(acc_m_s2=8 * 9.80665 / 32768, gyr_rad_s=np.radians(1000) / 32768)
HEADER = struct.Struct("<4sBBHI")

GOLDEN_1 = bytes.fromhex(
    "534e5743010002001801000028b52ffd641800f50400c2471d27902b8d018dd2649fe3c7894953ffe04f1ae7e0725f8b3671"
    "03cd9919c7e716ce32d5062448ca14ff7c4e4875aefc95aa178648ff321a89f7608cb15b6b6d08213cc61857557d777700f4"
    "4fb98944ffaef3c0939970a624689ce1923e120cc5292c5a552ed1b316ef425ccf5a3802d43455d4411011003b23092e8041"
    "880900e0da321b20009481005d41db716ec00e180326a0d80fce3e0d5704afa10cf8"
)
"""Two runs written by version 1. Chunks in clinics look like this for ever: never make this anew."""

GOLDEN = bytes.fromhex(
    "534e5743020003002602000028b52ffd64260175080062cd2e31706bd21825fe2a07420c3cb25702dc855d4f6fd422b42866"
    "8460efdd1ba4721767f77670cd97919082504d258a48933205ab734ec69e3d3bbbaed95ed2599e74e56bc14ff021f7f02f9c"
    "2c0e4238bc7c7c2b5af1d8e964220a3fc1e3406647b3f84090389987810c1ed5b972fe4a9dfac111927f1b1c181e278aa2e8"
    "d65a9ba228eaaaaaaadd459284486450e8aaaaefeeee30175aa9c080f4c8f34fc901a17f672d1035263ca61cd8789acd9316"
    "a4a7d940005026930a2521202320a0029b11ea01e394685d04b00e39e8dad4481773c506eb49db7b00405c9ee145b5c6466c"
    "bc04b1f6d080e3425060d8354d0af8408d155600a232564006c1e030613c169f65b802b23f5fcbd81401c407d967"
)
"""The same by version 2, and a third run with a magnetic field, an orientation, clipping, and readings of any size."""


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


def rich_block():
    """A magnetic field in every other sample, an orientation, clipping, and readings that no step can hold."""
    samples = ImuSamples(
        sensor_time_us=np.arange(4) * 10_000,
        acc_m_s2=np.array([[0.0, 0, 1], [0, np.nan, 2], [1e9, np.inf, -0.0], [np.nan] * 3]),
        gyr_rad_s=np.full((4, 3), np.nan),
        lost_before=1,
        mag_ut=np.array([[21.5, -0.25, 127], [np.nan] * 3, [22, 0, -128], [np.nan] * 3]),
        orientation=np.array([[32767, 0, 0, 0], [0, -32767, 1, 0], [1, 2, 3, 4], [5, 6, 7, 8]]) * ORIENTATION_STEP,
        clipped=np.array([False, True, False, False]),
    )
    return SensorBlock("C1:00:00:00:00:02", "chest", STEP, 7, 0.999_980, samples)


def assert_equal(found, expected):
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert (a.address, a.segment, a.resolution) == (b.address, b.segment, b.resolution)
        assert (a.clock_offset_us, a.clock_rate) == (b.clock_offset_us, b.clock_rate)
        assert a.samples.lost_before == b.samples.lost_before
        np.testing.assert_array_equal(a.samples.sensor_time_us, b.samples.sensor_time_us, strict=True)
        for name in ("acc_m_s2", "gyr_rad_s", "mag_ut", "orientation", "clipped"):
            here, there = getattr(a.samples, name), getattr(b.samples, name)
            assert (here is None) == (there is None), name
            if here is not None:
                np.testing.assert_array_equal(here, there, strict=True)  # NaN equals NaN


def body_of(chunk):
    return zstandard.ZstdDecompressor().decompress(chunk[HEADER.size :])


def chunk_of(body, runs, *, claimed=None, frame=None, version=2):
    compressed = zstandard.ZstdCompressor().compress(body) if frame is None else frame
    return HEADER.pack(b"SNWC", version, 0, runs, len(body) if claimed is None else claimed) + compressed


def test_the_golden_chunks_are_read():
    assert_equal(decode_chunk(GOLDEN_1), golden_blocks())
    assert_equal(decode_chunk(GOLDEN), [*golden_blocks(), rich_block()])


def test_the_examples_in_the_document_are_the_golden_chunks():
    page = (Path(__file__).parents[3] / "docs" / "chunk-format.md").read_text("utf-8")
    examples = re.findall(r"```hex\n(.*?)```", page, re.DOTALL)
    assert [bytes.fromhex(example) for example in examples] == [GOLDEN, GOLDEN_1]


def test_the_golden_chunk_is_what_is_written():
    """Compared unpacked: another release of zstd may pack the same body into other bytes."""
    written = encode_chunk([*golden_blocks(), rich_block()])
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


def some(n, channels, step):
    """Whole multiples of a step, some samples without a reading; or any numbers; or nothing at all."""
    counts = st.tuples(arrays(np.int16, (n, channels)), arrays(np.bool_, n))
    whole = counts.map(lambda drawn: np.where(drawn[1][:, None], drawn[0] * step, np.nan))
    return st.one_of(whole, arrays(np.float64, (n, channels), elements=st.floats()))


def rich(n):
    return st.builds(
        ImuSamples,
        arrays(np.int64, n),
        some(n, 3, STEP.acc_m_s2),
        some(n, 3, STEP.gyr_rad_s),
        st.integers(0, 2**32 - 1),
        st.none() | some(n, 3, MAG_STEP_UT),
        st.none() | some(n, 4, ORIENTATION_STEP),
        st.none() | arrays(np.bool_, n),
    )


@given(st.lists(runs, max_size=4))
@settings(UNHURRIED)
def test_every_multiple_of_the_resolution_comes_back_exactly(blocks):
    assert_equal(decode_chunk(encode_chunk(blocks)), blocks)


@given(st.lists(st.integers(0, 5).flatmap(rich), max_size=2))
@settings(UNHURRIED, max_examples=60)
def test_all_that_a_sensor_says_comes_back(run_samples):
    """Twice through it changes nothing more; once through it, no reading moves by more than half a step."""
    blocks = [SensorBlock("a", "chest", STEP, 0, 1.0, samples) for samples in run_samples]
    once = decode_chunk(encode_chunk(blocks))
    assert_equal(decode_chunk(encode_chunk(once)), once)
    steps = {"acc_m_s2": STEP.acc_m_s2, "gyr_rad_s": STEP.gyr_rad_s, "mag_ut": MAG_STEP_UT,
             "orientation": ORIENTATION_STEP}  # fmt: skip
    for said, kept in zip(blocks, once, strict=True):
        for name, step in steps.items():
            here, there = getattr(said.samples, name), getattr(kept.samples, name)
            assert (here is None) == (there is None)
            if here is not None:
                np.testing.assert_allclose(there, here, rtol=1e-12, atol=step * (0.5 + 1e-9))
        assert (said.samples.clipped is None) == (kept.samples.clipped is None)
        if said.samples.clipped is not None:
            np.testing.assert_array_equal(said.samples.clipped, kept.samples.clipped)


def test_what_a_sensor_does_not_have_costs_a_few_bytes():
    """Against version 1, whose 6.4 bytes per sample are the measure."""
    noise = np.random.default_rng(1).normal(0, 20, (1000, 6)).round().astype(np.int16)
    run = block(noise, np.arange(1000) * 10_000)
    before = HEADER.size + len(zstandard.ZstdCompressor(level=3).compress(body_1(run)))
    assert len(encode_chunk([run])) < before + 40


def body_1(run):
    """A run as version 1 wrote it."""
    counts = np.rint(np.hstack([run.samples.acc_m_s2 / STEP.acc_m_s2, run.samples.gyr_rad_s / STEP.gyr_rad_s]))
    names = b"".join(bytes([len(name)]) + name.encode() for name in (run.address, run.segment))
    clock = struct.pack("<ddqdII", *(STEP.acc_m_s2, STEP.gyr_rad_s), -123_456, 1.000_020, 0, len(counts))
    return names + clock + pack_times(run.samples.sensor_time_us) + pack_counts(counts.astype("<i2"))


def test_a_run_of_version_1_is_read_as_it_was_written():
    run = block(np.arange(60).reshape(10, 6), np.arange(10) * 10_000)
    assert_equal(decode_chunk(chunk_of(body_1(run), 1, version=1)), [run])


def test_a_reading_between_two_steps_becomes_the_nearer():
    samples = ImuSamples(
        np.zeros(1, np.int64), np.full((1, 3), 2.4 * STEP.acc_m_s2), np.full((1, 3), 2.6 * STEP.gyr_rad_s)
    )
    (found,) = decode_chunk(encode_chunk([SensorBlock("a", "chest", STEP, 0, 1.0, samples)]))
    np.testing.assert_array_equal(found.samples.acc_m_s2, np.full((1, 3), 2 * STEP.acc_m_s2))
    np.testing.assert_array_equal(found.samples.gyr_rad_s, np.full((1, 3), 3 * STEP.gyr_rad_s))


@pytest.mark.parametrize("count", [32768, -32769, np.nan, np.inf], ids=str)
def test_a_reading_beyond_its_steps_is_kept_as_it_is(count):
    counts = np.zeros((2, 6))
    counts[1, 4] = count
    said = block(counts, [0, 1])
    assert_equal(decode_chunk(encode_chunk([said])), [said])


def test_readings_of_an_unknown_kind_are_refused():
    body = body_of(encode_chunk([block(np.zeros((0, 6)), [])]))
    for position, kind in ((-21, 4), (-12, 9), (-3, 4), (-1, 2)):
        assert body[position] in {0, 1}
        with pytest.raises(ChunkError, match="does not know; update it"):
            decode_chunk(chunk_of(body[: len(body) + position] + bytes([kind]) + body[len(body) + position + 1 :], 1))


def test_arrays_of_different_lengths_are_refused():
    samples = ImuSamples(np.zeros(3, np.int64), np.zeros((2, 3)), np.zeros((3, 3)))
    with pytest.raises(ChunkError, match="different lengths"):
        encode_chunk([SensorBlock("a", "chest", STEP, 0, 1.0, samples)])


@pytest.mark.parametrize("field", ["lost_before", "clock", "name", "resolution"])
def test_a_field_without_a_place_is_refused(field):
    samples = ImuSamples(np.zeros(0, np.int64), np.zeros((0, 3)), np.zeros((0, 3)), -1 if field == "lost_before" else 0)
    step = Resolution(-1.0, 1.0) if field == "resolution" else STEP
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
        decode_chunk(chunk_of(b"", 3, claimed=len(body_of(GOLDEN)), frame=frame))


@pytest.mark.parametrize("runs", [0, 1, 2, 4, 65535])
def test_a_wrong_number_of_runs_is_refused(runs):
    with pytest.raises(ChunkError):
        decode_chunk(chunk_of(body_of(GOLDEN), runs))


def test_another_version_says_what_to_do():
    with pytest.raises(ChunkError, match="update"):
        decode_chunk(GOLDEN[:4] + b"\x03" + GOLDEN[5:])


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
        assert_equal(found, [*golden_blocks(), rich_block()])


def test_bytes_that_are_no_chunk_are_refused_with_what_to_do():
    with pytest.raises(ChunkError, match=r"^These bytes are not a Sinew chunk; send or open a whole one"):
        decode_chunk(b"not this")
