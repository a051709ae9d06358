"""Whatever bytes come: no exception but the decode error, no memory without bounds, and the stream recovers."""

import pickle
import random
from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from notifications import recorded

from firmware_interface.drivers import DRIVERS
from firmware_interface.errors import DecodeError

CODES = [driver.family.code for driver in DRIVERS]
A_BOUT = 100
"""Bad notifications, one after the other, before the stream has to go on."""
MOST_BYTES = 200_000
"""A decoder that has grown beyond this keeps what it is sent. The largest keep some hundred samples for pairing."""

stream_of = cache(recorded)
no_hurry = settings(
    deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck), database=None
)


def spoilt(rng: random.Random, good: list[bytes]) -> bytes:
    """Random, truncated, bit-flipped, concatenated, repeated, or overwritten in part."""
    data = bytearray(rng.choice(good))
    match rng.randrange(8):
        case 0:
            return rng.randbytes(rng.randrange(0, 256))
        case 1:
            return bytes(data[: rng.randrange(len(data) + 1)])
        case 2 | 3:
            for _ in range(rng.randrange(1, 4)):
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        case 4:
            data += rng.choice(good)[: rng.randrange(256)]
        case 5:
            start = rng.randrange(len(data))
            data[start : start + rng.randrange(1, 9)] = rng.randbytes(rng.randrange(0, 9))
        case 6:
            data[rng.randrange(len(data))] = rng.choice((0x00, 0x7F, 0x80, 0xFF))
    return bytes(data)


def bouts(code: str, seed: int, notifications: int) -> int:
    """Feed so many bad notifications; after each bout the good stream must go on. Returns how many were fed."""
    stream, rng = stream_of(code), random.Random(seed)
    good = [data for data, _ in stream.notifications]
    characteristics = sorted({uuid for _, uuid in stream.notifications})
    # Some notifications make one packet. It may begin in the middle of one; the next may be what the bad ones had made
    # the decoder disbelieve; the one after that has to come through.
    patience = 3 * stream.longest_silence
    decoder, at, fed = stream.decoder(), 0, 0
    while fed < notifications:
        if at + patience + 2 >= len(good):
            decoder, at = stream.decoder(), 0
        for _ in range(rng.randrange(1, A_BOUT)):
            data, characteristic = spoilt(rng, good), rng.choice(characteristics)
            fed += 1
            try:
                runs = decoder.decode(data, characteristic)
            except DecodeError:
                continue
            except Exception as fault:
                raise AssertionError(f"{code}: {data.hex()} on {characteristic} raised {fault!r}") from fault
            assert sum(map(len, runs)) <= 4096, f"{code}: {data.hex()} was made to so many samples"
        assert len(pickle.dumps(decoder)) < MOST_BYTES
        at += rng.randrange(3)  # some good ones are lost as well
        came = 0
        for data, characteristic in stream.notifications[at : at + patience]:
            try:
                runs = decoder.decode(data, characteristic)
            except DecodeError:
                continue
            came += sum(map(len, runs))
            assert all(np.isfinite(run.acc_m_s2).all() for run in runs)
        assert came, f"{code}: seed {seed} has silenced the stream"
        at += patience
    return fed


@pytest.mark.parametrize("code", CODES)
@given(seed=st.integers(0, 2**64 - 1))
@settings(no_hurry, max_examples=20)
def test_a_slice_of_bad_notifications(code, seed):
    bouts(code, seed, 1_000)


@pytest.mark.long
@pytest.mark.parametrize("code", CODES)
@given(seed=st.integers(0, 2**64 - 1))
@settings(no_hurry, max_examples=100)
def test_ten_million_bad_notifications(code, seed):
    """100 examples of 10 000 in each of eleven families: 11 million in all."""
    assert bouts(code, seed, 10_000) >= 10_000
