"""Finds recordings by their form, not by their name, so that `sinew evaluate` runs on data that nobody here has seen.

The forms are arrays in SI units with a JSON `meta` beside them, in .npz files. docs/motion.md lists them.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.signals.recording import RecordingError
from analytics.signals.samples import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Arrays:
    """One recording as it was stored: its arrays by name, and what its `meta` says."""

    path: Path
    meta: dict[str, Any]
    arrays: dict[str, NDArray[Any]]

    @property
    def name(self) -> str:
        return self.path.stem

    def __contains__(self, key: str) -> bool:
        return key in self.arrays

    def numbers(self, key: str) -> FloatArray:
        """An array as float64. Raises RecordingError where it is not there or holds no numbers."""
        try:
            return np.asarray(self.arrays[key], dtype=np.float64)
        except KeyError:
            raise RecordingError(f"{self.path.name} has no array '{key}'; export it again.") from None
        except (TypeError, ValueError):
            raise RecordingError(f"{self.path.name} holds no numbers in '{key}'; export it again.") from None


def recordings_with(folder: Path, *needed: str) -> list[Arrays]:
    """All recordings in the folder and below that hold all of the needed arrays, by path; others are passed over.

    Raises RecordingError where there is no such folder, no such recording, or a damaged one.
    """
    if not folder.is_dir():
        raise RecordingError(f"There is no folder {folder}; name one that holds recordings (.npz).")
    found = [one for path in sorted(folder.rglob("*.npz")) if (one := _read(path, needed)) is not None]
    if not found:
        raise RecordingError(f"No recording below {folder} holds {_listed(needed)}; name another folder.")
    return found


def _read(path: Path, needed: Iterable[str]) -> Arrays | None:
    try:
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                return None
            if not set(needed) <= set(archive.files):
                return None
            arrays = {name: archive[name] for name in archive.files}
        meta = json.loads(str(arrays.pop("meta", "{}")))
    except (ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise RecordingError(f"{path.name} is truncated or is no .npz file; copy or export it again.") from error
    return Arrays(path, meta if isinstance(meta, dict) else {}, arrays)


def _listed(names: Iterable[str]) -> str:
    *first, last = (f"'{name}'" for name in names)
    return f"{', '.join(first)} and {last}" if first else last
