"""Every byte vector of every family, from vectors/<family>.json: what bytes mean, and what commands are made of.

    {"source": where the bytes were published,
     "commands": [{"name": …, "call": function of the family's modules, "args": {…}, "hex": "…"}],
     "replies": [{"name": …, "call": function of the family's modules, "hex": "…", "args": {…}, "expect": …}],
     "notifications": [{"name": …, "begin": {…} for the decoder's `begin`, "characteristic": …, "hex": "…" or ["…", …],
                        "expect": {"acc_m_s2" | "acc_g" | "gyr_rad_s" | "gyr_dps" | "mag_ut" | "orientation" |
                                   "sensor_time_us" | "clipped" | "lost_before": …}, "tolerance": 1e-6}]}

An `expect` that is shorter than what was decoded is compared with its beginning; "count" is the number of samples.
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
        assert {name: _plain(fields[name]) for name in expected} == expected
    else:
        assert _plain(meant) == expected


@pytest.mark.parametrize(("family", "vector"), cases("notifications"))
def test_a_notification_means_this(family, vector):
    decoder = DRIVER_OF[family].new_decoder()
    decoder.begin(**vector.get("begin", {}))
    packets = [vector["hex"]] if isinstance(vector["hex"], str) else vector["hex"]
    runs = [
        run for packet in packets for run in decoder.decode(bytes.fromhex(packet), vector.get("characteristic", ""))
    ]
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
            np.testing.assert_allclose(decoded[: len(expected)] / unit, expected, rtol=0, atol=tolerance)


def _plain(value):
    """As JSON would hold it."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value
