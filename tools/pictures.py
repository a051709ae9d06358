"""Makes the pictures in the documentation from a running demo: `python tools/pictures.py`."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
SUPPORT = ROOT / "tests" / "support"
sys.path.insert(0, str(SUPPORT))

from page_walk import open_page, session_page, sign_in  # noqa: E402
from served_demo import ServedDemo  # noqa: E402

OUT = ROOT / "docs" / "pictures"


def main() -> None:
    """The app in a live session, the list, the live patient's page and that session's page."""
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, ServedDemo(Path(home), speed=2) as demo:
        print(f"A demo runs at {demo.url}; the app follows its session, which takes a minute or two.")
        session_id = _app(demo)
        asyncio.run(_pages(demo, session_id))
    print(*sorted(str(path.relative_to(ROOT)) for path in OUT.glob("*.png")), sep="\n")


def _app(demo: ServedDemo) -> str:
    arguments = [f"--{key}={value}" for key, value in demo.login("patient").items()]
    command = [sys.executable, SUPPORT / "phone_walk.py", "--server", demo.url, "--out", OUT, "--repetitions", "5"]
    walked = subprocess.run([*command, *arguments], stdout=subprocess.PIPE, text=True, check=True)
    session_id: str = json.loads(walked.stdout.splitlines()[-1])["session_id"]
    return session_id


async def _pages(demo: ServedDemo, session_id: str) -> None:
    async with open_page(width=1180, height=1240) as page:
        await sign_in(page, demo.url, **demo.login("physiotherapist"))
        await page.screenshot(path=OUT / "patients-page.png")
        await session_page(page, demo.url, session_id)
        await page.screenshot(path=OUT / "session-page.png")
        await page.goto(next(word for word in demo.printed.split() if "/patients/" in word))
        await page.locator("canvas").first.wait_for()
        await page.screenshot(path=OUT / "patient-page.png")


if __name__ == "__main__":
    main()
