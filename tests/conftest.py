"""What every room's tests may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parents[1]

# A deadline would be a timed test; without a database and with fixed seeds every run tries the same examples.
settings.register_profile("sinew", deadline=None, derandomize=True, database=None)
settings.load_profile("sinew")


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real recordings; the test skips where it is not at hand."""
    folder = Path(os.environ.get("SINEW_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no recordings at {folder}: set SINEW_DATA to the folder that holds them")
    return folder
