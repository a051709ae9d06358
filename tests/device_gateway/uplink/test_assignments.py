"""Which program is gone by when the clinic offers another."""

from __future__ import annotations

from importlib.resources import files

import pytest

from analytics.domain.program import Assignment
from analytics.exercises.catalogue import exercise
from device_gateway.conditions import Conditions
from device_gateway.errors import UnreachableError
from device_gateway.uplink.assignments import Assignments
from device_gateway.uplink.releases import Releases


class Office:
    """A clinic's answers, one at a time."""

    def __init__(self) -> None:
        self.offers: Assignment | None = None

    async def assignment(self, etag: str | None) -> tuple[Assignment, str | None] | None:
        if self.offers is None:
            raise UnreachableError("The clinic does not answer.")
        version = f'"{self.offers.program.version}"'
        return None if etag == version else (self.offers, version)


@pytest.fixture
def conditions() -> Conditions:
    return Conditions()


@pytest.fixture
def office(invented):
    class Written(Office):
        def write(self, version: int, **changes: object) -> Assignment:
            program = invented.program(version).model_copy(update=changes)
            self.offers = Assignment(patient_id="p1", patient_name="Test", program=program)
            return self.offers

    return Written()


@pytest.fixture
def assignments(gateway_store, office, conditions: Conditions) -> Assignments:
    return Assignments(gateway_store, office, conditions, exercise)


async def test_the_newest_counts_and_the_one_before_is_kept(assignments, office, gateway_store, conditions) -> None:
    first = office.write(1)
    assert await assignments.current() == first
    second = office.write(2)
    assert await assignments.current() == second
    assert await assignments.current() == second, "unchanged since"
    office.offers = None
    assert await assignments.current() == second, "without network"
    assert Assignment.model_validate_json(await gateway_store.setting("assignment_before")) == first
    assert conditions.now() == ()


async def test_an_older_program_is_not_gone_back_to(assignments, office, conditions) -> None:
    newer = office.write(5)
    await assignments.current()
    office.write(3)
    assert await assignments.current() == newer
    (told,) = conditions.now()
    assert (told.code, "version 3" in told.sentence, "version 5" in told.sentence) == ("program.refused", True, True)
    assert await assignments.current() == newer
    mended = office.write(6)
    assert (await assignments.current(), conditions.now()) == (mended, ())


async def test_an_exercise_that_is_not_known_here_is_said(assignments, office, conditions) -> None:
    known = office.write(1).program.prescriptions[0]
    odd = known.model_copy(update={"exercise": "elbow.flight"})
    asked = office.write(2, prescriptions=(known, odd))
    assert await assignments.current() == asked
    (told,) = conditions.now()
    assert told.code == "program.refused"
    assert "elbow.flight" in told.sentence
    office.write(3)
    await assignments.current()
    assert conditions.now() == ()


async def test_a_target_that_does_not_fit_its_exercise_is_said(assignments, office, conditions) -> None:
    known = office.write(1).program.prescriptions[0]
    swing = known.model_copy(update={"exercise": "shoulder.pendulum"})
    asked = office.write(2, prescriptions=(known, swing))
    assert await assignments.current() == asked, "the rest of it can be done"
    (told,) = conditions.now()
    assert told.code == "program.refused"
    assert "cannot ask for 70° of it: take that target out." in told.sentence
    fitting = swing.dose.model_copy(update={"target_excursion_deg": None})
    office.write(3, prescriptions=(known, swing.model_copy(update={"dose": fitting})))
    await assignments.current()
    assert conditions.now() == ()


async def test_a_clinics_own_exercise_comes_with_the_program_and_is_known_after_a_restart(
    gateway_store, office, conditions
) -> None:
    text = (files("analytics.exercises") / "knee" / "knee.squat.toml").read_text("utf-8")
    own = text.replace('code = "knee.squat"', 'code = "knee.squat.ours"').replace(
        'name = "Squat"', 'name = "Our squat"'
    )
    squat = office.write(1).program.prescriptions[0].model_copy(update={"exercise": "knee.squat.ours"})
    office.offers = office.write(2, prescriptions=(squat,)).model_copy(update={"exercises": {"knee.squat.ours": own}})
    releases = Releases(gateway_store, conditions)
    await Assignments(gateway_store, office, conditions, releases.exercise, releases.know).current()
    assert conditions.now() == ()
    again = Releases(gateway_store, conditions)
    await again.load()
    assert releases.exercise("knee.squat.ours").name == again.exercise("knee.squat.ours").name == "Our squat"
