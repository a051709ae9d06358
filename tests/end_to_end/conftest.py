"""The main job as a user runs it: real commands in processes of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="session")
def knee_extensions(data_folder: Path) -> Path:
    """Thirty seated knee extensions of a real person, labelled by hand."""
    return data_folder / "uci_physical_therapy" / "s1_e1_test.npz"


@pytest.fixture
def altered(knee_extensions: Path, tmp_path: Path) -> Callable[..., Path]:
    """A copy of the recording in which some arrays are replaced, or that ends at a row."""

    def alter(*, rows: int | None = None, **arrays: np.ndarray) -> Path:
        with np.load(knee_extensions, allow_pickle=False) as recording:
            content = {name: recording[name] for name in recording.files} | arrays
        if rows is not None:
            content |= {name: content[name][:rows] for name in ("t", "acc", "gyr", "mag")}
        path = tmp_path / "altered.npz"
        np.savez(path, **content)
        return path

    return alter
