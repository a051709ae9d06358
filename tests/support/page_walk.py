"""A physiotherapist's way through the pages, in headless Chromium; saves a picture of each page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from browser import open_browser
from playwright.async_api import Page, expect


@asynccontextmanager
async def open_page(width: int = 1360, height: int = 900) -> AsyncIterator[Page]:
    async with open_browser() as browser:
        yield await browser.new_page(viewport={"width": width, "height": height})


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
