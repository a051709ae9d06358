"""A patient's way through the app, in a real window, while a session runs: `python phone_walk.py --help`.

Runs in a process of its own, since Kivy has one window. Prints one JSON object; saves a picture of each screen.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from mobile_app.environment import open_window, prepare

NO_WINDOW = 77
"""Exit code where this machine cannot draw a window."""
SESSION_PATIENCE_S = 300.0
PAIN, EFFORT = 2, 5


async def until(condition: Callable[[], object], patience_s: float = 20.0) -> None:
    async with asyncio.timeout(patience_s):
        while not condition():  # noqa: ASYNC110 - what is awaited is drawn, not announced
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.3)  # a few frames, so that what changed is drawn


async def tap(widget: Any) -> None:
    from kivy.tests.common import UnitTestTouch  # noqa: PLC0415 - Kivy's environment comes first

    touch = UnitTestTouch(*widget.to_window(widget.center_x, widget.center_y))
    touch.touch_down()
    await asyncio.sleep(0.1)
    touch.touch_up()
    await asyncio.sleep(0.2)


async def walk(url: str, login: str, password: str, out: Path, repetitions: int) -> dict[str, Any]:
    from kivy.core.window import Window  # noqa: PLC0415

    from mobile_app.account import MemoryTokens  # noqa: PLC0415
    from mobile_app.app import PatientApp  # noqa: PLC0415
    from mobile_app.clients.clinic import Clinic  # noqa: PLC0415
    from mobile_app.phone import Phone  # noqa: PLC0415
    from mobile_app.store import Store  # noqa: PLC0415

    def picture(name: str) -> None:
        Path(Window.screenshot(name=str(out / f"{name}.png"))).replace(out / f"{name}.png")

    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(Path(folder), now=datetime.now(UTC))
        async with Clinic(url) as clinic:
            phone = Phone(store, clinic, MemoryTokens(), now=lambda: datetime.now(UTC), random=Random(1))
            app = PatientApp(phone)
            running = asyncio.create_task(app.async_run(async_lib="asyncio"))
            await until(lambda: app.root is not None)

            def ids() -> Any:
                return app.root.current_screen.ids

            ids().login.text, ids().password.text = login, password
            picture("app-sign-in")
            await tap(ids().submit)
            await until(lambda: phone.screen == "today" and phone.today.can_start)
            picture("app-today")
            await tap(ids().start)
            await until(lambda: phone.exercise.total >= repetitions, SESSION_PATIENCE_S)
            await until(lambda: phone.exercise.excursion_deg > 40, SESSION_PATIENCE_S)
            picture("app-exercise")
            counted = phone.exercise.total
            await until(lambda: phone.screen == "after", SESSION_PATIENCE_S)
            await tap(ids().pain.buttons[PAIN])
            await tap(ids().effort.buttons[EFFORT])
            picture("app-after")
            await tap(ids().send)
            await until(lambda: phone.after.stage == "sent")
            session_id = str(phone._finished_session)
            app.stop()
            await running
            await phone.close()
        store.close()
    return {"session_id": session_id, "counted": counted, "pain": PAIN, "effort": EFFORT}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True)
    parser.add_argument("--login", required=True)
    parser.add_argument("--password", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--repetitions", type=int, default=3, help="how many to wait for before the picture")
    settings = parser.parse_args()
    with tempfile.TemporaryDirectory() as kivy_home:
        prepare(Path(kivy_home), offscreen=True)
        if not open_window():
            print("no window can be drawn here", file=sys.stderr)
            return NO_WINDOW
        walked = asyncio.run(
            walk(settings.server, settings.login, settings.password, settings.out, settings.repetitions)
        )
    print(json.dumps(walked))
    return 0


if __name__ == "__main__":
    sys.exit(main())
