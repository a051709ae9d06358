"""Reads one exercise from TOML, and says in a sentence what is wrong with it."""

from __future__ import annotations

import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from analytics.domain.exercise import Exercise


class ExerciseError(ValueError):
    """An exercise's file does not say what an exercise needs; `faults` has a sentence for each thing that is wrong."""

    def __init__(self, *faults: str) -> None:
        super().__init__(faults[0])
        self.faults = faults


def read_exercise(text: str, code: str, *, exactly: bool = False) -> Exercise:
    """Read one exercise. `code` is the file's name without its ending and must be the one inside.

    exactly: refuse fields that are not known. A gateway does not, since a later release may know more of them; whoever
    writes a file wants to hear of a slip. Raises ExerciseError.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ExerciseError(f"The exercise {code} is not valid TOML: {error}.") from error
    return understand(document, code, exactly=exactly)


def understand(document: dict[str, Any], code: str, *, exactly: bool = False) -> Exercise:
    """The same from what the TOML holds. Raises ExerciseError."""
    try:
        found = Exercise.model_validate(document, extra="forbid" if exactly else "ignore")
    except ValidationError as error:
        raise ExerciseError(*(f"The exercise {code}: {_fault(one)}." for one in error.errors())) from error
    if found.code != code:
        raise ExerciseError(f"The exercise in the file {code}.toml calls itself {found.code!r}; make the two the same.")
    return found


def read_file(path: Path) -> Exercise:
    """Read a file that somebody wrote, exactly. Raises ExerciseError, which names the file, and OSError."""
    return read_exercise(read_text(path), path.stem, exactly=True)


def read_text(path: Path) -> str:
    """What the file holds. Raises ExerciseError where that cannot be an exercise, and OSError."""
    if path.suffix != ".toml":
        raise ExerciseError(f"{path} does not end in .toml: name it after the exercise's code, as in CODE.toml.")
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ExerciseError(f"{path} is not UTF-8 text: save it as plain text.") from error


def _fault(error: ErrorDetails) -> str:
    """What is wrong with a field, and what is allowed there."""
    field = ".".join(str(part + 1) if isinstance(part, int) else part for part in error["loc"] if part != "[key]")
    match error["type"]:
        case "missing":
            return f"{field} is missing"
        case "extra_forbidden":
            return f"{field} is not a field of an exercise{_guess(error['loc'])}"
        case "value_error":
            return str(error["ctx"]["error"])
        case "enum" | "literal_error":
            allowed = error["ctx"]["expected"].replace(" or ", ", ").replace("'", "")
            return f"{field} is {error['input']!r}; allowed are {allowed}"
        case "string_pattern_mismatch":
            return f"{field} is {error['input']!r}; a code is lower-case words with dots between, as in knee.squat"
        case _:
            said = "" if isinstance(error["input"], (dict, list)) else f" is {error['input']!r}"
            return f"{field}{said}: {error['msg'][0].lower()}{error['msg'][1:]}"


def _guess(path: tuple[int | str, ...]) -> str:
    """The field that was probably meant, or those there are."""
    model: type[BaseModel] = Exercise
    for part in path[:-1]:
        inner = _model_of(model, str(part))
        model = inner or model
    near = get_close_matches(str(path[-1]), model.model_fields, n=1)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(model.model_fields)}"


def _model_of(model: type[BaseModel], field: str) -> type[BaseModel] | None:
    """The model that a field holds, alone, optionally or many times."""
    known = model.model_fields.get(field)
    if known is None:
        return None
    types = [known.annotation, *getattr(known.annotation, "__args__", ())]
    return next((one for one in types if isinstance(one, type) and issubclass(one, BaseModel)), None)
