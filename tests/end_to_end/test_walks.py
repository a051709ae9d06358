"""The patient's way through the app and the physiotherapist's through the pages, on one running demo."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
from browser import why_no_browser
from page_walk import open_page, session_page, sign_in
from phone_walk import EFFORT, NO_WINDOW, PAIN
from served_demo import ServedDemo

PHONE_WALK = Path(__file__).parents[1] / "support" / "phone_walk.py"


async def test_what_the_patient_did_and_said_stands_on_the_page(tmp_path: Path) -> None:
    if reason := why_no_browser():
        pytest.skip(reason)
    with ServedDemo(tmp_path / "home", speed=8) as demo:
        arguments = [f"--{key}={value}" for key, value in demo.login("patient").items()]
        command = [sys.executable, PHONE_WALK, "--server", demo.url, "--out", tmp_path, *arguments]
        walked = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=110)
        if walked.returncode == NO_WINDOW:
            pytest.skip("no window can be drawn here: install libegl1 and libgl1-mesa-dri")
        assert walked.returncode == 0, walked.stderr
        facts = json.loads(walked.stdout.splitlines()[-1])
        assert facts["counted"] >= 3
        async with open_page() as page:
            await sign_in(page, demo.url, **demo.login("physiotherapist"))
            await session_page(page, demo.url, facts["session_id"])
            body = (await page.locator("main").inner_text()).replace("\n", " ")
    assert f"Pain {PAIN} of 10" in body
    assert f"Effort {EFFORT} of 10" in body
    assert "24 repetitions" in body
    for name in ("sign-in", "today", "exercise", "after"):
        assert (tmp_path / f"app-{name}.png").stat().st_size > 5_000
