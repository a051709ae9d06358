"""Reads the exercises that ship with the program from the TOML files beside this module."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from types import MappingProxyType

from pydantic import ValidationError

from analytics.domain.exercise import Exercise


class ExerciseError(ValueError):
    """An exercise's file does not say what an exercise needs."""


class UnknownExercise(KeyError):  # noqa: N818 - read at its raise, it says what is the matter
    """No exercise of that code is in the catalogue."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    def __str__(self) -> str:
        known = ", ".join(sorted(_read_all()))
        return f"The exercise {self.code!r} is not in the catalogue; known are: {known}."


def read_exercise(text: str, code: str) -> Exercise:
    """Read one exercise from TOML. `code` is the file's name without its ending and must be the one inside.

    Raises ExerciseError with one sentence that names the field at fault.
    """
    try:
        found = Exercise.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ExerciseError(f"The exercise {code} is not valid TOML: {error}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise ExerciseError(f"The exercise {code} has a fault at {field!r}: {first['msg']}.") from error
    if found.code != code:
        raise ExerciseError(f"The exercise in the file {code}.toml calls itself {found.code!r}; make the two the same.")
    return found


@cache
def _read_all() -> MappingProxyType[str, Exercise]:
    folder = resources.files(__package__)
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    found = (read_exercise(f.read_text("utf-8"), f.name.removesuffix(".toml")) for f in files)
    return MappingProxyType({one.code: one for one in found})


def catalogue() -> dict[str, Exercise]:
    """All exercises by code."""
    return dict(_read_all())


def exercise(code: str) -> Exercise:
    """One exercise. Raises UnknownExercise, a KeyError, which names the known ones."""
    try:
        return _read_all()[code]
    except KeyError:
        raise UnknownExercise(code) from None
