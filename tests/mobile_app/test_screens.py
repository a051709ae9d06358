"""The screens in a real window, tapped through like a patient would."""

import asyncio
import json
import subprocess
import sys
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from patient_scenes import NOW, PASSWORD, SESSION, finished, movement, session_until, snapshot

from analytics.domain.check_in import RedFlag, Swelling
from analytics.domain.exercise import Exercise, Side
from analytics.domain.live import Command, Condition, ConditionsEvent, SessionState
from analytics.domain.program import Dose
from analytics.exercises import exercise
from mobile_app.account import MemoryTokens
from mobile_app.clients.clinic import Clinic
from mobile_app.clients.follow import Link
from mobile_app.phone import Phone
from mobile_app.store import Store
from mobile_app.theme import theme

LEAST_TARGET_DP = 48
DISK_FULL = "The disk of your gateway is full, so what you do is kept in its memory only. Please call your clinic."


@pytest.fixture
def look():
    yield theme
    theme.name, theme.text_scale = "light", 1.0


@asynccontextmanager
async def shown(folder, url, window):
    """The app's screens in the window, with their phone."""
    from mobile_app.app import build_screens  # noqa: PLC0415  opens the window

    store = Store.open(folder, now=datetime.now(UTC))
    async with Clinic(url, timeout_s=5) as clinic:
        phone = Phone(store, clinic, MemoryTokens(), now=lambda: datetime.now(UTC), random=Random(1))
        screens = build_screens(phone)
        window.add_widget(screens)
        phone.start()
        yield phone, screens
        window.remove_widget(screens)
        await phone.close()
    store.close()
    assert phone.tasks.failures == []


async def until_drawn(condition, seconds: float = 5.0) -> None:
    """Draw frames, and let tasks run between them, until something is so."""
    from window_driver import pump  # noqa: PLC0415

    async with asyncio.timeout(seconds):
        while not condition():
            pump(1)
            await asyncio.sleep(0.002)
        pump(3)


async def test_tapped_through_from_signing_in_to_sent(tmp_path, phone_window, real_clinic, home_gateway):
    from window_driver import pump, tap  # noqa: PLC0415

    real_clinic.put("gateway/presence", json.dumps(home_gateway.presence()))
    async with shown(tmp_path / "phone", real_clinic.url, phone_window) as (phone, screens):
        page = screens.get_screen("sign_in")
        await until_drawn(lambda: screens.size[0] == phone_window.width)
        page.ids.login.text, page.ids.password.text = "maria", "wrong"
        tap(page.ids.submit)
        await until_drawn(lambda: page.ids.message.text)
        page.ids.password.text = PASSWORD
        tap(page.ids.submit)

        await until_drawn(lambda: screens.current == "today" and phone.today.can_start)
        page = screens.current_screen
        assert page.ids.start.text == "Start"
        tap(page.ids.start)

        await until_drawn(lambda: phone.exercise.action == "start")
        page = screens.current_screen
        assert screens.current == "exercise"
        tap(page.ids.act)
        sheet = page.children[0]
        for _ in RedFlag:
            pump(5)
            tap(sheet.ids.first)
        for pain in (2, 1):
            pump(5)
            tap(sheet.ids.pain.buttons[pain])
        pump(5)
        tap(sheet.ids.third)
        await until_drawn(lambda: home_gateway.commands)
        (start,) = home_gateway.commands
        said = start.check_in
        assert (said.pain_now, said.pain_this_morning, said.swelling, said.red_flags) == (2, 1, Swelling.MORE, ())
        assert sheet.parent is None
        home_gateway.tell(*session_until(12))
        await until_drawn(lambda: phone.exercise.total == 12)
        assert (page.ids.repetitions.text, page.ids.set_words.text) == ("2", "Set 2 of 3")
        for event in movement(13, 0.45):
            home_gateway.tell(event)
            await asyncio.sleep(0.001)
        last = event.excursion_deg
        await until_drawn(lambda: phone.exercise.excursion_deg == last)
        assert page.ids.moved.text == f"{round(last)}°"
        assert page.ids.gauge.value == last
        assert page.ids.figure.excursion == event.excursion_deg
        assert page.ids.figure.phase == pytest.approx(event.excursion_deg / 82, abs=1e-3)  # drawn from 90° to 8°

        tap(page.ids.hurt)
        await until_drawn(lambda: home_gateway.commands[-1] == Command(command="hurts"))
        sheet = page.children[0]
        commands = len(home_gateway.commands)
        tap(page.ids.act)  # below the sheet: out of reach
        tap(sheet.ids.end)  # not before the question is answered
        tap(sheet.ids.pain.buttons[4])
        await until_drawn(lambda: home_gateway.commands[-1] == Command(command="hurts", pain=4))
        assert len(home_gateway.commands) == commands + 1
        tap(sheet.ids.end)
        await until_drawn(lambda: home_gateway.commands[-1] == Command(command="stop"))
        assert sheet.parent is None

        home_gateway.tell(finished(12))
        await until_drawn(lambda: screens.current == "after")
        page = screens.current_screen
        assert page.ids.did.text.startswith("You did 12 of 30 repetitions")
        assert page.ids.pain.value == 4  # already said
        assert page.ids.send.disabled
        tap(page.ids.effort.buttons[10])
        assert not page.ids.send.disabled
        tap(page.ids.send)
        await until_drawn(lambda: phone.after.stage == "sent")
        assert real_clinic.feedback() == [(4, 10)]
        tap(page.ids.send)  # now it says Done
        pump(3)
        assert screens.current == "today"


