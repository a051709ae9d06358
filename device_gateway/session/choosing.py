"""Before a session: what there is to do today, and making ready the exercise that is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from analytics.domain.base import uuid7
from analytics.domain.exercise import Segment
from analytics.domain.live import Choice, Command
from analytics.domain.program import Assignment, Prescription, Program
from analytics.domain.session import SessionOpening
from analytics.exercises.catalogue import UnknownExercise
from analytics.safety.envelope import restricted_to
from analytics.safety.fitting import misfit
from analytics.safety.precautions import precautions
from analytics.safety.session import NOTHING_STANDS, Standing
from analytics.safety.today import dose_today
from device_gateway.conditions import Conditions, Trouble
from device_gateway.errors import GatewayError
from device_gateway.live.hub import LiveHub

from .earlier import EarlierSessions, knows
from .exercise_session import ExerciseSession
from .library import SHIPPED, Library
from .scoring import exercise_session
from .wearing import Direction, too_few, wearing

NO_WARNING = "Nothing warns you when you go too far: these sensors tell no angle of this exercise."


def choices(
    program: Program, earlier: EarlierSessions, day: date, library: Library, restricted_on: date | None = None
) -> tuple[Choice, ...]:
    """Today's exercises, what is still to be done first; what this gateway cannot do is left out.

    `restricted_on`: the day by which restrictions hold, where it is not `day`; see `day_of_restrictions`.
    """
    found = []
    for prescription in program.prescriptions:
        if not knows(library, prescription.exercise):
            continue
        found.append(
            Choice(
                exercise=prescription.exercise,
                exercise_name=library.exercise(prescription.exercise).name,
                side=prescription.side,
                dose=dose_today(prescription, program.restrictions, restricted_on or day),
                done_today=(prescription.exercise, prescription.side) in earlier.done_on(day),
            )
        )
    return tuple(sorted(found, key=lambda choice: choice.done_today))


def day_of_restrictions(day: date, conditions: Conditions) -> date:
    """The day for `Restriction.in_force`. While the calendar is known to be wrong nothing has run out: all hold."""
    wrong = any(condition.code == Trouble.CLOCK_WRONG for condition in conditions.now())
    return date.min if wrong else day


def chosen(program: Program, command: Command, earlier: EarlierSessions, day: date, library: Library) -> Prescription:
    """What a `start` asks for, by default what is due. Raises GatewayError for what is not prescribed."""
    if command.exercise is None:
        return earlier.due(program, day, library)
    for prescription in program.prescriptions:
        if prescription.exercise == command.exercise and command.side in {None, prescription.side}:
            return prescription
    raise GatewayError("That exercise is not in your program: choose one that is.")


def prepare(
    assignment: Assignment,
    prescription: Prescription,
    sensors: Mapping[str, Segment],
    *,
    started_at: datetime,
    hub: LiveHub,
    simulated: bool,
    library: Library = SHIPPED,
    guided: bool = False,
    restricted_on: date | None = None,
    standing: Standing = NOTHING_STANDS,
    refused: bool = False,
    last_up: Mapping[Segment, Direction] | None = None,
) -> ExerciseSession:
    """The session of one exercise. Raises GatewayError where this gateway or its sensors cannot do it, or where what is
    asked for does not fit it.

    refused: by what was just answered. It begins only to be reported, and needs no sensors for that.
    last_up: see `Wearing`.
    """
    try:
        prescribed = library.exercise(prescription.exercise)
    except UnknownExercise as unknown:
        raise GatewayError(f"The program asks for what this gateway cannot do: {unknown} Update it.") from unknown
    if fault := misfit(prescription, prescribed):
        raise GatewayError(f"{fault} Tell your physiotherapist.")
    worn = tuple(sensors.values())
    if prescribed.layout(worn, prescription.side) is None and not refused:
        raise GatewayError(too_few(prescribed, prescription.side, worn, simulated=simulated))
    opening = SessionOpening(
        id=uuid7(),
        patient_id=assignment.patient_id,
        program_version=assignment.program.version,
        exercise=prescribed.code,
        side=prescription.side,
        started_at=started_at,
    )
    today = restricted_on or started_at.astimezone().date()  # the patient's day, as on the phone
    restrictions = assignment.program.restrictions
    limit_deg = restricted_to(prescription, restrictions, today)
    said = precautions(prescription, restrictions, today)
    if limit_deg is not None and not wearing(prescribed, prescription.side, worn).has_angle:
        said = (*said, NO_WARNING)
    return exercise_session(
        opening,
        dose_today(prescription, restrictions, today),
        limit_deg,
        hub,
        guided=guided,
        precautions=said,
        library=library,
        standing=standing,
        worn=worn,
        rest_pose_deg=prescription.rest_pose_deg,
        last_up=last_up,
    )
