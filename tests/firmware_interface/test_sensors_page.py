"""docs/sensors.md says what the drivers are."""

import subprocess
import sys
from pathlib import Path

from firmware_interface.drivers import DRIVERS

ROOT = Path(__file__).parents[2]


def test_the_table_of_families_is_made_from_the_drivers():
    done = subprocess.run(
        [sys.executable, "tools/sensor_table.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_row_is_whole():
    for family in (driver.family for driver in DRIVERS):
        assert family.name
        assert family.maker
        assert family.source
        assert family.quantities
        assert list(family.rates_hz) == sorted(set(family.rates_hz))
        assert list(family.acc_ranges_g) == sorted(set(family.acc_ranges_g))
        assert list(family.gyr_ranges_dps) == sorted(set(family.gyr_ranges_dps))
