"""`sinew app`: the patient's app in a window."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from random import SystemRandom

from mobile_app.environment import open_window, prepare


def main(argv: list[str]) -> int:
    """Run the app until its window is closed. Returns 0, or 1 with one sentence on stderr."""
    settings = _arguments().parse_args(argv)
    home: Path = settings.home.expanduser()
    os.umask(0o077)  # what a person did and how it hurt is for this user's eyes only
    try:
        prepare(home / "kivy")
        return asyncio.run(_run(settings.server, home, settings.theme, settings.text_scale))
    except (OSError, RuntimeError, ValueError) as error:
        print(f"sinew app: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sinew app", description="The patient's app: program, live exercise, feedback."
    )
    parser.add_argument("--server", required=True, metavar="URL", help="the clinic's address")
    data = Path(os.environ.get("XDG_DATA_HOME", "~/.local/share"))
    parser.add_argument(
        "--home", type=Path, default=data / "sinew" / "app", help="where the app keeps its data (%(default)s)"
    )
    parser.add_argument("--theme", choices=["light", "dark"], default="light")
    parser.add_argument("--text-scale", type=_text_scale, default=1.0, metavar="N", help="text size, 1.0 to 1.3")
    return parser


def _text_scale(text: str) -> float:
    value = float(text)
    if not 1.0 <= value <= 1.3:
        raise argparse.ArgumentTypeError("text can be from 1.0 to 1.3 times its size")
    return value


async def _run(server: str, home: Path, theme_name: str, text_scale: float) -> int:
    # Kivy comes only now, after its environment was prepared.
    from mobile_app.account import MemoryTokens  # noqa: PLC0415
    from mobile_app.clients.clinic import Clinic  # noqa: PLC0415
    from mobile_app.phone import Phone  # noqa: PLC0415
    from mobile_app.store import Store  # noqa: PLC0415
    from mobile_app.theme import theme  # noqa: PLC0415

    def now() -> datetime:
        return datetime.now(UTC)

    async with Clinic(server) as clinic:
        store = Store.open(home, now=now())
        try:
            if not open_window():
                raise RuntimeError("there is no screen to draw on. Start it in a desktop session with OpenGL.")
            from mobile_app.app import PatientApp  # noqa: PLC0415

            theme.name, theme.text_scale = theme_name, text_scale
            phone = Phone(store, clinic, MemoryTokens(), now=now, random=SystemRandom())
            try:
                await PatientApp(phone).async_run(async_lib="asyncio")
            finally:
                await phone.close()
        finally:
            store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
