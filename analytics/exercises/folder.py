"""A clinic's own exercises: the TOML files of one folder, each as good as those that ship."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .catalogue import catalogue
from .reading import ExerciseError, read_exercise, read_text


@dataclass(frozen=True, slots=True)
class OwnExercises:
    """`texts`: the files that are well described, by code. `faults`: a sentence for each thing that is wrong with any
    other, which is left out."""

    texts: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[str, ...] = ()


def read_folder(folder: Path) -> OwnExercises:
    """Read every `CODE.toml`; a folder that is not there holds none. Each fault names its file, and the field."""
    texts: dict[str, str] = {}
    faults: list[str] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            texts[path.stem] = _well_described(path)
        except ExerciseError as error:
            faults += [f"{path}: {fault}" for fault in error.faults]
        except OSError as error:
            faults.append(f"{path} cannot be read ({error.strerror}): make it readable.")
    return OwnExercises(texts, tuple(faults))


def _well_described(path: Path) -> str:
    text = read_text(path)
    read_exercise(text, path.stem, exactly=True)
    if path.stem in catalogue():
        raise ExerciseError(
            f"{path.stem} is the code of an exercise that comes with the program: give yours a code of its own."
        )
    return text
