"""`sinew exercises`: list the catalogue, check what somebody wrote, draw an exercise."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from analytics.domain.exercise import Exercise, Side

from .catalogue import UnknownExercise, catalogue, exercise, exercise_among
from .folder import read_folder
from .reading import ExerciseError, read_file
from .svg import svg


def main(argv: list[str]) -> int:
    """Arguments after `sinew exercises`. Answers 0 when all is well, 1 with what is wrong printed."""
    options = _parser().parse_args(argv)
    try:
        return {"list": _list, "check": _check, "draw": _draw}[options.what](options)
    except ExerciseError as error:
        print(*error.faults, sep="\n", file=sys.stderr)
    except (UnknownExercise, OSError) as error:
        print(error, file=sys.stderr)
    return 1


def _list(_options: argparse.Namespace) -> int:
    for one in catalogue().values():
        print(f"{one.code:36} {one.name}")
    return 0


def _check(options: argparse.Namespace) -> int:
    return max([_check_folder(path) if path.is_dir() else _check_file(path) for path in options.files])


def _check_file(path: Path) -> int:
    found = read_file(path)
    known = "; signed as a release, it takes the place of the one that comes with the program"
    print(f"{path}: {found.name} is well described{known if found.code in catalogue() else ''}.")
    return 0


def _check_folder(folder: Path) -> int:
    """As the server reads it."""
    own = read_folder(folder)
    for code in own.texts:
        print(f"{folder / code}.toml: {exercise_among(own.texts, code).name} is well described.")
    print(*own.faults, sep="\n", end="\n" if own.faults else "", file=sys.stderr)
    return 1 if own.faults else 0


def _draw(options: argparse.Namespace) -> int:
    options.picture.write_text(svg(_named(options.exercise), options.side), "utf-8")
    print(options.picture)
    return 0


def _named(name: str) -> Exercise:
    """One of the catalogue, or from a file."""
    return read_file(Path(name)) if name.endswith(".toml") else exercise(name)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sinew exercises", description=__doc__)
    what = parser.add_subparsers(dest="what", required=True)
    what.add_parser("list", help="codes and names of the catalogue")
    check = what.add_parser("check", help="say what is wrong in an exercise's file, or that nothing is")
    check.add_argument("files", metavar="FILE", nargs="+", type=Path, help="CODE.toml, or a folder of such files")
    draw = what.add_parser("draw", help="write an exercise's picture")
    draw.add_argument("exercise", metavar="EXERCISE", help="a code of the catalogue, or a file")
    draw.add_argument("picture", metavar="PICTURE", type=Path, help="where to, as in knee.svg")
    draw.add_argument("--side", type=Side, choices=list(Side), default=Side.RIGHT, help="the side that exercises")
    return parser