async def test_ending_early_asks_first(tmp_path, phone_window, real_clinic, home_gateway):
    from window_driver import tap  # noqa: PLC0415

    async with shown(tmp_path / "phone", real_clinic.url, phone_window) as (phone, screens):
        phone.exercise.hear_link(Link.CONNECTED, "")
        phone.exercise.hear(snapshot(SessionState.EXERCISING))
        phone.screen = "exercise"
        await until_drawn(lambda: screens.current == "exercise")
        page = screens.current_screen
        tap(page.ids.leave)
        assert phone.exercise.asking_end
        sheet = page.children[0]
        tap(sheet.ids.go_on)
        assert not phone.exercise.asking_end
        assert sheet.parent is None


def everything(widget):
    yield widget
    for child in widget.children:
        yield from everything(child)


@pytest.mark.parametrize(
    ("name", "text_scale", "code"),
    [
        ("light", 1.3, "knee.extension.seated"),
        ("dark", 1.0, "knee.extension.seated"),
        ("light", 1.3, "neck.retraction"),
        ("light", 1.3, "knee.wall_sit"),
    ],
)
async def test_targets_are_big_enough_and_text_is_inside(tmp_path, phone_window, look, name, text_scale, code):
    from kivy.uix.behaviors import ButtonBehavior  # noqa: PLC0415
    from kivy.uix.label import Label  # noqa: PLC0415

    look.name, look.text_scale = name, text_scale
    async with shown(tmp_path / "phone", "http://127.0.0.1:9", phone_window) as (phone, screens):
        fill(phone, exercise(code))
        for screen in ("sign_in", "today", "exercise", "after"):
            phone.screen = screen
            await until_drawn(lambda wanted=screen: screens.current == wanted)
            sheets = [screens.current_screen]
            if screen == "exercise":
                sheets += [screens.current_screen._hurt_sheet, screens.current_screen._end_sheet]
                sheets.append(screens.current_screen._check_in_sheet)
                for sheet in sheets[1:]:
                    screens.current_screen.add_widget(sheet)
                await until_drawn(lambda: True)
            for widget in (found for sheet in sheets for found in everything(sheet)):
                if isinstance(widget, ButtonBehavior) and widget.height > 0:
                    assert min(widget.size) >= LEAST_TARGET_DP, f"{screen}: {widget.text!r} is {widget.size}"
                if isinstance(widget, Label) and widget.text and widget.height > 0:
                    assert widget.texture_size[0] <= widget.width + 1, f"{screen}: {widget.text!r} is cut off"
                    assert widget.texture_size[1] <= widget.height + 1, f"{screen}: {widget.text!r} is cut off"
            for sheet in sheets[1:]:
                assert sheet.children[0].height <= phone_window.height, f"{sheet} does not fit"
                screens.current_screen.remove_widget(sheet)


def fill(phone: Phone, known: Exercise) -> None:
    """Every view model with something to say."""
    import patient_scenes as scenes  # noqa: PLC0415

    from mobile_app.store import SavedSession  # noqa: PLC0415

    phone.sign_in.message = "The login or the password is wrong; check both and try again."
    phone.today.greet("Maria Lindqvist", NOW)
    dose = Dose.model_validate(known.dose.model_dump())
    phone.today.show(scenes.assignment(exercise=known.code, dose=dose), NOW)
    phone.today.notice = "No network: this is the program as this phone last knew it."
    phone.today.ask_about(SESSION)
    phone.exercise.prepare(
        exercise=known.code,
        side=Side.RIGHT,
        dose=dose,
        limit_deg=75 if known.angle else None,
    )
    phone.exercise.hear_link(Link.CONNECTED, "")
    for event in scenes.session_of(known, Side.RIGHT, dose, 0.4):
        phone.exercise.hear(event)
    phone.exercise.hear(ConditionsEvent(conditions=(Condition(code="disk.full", sentence=DISK_FULL),)))
    phone.exercise.precautions_text = (
        "Do not move further than 60°. Wear your hinged brace, locked at 0°. Set by Dr Okafor."
    )
    phone.after.open(
        SavedSession(SESSION, scenes.report(28).repetitions, scenes.report(28)), scenes.DOSE, "knee", pain=1
    )


def test_pictures_are_made_of_every_screen(tmp_path, phone_window):
    script = Path(__file__).with_name("shots.py")
    command = [sys.executable, str(script), "--out", str(tmp_path), "--only", "exercise_reached"]
    subprocess.run(command, check=True, timeout=60)
    from PIL import Image  # noqa: PLC0415

    for name in ("light", "dark"):
        with Image.open(tmp_path / f"app-exercise-reached-{name}.png") as picture:
            colours = picture.convert("RGB").getcolors(maxcolors=2**24)
            assert picture.size == (412, 860)
            assert len(colours) > 500  # smooth edges of text and shapes: something was drawn
