"""Every mode of every decoder, and every decoder of replies, that has a byte vector: whatever comes in its stead."""

import importlib
import json
import pkgutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware_interface.drivers import DRIVERS
from firmware_interface.errors import DecodeError

FOLDER = Path(__file__).parent / "vectors"
DRIVER_OF = {driver.family.code: driver for driver in DRIVERS}
MOST_SAMPLES = 4096
"""In what one notification completes."""
quick = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), database=None)


def alike(kind, *names):
    """All vectors of a kind, those of one family together that are the same in these fields."""
    found = {}
    for path in sorted(FOLDER.glob("*.json")):
        for vector in json.loads(path.read_text("utf-8")).get(kind, []):
            same = json.dumps([vector.get(name) for name in names])
            found.setdefault((path.stem, same), []).append(vector)
    return [
        pytest.param(family, vectors, id=f"{family}-{vectors[0]['name'].replace(' ', '_')}")
        for (family, _), vectors in found.items()
    ]


def notifications_of(vector):
    packets = [vector["hex"]] if isinstance(vector["hex"], str) else vector["hex"]
    told = [(packet, vector.get("characteristic", "")) if isinstance(packet, str) else packet for packet in packets]
    return [(bytes.fromhex(packet), characteristic) for packet, characteristic in told]


def function_of(family, name):
    """Of the family's module, or of those of its package."""
    top = importlib.import_module(".".join(DRIVER_OF[family].__module__.split(".")[:3]))
    below = [f"{top.__name__}.{found.name}" for found in pkgutil.iter_modules(getattr(top, "__path__", []))]
    modules = [top, *map(importlib.import_module, below)]
    return next(found for module in modules if (found := getattr(module, name, None)))


@st.composite
def spoilt(draw, good):
    """One of these as it is, cut, lengthened, with other bytes in it; or none of them."""
    data = bytearray(draw(st.sampled_from(good)))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        data[at : at + 1] = draw(st.binary(max_size=3))
    cut = draw(st.integers(0, 4 * len(data) + 1))
    return draw(st.one_of(st.just(bytes(data[:cut])), st.binary(max_size=300)))


@pytest.mark.parametrize(("family", "vectors"), alike("notifications", "begin"))
@given(data=st.data())
@quick
def test_no_notification_raises_anything_but_a_decode_error(family, vectors, data):
    decoder = DRIVER_OF[family].new_decoder()
    decoder.begin(**vectors[0].get("begin", {}))
    good, characteristics = zip(*[told for vector in vectors for told in notifications_of(vector)], strict=True)
    notification = st.tuples(spoilt(good), st.sampled_from([*characteristics, ""]))
    for packet, characteristic in data.draw(st.lists(notification, min_size=5, max_size=20)):
        try:
            runs = decoder.decode(packet, characteristic)
        except DecodeError:
            continue
        assert sum(map(len, runs)) <= MOST_SAMPLES
        for run in runs:
            assert not np.isinf(run.acc_m_s2).any()
            assert not np.isinf(run.gyr_rad_s).any()
            assert run.lost_before >= 0


@pytest.mark.parametrize(("family", "vectors"), alike("replies", "call", "args"))
@given(data=st.data())
@quick
def test_no_reply_raises_anything_but_a_decode_error(family, vectors, data):
    decode = partial(function_of(family, vectors[0]["call"]), **vectors[0].get("args", {}))
    good = [bytes.fromhex(vector["hex"]) for vector in vectors]
    for reply in data.draw(st.lists(spoilt(good), min_size=3, max_size=10)):
        try:
            decode(reply)
        except DecodeError:
            continue
