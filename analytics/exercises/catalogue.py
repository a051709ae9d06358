"""The exercises that ship with the program: one TOML file each, in a folder for each joint beside this module."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from types import MappingProxyType

from analytics.domain.exercise import Exercise

from .reading import ExerciseError, read_exercise

__all__ = ["ExerciseError", "UnknownExercise", "catalogue", "exercise", "read_exercise"]


class UnknownExercise(KeyError):  # noqa: N818 - read at its raise, it says what is the matter
    """No exercise of that code is in the catalogue."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    def __str__(self) -> str:
        near = get_close_matches(self.code, _read_all(), n=3)
        return f"The exercise {self.code!r} is not in the catalogue{'; there is ' if near else ''}{', '.join(near)}."


@cache
def _read_all() -> MappingProxyType[str, Exercise]:
    found = (read_exercise(f.read_text("utf-8"), f.name.removesuffix(".toml")) for f in _files())
    return MappingProxyType({one.code: one for one in found})


def _files() -> Iterator[Traversable]:
    folders = sorted((f for f in resources.files(__package__).iterdir() if f.is_dir()), key=lambda f: f.name)
    for folder in folders:
        yield from sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)


def catalogue() -> dict[str, Exercise]:
    """All exercises by code, joint by joint."""
    return dict(_read_all())


def exercise(code: str) -> Exercise:
    """One exercise. Raises UnknownExercise, a KeyError, which names the known ones."""
    try:
        return _read_all()[code]
    except KeyError:
        raise UnknownExercise(code) from None
