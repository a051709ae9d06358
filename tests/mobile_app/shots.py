"""Pictures of every screen, light and dark: `python tests/mobile_app/shots.py --out DIR`.

Drawn in an offscreen window (SDL with Mesa) from the app's view models, fed with the events of one invented session.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parent))

from mobile_app.environment import open_window, prepare


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--text-scale", type=float, default=1.0)
    parser.add_argument("--only", default="", help="a part of the pictures' names")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder), offscreen=True)
        if not open_window():
            sys.exit("no window: install libegl1 and libgl1-mesa-dri to draw without a screen")
        asyncio.run(shoot(Path(folder), arguments.out, arguments.text_scale, arguments.only))


async def shoot(folder: Path, out: Path, text_scale: float, only: str) -> None:
    import patient_scenes as scenes  # noqa: PLC0415
    from kivy.core.window import Window  # noqa: PLC0415
    from window_driver import pump, save_picture  # noqa: PLC0415

    from analytics.domain.exercise import Side  # noqa: PLC0415
    from analytics.domain.live import (  # noqa: PLC0415
        Condition,
        ConditionsEvent,
        CueLevel,
        SensorEvent,
        SessionState,
        StateEvent,
    )
    from analytics.domain.program import Dose  # noqa: PLC0415
    from analytics.exercises import exercise  # noqa: PLC0415
    from mobile_app import words  # noqa: PLC0415
    from mobile_app.account import Account, MemoryTokens  # noqa: PLC0415
    from mobile_app.app import build_screens  # noqa: PLC0415
    from mobile_app.clients.clinic import Clinic  # noqa: PLC0415
    from mobile_app.clients.follow import Link  # noqa: PLC0415
    from mobile_app.phone import Phone  # noqa: PLC0415
    from mobile_app.store import SavedSession, Store  # noqa: PLC0415
    from mobile_app.theme import theme  # noqa: PLC0415

    store = Store.open(folder, now=scenes.NOW)
    phone = Phone(store, Clinic("http://127.0.0.1:9"), MemoryTokens(), now=lambda: scenes.NOW, random=Random(1))
    account = Account(patient_id=scenes.PATIENT, name="Maria Lindqvist", token="")
    assignment = scenes.assignment()
    sent: list[object] = []
    phone.exercise._send = sent.append

    def sign_in() -> None:
        phone.screen = "sign_in"

    def wrong_password() -> None:
        phone.sign_in.login, phone.sign_in.password = "maria", "secret"
        phone.sign_in.message = "The login or the password is not right. Please try again."
        sign_in()

    def today() -> None:
        phone.today.greet(account.name, scenes.NOW)
        phone.today.show(assignment, scenes.NOW)
        phone.screen = "today"

    def today_offline() -> None:
        today()
        phone.today.notice = "No network: this is the program as this phone last knew it."
        phone.today.waiting = "1 answer saved on this phone, will be sent when the network is back."
        phone.today.ask_about(scenes.SESSION)

    def today_empty() -> None:
        phone.today.waiting, phone.today.can_start, phone.today.sets = "", False, 0
        phone.today.instructions, phone.today.restrictions, phone.today.title = [], [], ""
        phone.today.program = ""
        phone.today.ask_about(None)
        phone.today.notice = "Your clinic cannot be reached. Check the phone's network, then try again."
        phone.screen = "today"

    def prepared() -> None:
        today()
        phone.today.waiting = ""
        phone.today.ask_about(None)
        prepare_for("knee.extension.seated", Side.RIGHT, assignment.program.prescriptions[0].dose, 75)

    def prepare_for(code: str, side: Side, dose: Dose, limit_deg: float | None = None) -> None:
        phone.exercise.prepare(
            exercise=code, side=side, dose=dose, limit_deg=limit_deg, precautions=phone.today.restrictions
        )
        phone.exercise.hear_link(Link.CONNECTED, "")
        phone.screen = "exercise"

    def doing(code: str, side: Side = Side.RIGHT, share: float = 0.8) -> None:
        """In mid-session, the joint at that share of its target; one without an angle at its fifth repetition."""
        known = exercise(code)
        dose = Dose(**known.dose.model_dump())
        prepare_for(code, side, dose)
        phone.exercise.hear_link(Link.CONNECTED, "")
        for event in scenes.session_of(known, side, dose, share):
            phone.exercise.hear(event)
        phone.screen = "exercise"

    def today_of(code: str) -> None:
        dose = Dose(**exercise(code).dose.model_dump())
        phone.today.greet(account.name, scenes.NOW)
        phone.today.show(scenes.assignment(exercise=code, dose=dose, limit=False), scenes.NOW)
        phone.screen = "today"

    def ready() -> None:
        prepared()
        phone.exercise.hear(scenes.snapshot(SessionState.IDLE, session=None))

    def asked(answers: int = 0, option: str = "No") -> None:
        ready()
        phone.exercise.check_in.begin()
        for _ in range(answers):
            phone.exercise.check_in.choose(option)

    def asked_pain() -> None:
        asked(answers=4)

    def refused() -> None:
        asked(answers=1, option="Yes")

    def refused_unheard() -> None:
        refused()
        phone.exercise.could_not_send(words.HEARD_LATER)

    def connecting() -> None:
        prepared()
        phone.exercise.hear(scenes.snapshot(SessionState.CONNECTING))

    def condition(state: Callable[[], None]) -> None:
        state()
        sentence = "Bluetooth is switched off on your gateway, so it cannot hear your sensors: switch it on again."
        told = (Condition(code="bluetooth.off", sentence=sentence),)
        phone.exercise.hear(ConditionsEvent(conditions=told))

    def condition_ready() -> None:
        condition(ready)

    def resting() -> None:
        exercising()
        phone.exercise.hear(StateEvent(state=SessionState.RESTING, set_number=2, rest_s=42.0))

    def exercising(share: float = 0.32) -> None:
        prepared()
        for event in scenes.session_until(16, share=share):
            phone.exercise.hear(event)

    def calibrating() -> None:
        prepared()
        phone.exercise.hear(scenes.snapshot(SessionState.CALIBRATING))

    def reached() -> None:
        exercising(0.5)
        phone.exercise.hear(scenes.cue("Good. That is your full range.", CueLevel.GOOD))

    def slower() -> None:
        exercising(0.2)
        phone.exercise.hear(scenes.cue("A little slower.", CueLevel.WARN))

    def silent() -> None:
        exercising()
        phone.exercise.hear(SensorEvent(sequence=0, sensor=scenes.sensors(shank=False)[1]))

    def unreachable() -> None:
        exercising()
        phone.exercise.hear_link(
            Link.UNREACHABLE,
            "Your gateway does not answer. Check that it has power and that this phone is in your home's network.",
        )

    def hurts() -> None:
        exercising()
        phone.exercise.it_hurts()

    def hurts_rated() -> None:
        hurts()
        screens.get_screen("exercise")._hurt_sheet.ids.pain.buttons[4].dispatch("on_release")

    def ending() -> None:
        exercising()
        phone.exercise.leave()

    def after() -> None:
        prepared()
        report = scenes.report(28)
        phone.after.open(
            SavedSession(scenes.SESSION, report.repetitions, report),
            assignment.program.prescriptions[0].dose,
            "right knee",
            pain=None,
        )
        phone.screen = "after"

    def answered() -> None:
        after()
        phone.after.pain, phone.after.effort = 2, 6

    def waiting() -> None:
        answered()
        phone.after._on_feedback = lambda feedback: None
        phone.after.send()

    def sent_() -> None:
        waiting()
        phone.after.sent()

    stages: dict[str, Callable[[], None]] = {
        "sign_in": sign_in,
        "sign_in_wrong": wrong_password,
        "today": today,
        "today_offline": today_offline,
        "today_empty": today_empty,
        "exercise_ready": ready,
        "exercise_asked": asked,
        "exercise_asked_pain": asked_pain,
        "exercise_refused": refused,
        "exercise_refused_unheard": refused_unheard,
        "exercise_connecting": connecting,
        "exercise_condition": lambda: condition(exercising),
        "exercise_condition_ready": condition_ready,
        "exercise_resting": resting,
        "exercise_calibrating": calibrating,
        "exercise": exercising,
        "exercise_reached": reached,
        "exercise_slower": slower,
        "exercise_silent": silent,
        "exercise_unreachable": unreachable,
        "exercise_hurts": hurts,
        "exercise_hurts_rated": hurts_rated,
        "exercise_ending": ending,
        "doing_squat": lambda: doing("knee.squat"),
        "doing_arm_right": lambda: doing("shoulder.abduction.standing"),
        "doing_arm_left": lambda: doing("shoulder.abduction.standing", Side.LEFT),
        "doing_pelvic_tilt": lambda: doing("trunk.pelvic_tilt"),
        "doing_pendulum": lambda: doing("shoulder.pendulum"),
        "doing_wall_sit": lambda: doing("knee.wall_sit", share=1.0),
        "doing_chin_tuck": lambda: doing("neck.retraction"),
        "doing_ankle_circles": lambda: doing("ankle.circles", Side.LEFT),
        "doing_neck_rotation": lambda: doing("neck.rotation", Side.LEFT),
        "today_pendulum": lambda: today_of("shoulder.pendulum"),
        "today_chin_tuck": lambda: today_of("neck.retraction"),
        "after": after,
        "after_answered": answered,
        "after_waiting": waiting,
        "after_sent": sent_,
    }
    theme.text_scale = text_scale
    for name in ("light", "dark"):
        theme.name = name
        screens = build_screens(phone)
        Window.add_widget(screens)
        for stage, show in stages.items():
            if only in stage:
                show()
                pump(8, seconds=0.12 if "doing" not in stage else 1.1)
                save_picture(out / f"app-{stage.replace('_', '-')}-{name}.png")
        Window.remove_widget(screens)
    store.close()
    await phone.close()


if __name__ == "__main__":
    main()
