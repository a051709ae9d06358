"""Debian's Chromium, driven by Playwright: where it is, how it is started, and why it cannot be where it cannot."""

from __future__ import annotations

import functools
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright._impl._driver import compute_driver_executable
from playwright.async_api import Browser, async_playwright

CHROMIUM = Path("/usr/bin/chromium")
# In a closed network the browser's own errands would only fail, many at a time.
SWITCHES = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)


@functools.cache
def why_no_browser() -> str | None:
    """One sentence for a skipped test; None where a browser can be driven."""
    if not CHROMIUM.exists():
        return f"there is no browser at {CHROMIUM}: install the package chromium"
    node, *_ = compute_driver_executable()
    if subprocess.run([node, "--version"], capture_output=True, check=False).returncode != 0:
        return "Playwright's driver does not run here: install the package libatomic1"
    return None


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        await browser.close()
