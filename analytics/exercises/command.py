"""`sinew exercises`: list the catalogue, check a file that somebody wrote, draw an exercise."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from analytics.domain.exercise import Exercise, Side

from .catalogue import UnknownExercise, catalogue, exercise
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
    for path in options.files:
        found = read_file(path)
        known = "; it takes the place of the one that comes with the program" if found.code in catalogue() else ""
        print(f"{path}: {found.name} is well described{known}.")
    return 0


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
    check.add_argument("files", metavar="FILE", nargs="+", type=Path, help="CODE.toml")
    draw = what.add_parser("draw", help="write an exercise's picture")
    draw.add_argument("exercise", metavar="EXERCISE", help="a code of the catalogue, or a file")
    draw.add_argument("picture", metavar="PICTURE", type=Path, help="where to, as in knee.svg")
    draw.add_argument("--side", type=Side, choices=list(Side), default=Side.RIGHT, help="the side that exercises")
    return parser
