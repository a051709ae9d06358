"""The exercises that ship with the program: one TOML file each, in a folder for each joint beside this module."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache, lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from types import MappingProxyType

from analytics.domain.exercise import Exercise

from .reading import ExerciseError, read_exercise

__all__ = ["ExerciseError", "UnknownExercise", "catalogue", "exercise", "exercise_among", "read_exercise"]


class UnknownExercise(KeyError):  # noqa: N818 - read at its raise, it says what is the matter
    """No exercise of that code is known here, or its text is not understood: `why` then says what is wrong with it."""

    def __init__(self, code: str, why: str = "") -> None:
        super().__init__(code)
        self.code = code
        self._why = why

    def __str__(self) -> str:
        near = [] if self._why else get_close_matches(self.code, _read_all(), n=3)
        unknown = f"The exercise {self.code!r} is not in the catalogue{'; there is ' if near else ''}{', '.join(near)}."
        return self._why or unknown


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
    return exercise_among({}, code)


def exercise_among(own: Mapping[str, str], code: str) -> Exercise:
    """One that ships, else one of a clinic's own, given as TOML by code.

    Raises UnknownExercise, also where this release does not understand the clinic's text: then it says which field.
    """
    if (shipped := _read_all().get(code)) is not None:
        return shipped
    if (text := own.get(code)) is None:
        raise UnknownExercise(code)
    return _understood(text, code)


@lru_cache(maxsize=64)
def _understood(text: str, code: str) -> Exercise:
    try:
        return read_exercise(text, code)
    except ExerciseError as error:
        raise UnknownExercise(code, str(error)) from error
