"""Every byte vector of every family, from vectors/<family>.json: what bytes mean, and what commands are made of.

    {"source": where the bytes were published,
     "commands": [{"name": …, "call": function of the family's modules, "args": {…}, "hex": "…"}],
     "replies": [{"name": …, "call": function of the family's modules, "hex": "…", "args": {…}, "expect": …}],
     "notifications": [{"name": …, "begin": {…} for the decoder's `begin`, "characteristic": …,
                        "hex": "…" or ["…", …] or [["…", characteristic], …],
                        "expect": {"acc_m_s2" | "acc_g" | "gyr_rad_s" | "gyr_dps" | "mag_ut" | "orientation" |
                                   "sensor_time_us" | "clipped" | "lost_before": …}, "tolerance": 1e-6}]}

An `expect` that is shorter than what was decoded is compared with its beginning; "count" is the number of samples, and
null a reading that is not there. What a reply means is exact, unless it has a "tolerance" too.
"""

import dataclasses
import importlib
import json
import math
import pkgutil
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from firmware_interface.drivers import DRIVERS

FOLDER = Path(__file__).parent / "vectors"
UNITS = {"acc_g": ("acc_m_s2", 9.80665), "gyr_dps": ("gyr_rad_s", math.radians(1))}
DRIVER_OF = {driver.family.code: driver for driver in DRIVERS}


def cases(kind):
    return list(_cases(kind))


def _cases(kind):
    for path in sorted(FOLDER.glob("*.json")):
        for vector in json.loads(path.read_text("utf-8")).get(kind, []):
            yield pytest.param(path.stem, vector, id=f"{path.stem}-{vector['name'].replace(' ', '_')}")


def call(family, vector, *args):
    function = next(found for module in modules_of(family) if (found := getattr(module, vector["call"], None)))
    return function(*args, **vector.get("args", {}))


@cache
def modules_of(family):
    """The module of a family, or those of its package."""
    parts = DRIVER_OF[family].__module__.split(".")[:3]
    top = importlib.import_module(".".join(parts))
    below = pkgutil.iter_modules(getattr(top, "__path__", []))
    return [top, *(importlib.import_module(f"{top.__name__}.{found.name}") for found in below)]


@pytest.mark.parametrize("driver", DRIVERS, ids=lambda driver: driver.family.code)
def test_every_family_has_vectors(driver):
    vectors = json.loads((FOLDER / f"{driver.family.code}.json").read_text("utf-8"))
    assert vectors["source"]
    assert vectors["notifications"]


@pytest.mark.parametrize(("family", "vector"), cases("commands"))
def test_a_command_is_these_bytes(family, vector):
    assert call(family, vector).hex() == vector["hex"]


@pytest.mark.parametrize(("family", "vector"), cases("replies"))
def test_a_reply_means_this(family, vector):
    meant = call(family, vector, bytes.fromhex(vector["hex"]))
    expected = vector["expect"]
    if isinstance(expected, dict):
        fields = dataclasses.asdict(meant) if dataclasses.is_dataclass(meant) else meant._asdict()
        meant = {name: fields[name] for name in expected}
    assert _plain(meant) == _nearly(expected, vector.get("tolerance", 0.0))


@pytest.mark.parametrize(("family", "vector"), cases("notifications"))
def test_a_notification_means_this(family, vector):
    decoder = DRIVER_OF[family].new_decoder()
    decoder.begin(**vector.get("begin", {}))
    packets = [vector["hex"]] if isinstance(vector["hex"], str) else vector["hex"]
    told = [(packet, vector.get("characteristic", "")) if isinstance(packet, str) else packet for packet in packets]
    runs = [run for packet, characteristic in told for run in decoder.decode(bytes.fromhex(packet), characteristic)]
    for name, expected in vector["expect"].items():
        if name == "count":
            assert sum(map(len, runs)) == expected
        elif name == "lost_before":
            assert [run.lost_before for run in runs] == expected
        else:
            field, unit = UNITS.get(name, (name, 1.0))
            decoded = np.concatenate([getattr(run, field) for run in runs])
            assert len(decoded) >= len(expected)
            tolerance = vector.get("tolerance", 1e-6)
            wanted = np.array(expected, dtype=np.float64)
            np.testing.assert_allclose(decoded[: len(expected)] / unit, wanted, rtol=0, atol=tolerance)


def _plain(value):
    """As JSON would hold it."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return value


def _nearly(expected, tolerance):
    """Its numbers within the tolerance."""
    if isinstance(expected, float):
        return pytest.approx(expected, rel=0, abs=tolerance)
    if isinstance(expected, list):
        return [_nearly(item, tolerance) for item in expected]
    if isinstance(expected, dict):
        return {name: _nearly(item, tolerance) for name, item in expected.items()}
    return expected
