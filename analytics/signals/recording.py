"""Recordings of worn sensors (.npz), read into one form whoever made them."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from .recording_checks import RecordingError, check_sensors, sampling_rate_hz
from .samples import FloatArray

__all__ = ["Recording", "RecordingError", "load_recording"]

# Names that data sets give their units, and the body segment that wears them (values of analytics.domain Segment).
# UCI Physical Therapy names a unit by the joint it hangs above: `right_knee` is on the right thigh.
_UCI_UNITS = {
    "chest": "chest",
    "left_knee": "left_thigh",
    "right_knee": "right_thigh",
    "left_ankle": "left_shank",
    "right_ankle": "right_shank",
}
_CMU_SENSORS = {
    "Chest": "chest",
    "Pelvis": "pelvis",
    "LeftThigh": "left_thigh",
    "RightThigh": "right_thigh",
    "LeftShank": "left_shank",
    "RightShank": "right_shank",
}
_FORMS: tuple[tuple[str, Mapping[str, str]], ...] = (("units", _UCI_UNITS), ("sensors", _CMU_SENSORS))


@dataclass(frozen=True, slots=True)
class Recording:
    """What sensors on a body measured together, evenly in time.

    time_s: (n,) seconds, rising. sensors: body segment to (specific force [m/s²] (n, 3), angular rate [rad/s] (n, 3)).
    """

    name: str
    rate_hz: float
    time_s: FloatArray
    sensors: dict[str, tuple[FloatArray, FloatArray]]

    def cut(self, start_s: float, end_s: float) -> Recording:
        """The part with start_s <= time < end_s, its times unchanged. Raises RecordingError where nothing is left."""
        first, last = np.searchsorted(self.time_s, [start_s, end_s])
        if last - first < 2:
            raise RecordingError(
                f"{self.name} has no samples from {start_s:g} s to {end_s:g} s; "
                f"it runs from {self.time_s[0]:g} s to {self.time_s[-1]:g} s."
            )
        sensors = {segment: (acc[first:last], gyr[first:last]) for segment, (acc, gyr) in self.sensors.items()}
        return replace(self, time_s=self.time_s[first:last], sensors=sensors)


def load_recording(path: Path) -> Recording:
    """Read a recording in the form of UCI Physical Therapy or of CMU exercises.

    Raises RecordingError, one sentence that says what to do, for everything that is not a playable recording.
    """
    arrays = _read_arrays(path)
    placements = _placements(path.name, arrays)
    try:
        time_s, acc, gyr = (np.asarray(arrays[key], dtype=np.float64) for key in ("t", "acc", "gyr"))
    except KeyError as error:
        raise RecordingError(f"{path.name} has no array {error}; a recording needs t, acc and gyr.") from error
    except (TypeError, ValueError) as error:
        raise RecordingError(f"{path.name} holds t, acc or gyr that are not numbers; export it again.") from error
    shape = (len(time_s) if time_s.ndim == 1 else -1, len(placements), 3)
    if acc.shape != shape or gyr.shape != shape:
        raise RecordingError(
            f"{path.name} holds arrays that do not fit each other (t {time_s.shape}, acc {acc.shape}, "
            f"gyr {gyr.shape}, {len(placements)} sensors); export it again."
        )
    rate_hz = sampling_rate_hz(path.name, time_s)
    worn = {segment: (acc[:, i], gyr[:, i]) for i, segment in enumerate(placements) if segment is not None}
    check_sensors(path.name, time_s, worn)
    return Recording(path.stem, rate_hz, time_s, worn)


def _read_arrays(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise RecordingError(f"{path.name} holds a single array; give a recording saved as .npz.")
            return {name: archive[name] for name in ("meta", "t", "acc", "gyr") if name in archive.files}
    except FileNotFoundError as error:
        raise RecordingError(f"There is no recording at {path}; check the name.") from error
    except IsADirectoryError as error:
        raise RecordingError(f"{path} is a folder; name one of the recordings (.npz) in it.") from error
    except RecordingError:
        raise
    except (ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise RecordingError(f"{path.name} is truncated or is no .npz file; copy or export it again.") from error


def _placements(name: str, arrays: Mapping[str, Any]) -> list[str | None]:
    """Which segment wears each sensor of axis 1; None for those that Sinew does not use."""
    try:
        meta = json.loads(str(arrays["meta"]))
        for key, segments in _FORMS:
            if key in meta:
                return [segments.get(str(unit)) for unit in meta[key]]
    except (KeyError, TypeError, json.JSONDecodeError):
        pass
    raise RecordingError(
        f"{name} is of a form that Sinew does not know; it plays recordings whose `meta` names its units "
        f"(UCI Physical Therapy) or sensors (CMU exercises)."
    )
