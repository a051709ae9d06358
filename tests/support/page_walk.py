"""A physiotherapist's way through the pages, in headless Chromium; saves a picture of each page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Page, async_playwright, expect

CHROMIUM = Path("/usr/bin/chromium")
SWITCHES = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync")


@asynccontextmanager
async def open_page(width: int = 1360, height: int = 900, scale: float = 1) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        context = await browser.new_context(viewport={"width": width, "height": height}, device_scale_factor=scale)
        yield await context.new_page()
        await browser.close()


async def sign_in(page: Page, url: str, login: str, password: str) -> None:
    await page.goto(url)
    await page.get_by_label("Login").fill(login)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Patients", exact=True)).to_be_visible()


async def session_page(page: Page, url: str, session_id: str) -> None:
    await page.goto(f"{url}/sessions/{session_id}")
    await expect(page.get_by_role("heading", name="Seated knee extension")).to_be_visible()
    await expect(page.get_by_role("img", name="Knee flexion over time").locator("canvas")).to_be_visible()
