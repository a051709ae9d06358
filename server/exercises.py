"""The exercises a clinic knows: those of the program, and its own from the folder `exercises` in the server's home."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from analytics.domain.exercise import Exercise
from analytics.domain.program import Program
from analytics.exercises import UnknownExercise, exercise_among
from analytics.exercises.folder import read_folder

log = logging.getLogger(__name__)


class Exercises:
    """Read once, when the server starts. `own`: TOML by code."""

    def __init__(self, own: Mapping[str, str] | None = None) -> None:
        self._own = dict(own or {})

    @classmethod
    def read(cls, folder: Path) -> Exercises:
        """What is wrong with a file goes to the log, and everything else works on without it."""
        found = read_folder(folder)
        for fault in found.faults:
            log.error("An exercise of this clinic is left out. %s", fault)
        return cls(found.texts)

    def find(self, code: str) -> Exercise | None:
        """None for one that only a newer release knows, or whose file is gone."""
        try:
            return exercise_among(self._own, code)
        except UnknownExercise:
            return None

    def name(self, code: str) -> str:
        """What people call it; the code for one that is not known here."""
        known = self.find(code)
        return code if known is None else known.name

    def asked_by(self, program: Program) -> dict[str, str]:
        """The clinic's own that the program asks for, to travel with it."""
        codes = {prescription.exercise for prescription in program.prescriptions}
        return {code: text for code, text in self._own.items() if code in codes}
