"""A physiotherapist puts a file into the server's home: it travels with the program, and the pages call it by name."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from analytics.domain.program import Assignment, Dose, Prescription, Program
from analytics.exercises import exercise_among
from server.app import create_app
from server.exercises import Exercises
from server.programs import service as programs
from server.settings import Settings

SHIPPED = Path(__file__).parents[2] / "analytics" / "exercises"
TEXT = (
    (SHIPPED / "ankle" / "ankle.circles.toml")
    .read_text("utf-8")
    .replace("ankle.circles", "clinic.alphabet")
    .replace('name = "Ankle circles"', 'name = "Ankle alphabet"')
)


def put(api, **files: str) -> None:
    """Files of the server's home, which is then read as at its start."""
    clinic = api.app.state.clinic
    folder = clinic.settings.exercises_path
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"clinic.{name}.toml").write_text(text, "utf-8")
    api.app.state.clinic = replace(clinic, exercises=Exercises.read(folder))


async def prescribe(api, *codes: str) -> None:
    async with api.database.writing() as db:
        before = await programs.current_program(db, "p1")
        dose = Dose(sets=1, repetitions=5, target_excursion_deg=None)
        asked = tuple(Prescription(exercise=code, side="right", dose=dose) for code in codes)
        following = {"version": before.version + 1, "prescriptions": asked}
        await programs.add_version(db, Program.model_validate(before.model_dump() | following))


async def test_it_reaches_gateway_and_phone_with_the_program_that_asks_for_it(api) -> None:
    put(api, alphabet=TEXT, unused=TEXT.replace("alphabet", "unused"))
    await prescribe(api, "clinic.alphabet", "knee.squat")
    for path, who in (("gateway/assignment", "gateway"), ("me/assignment", "patient")):
        got = Assignment.model_validate((await api("GET", path, who)).json())
        assert got.exercises == {"clinic.alphabet": TEXT}
        assert exercise_among(got.exercises, "clinic.alphabet").name == "Ankle alphabet"
    other = Assignment.model_validate((await api("GET", "gateway/assignment", "other_gateway")).json())
    assert other.exercises == {}


async def test_a_gateway_hears_of_a_file_that_has_changed(api) -> None:
    put(api, alphabet=TEXT)
    await prescribe(api, "clinic.alphabet")
    known = {"If-None-Match": (await api("GET", "gateway/assignment", "gateway")).headers["etag"]}
    assert (await api("GET", "gateway/assignment", "gateway", headers=known)).status_code == 304
    put(api, alphabet=TEXT.replace("slow, large", "large"))
    assert (await api("GET", "gateway/assignment", "gateway", headers=known)).status_code == 200


def test_the_server_reads_its_home_at_start_and_a_bad_file_stops_nothing(tmp_path, caplog) -> None:
    settings = Settings(home=tmp_path)
    settings.exercises_path.mkdir()
    (settings.exercises_path / "clinic.alphabet.toml").write_text(TEXT, "utf-8")
    (settings.exercises_path / "clinic.bad.toml").write_text(TEXT.replace('"ankle"', '"toe"'), "utf-8")
    with caplog.at_level(logging.ERROR):
        exercises = create_app(settings).state.clinic.exercises
    assert exercises.name("clinic.alphabet") == "Ankle alphabet"
    assert exercises.name("clinic.bad") == "clinic.bad"
    assert exercises.name("knee.squat") == "Squat"
    (told,) = caplog.messages
    assert "clinic.bad.toml" in told
    assert "joint is 'toe'; allowed are" in told
