# mypy: allow-subclassing-any
"""Today: what is due, in plain words, and one button."""

from __future__ import annotations

from collections.abc import Container, Mapping
from datetime import datetime
from uuid import UUID

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, ListProperty, NumericProperty, ObjectProperty, StringProperty

from analytics.domain.exercise import Exercise, Side
from analytics.domain.program import Assignment, Dose, Prescription, Program
from analytics.exercises import UnknownExercise, exercise_among
from analytics.safety.today import dose_today
from mobile_app import words


def due(program: Program, done: Container[tuple[str, Side]]) -> Prescription:
    """The first exercise that is not done yet; the first of all where every one is. As the gateway has it."""
    return next((p for p in program.prescriptions if (p.exercise, p.side) not in done), program.prescriptions[0])


class TodayViewModel(EventDispatcher):
    greeting = StringProperty("")
    name = StringProperty("")
    day = StringProperty("")
    title = StringProperty("", doc="name of the exercise that comes first")
    joint = StringProperty("")
    sets = NumericProperty(0)
    repetitions = NumericProperty(0)
    third = ListProperty(
        ["", ""], doc="a figure beside sets and repetitions, and what it is: how far, or how long to hold"
    )
    exercise = ObjectProperty(None, allownone=True, doc="of the catalogue; None for one that this app does not know")
    side = ObjectProperty(Side.RIGHT)
    minutes = NumericProperty(0)
    also = ListProperty([], doc="further exercises of the program, a line each")
    instructions = ListProperty([])
    restrictions = ListProperty([])
    program = StringProperty("", doc="who approved it, and the reason that the patient may know")
    notice = StringProperty("", doc="what is not as it should be, and what that means")
    waiting = StringProperty("", doc="what is still to be sent")
    can_start = BooleanProperty(False)
    unrated_session = ObjectProperty(None, allownone=True)

    def greet(self, name: str, now: datetime) -> None:
        """`now` is in the patient's own time zone."""
        self.name, self.greeting, self.day = name, words.greeting(now.hour), words.day_in_words(now.date())

    def show(self, assignment: Assignment, now: datetime, done: Container[tuple[str, Side]] = ()) -> None:
        """`done` are exercise and side of what was done today already: what comes first is the first that is not."""
        program = assignment.program
        first = due(program, done)
        others = [prescription for prescription in program.prescriptions if prescription is not first]
        self.notice = ""
        self._show_first(first, dose_today(first, program.restrictions, now.date()), assignment.exercises)
        self.also = [
            f"{_name(other, assignment.exercises)}: {other.dose.sets} × {other.dose.repetitions}" for other in others
        ]
        self.minutes = words.about_minutes(program.prescriptions)
        said = (words.restriction_in_words(restriction, now.date()) for restriction in program.restrictions)
        self.restrictions = [sentence for sentence in said if sentence is not None]
        self.program = f"Program {program.version}, approved by {program.approved_by}."

    def _show_first(self, prescription: Prescription, dose: Dose, own: Mapping[str, str]) -> None:
        self.sets, self.repetitions, self.side = dose.sets, dose.repetitions, prescription.side
        self.third = ["", ""]
        try:
            known = exercise_among(own, prescription.exercise)
        except UnknownExercise:
            self.exercise, self.title, self.joint, self.instructions = None, "A new exercise", "", []
            self.notice = "Your program has an exercise that this version of the app does not know. Update the app."
            self.can_start = False
            return
        self.exercise, self.title = known, known.name
        self.third = _third(known, dose)
        self.joint = words.joint_in_words(prescription.side, known.joint)
        self.instructions = [known.position, *known.instructions]
        self.can_start = True

    def ask_about(self, session_id: UUID | None) -> None:
        self.unrated_session = session_id


def _third(exercise: Exercise, dose: Dose) -> list[str]:
    if dose.target_excursion_deg is not None:
        return [f"{round(dose.target_excursion_deg)}°", "to move"]
    return [f"{exercise.repetition.hold_s:g} s", "to hold"] if exercise.repetition.hold_s else ["", ""]


def _name(prescription: Prescription, own: Mapping[str, str]) -> str:
    try:
        return exercise_among(own, prescription.exercise).name
    except UnknownExercise:
        return "A new exercise"
