"""The pages in a real browser: what is drawn, what is pressed, and that nothing goes wrong or out of the house.

Every visit fails on a console error (which a violation of the content security policy is), an exception in a script, a
request to another origin or an answer of 400 and above.
"""

from __future__ import annotations

import asyncio
import re

import httpx2
import pytest
from gateway_key import GatewayKey
from playwright.async_api import expect

LIGHT = {"color_scheme": "light", "viewport": {"width": 1360, "height": 900}}
DARK = {"color_scheme": "dark", "viewport": {"width": 1360, "height": 900}}
PHONE = {"color_scheme": "light", "viewport": {"width": 390, "height": 844}, "device_scale_factor": 2}

INK = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const colours = new Set();
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] > 200) colours.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
  }
  return colours.size;
}"""
"""How many opaque colours a canvas holds: an empty or a broken chart has hardly any."""


async def test_from_signing_in_to_an_approved_proposal(visit) -> None:
    async with visit("physiotherapist") as window:
        page = window.page
        await expect(page.get_by_role("heading", name="Patients", exact=True)).to_be_visible()
        await page.get_by_role("row", name=re.compile("Anna Example.*Proposal")).get_by_role("link").click()
        card = page.get_by_role("region", name=re.compile("Ask a little"))
        await expect(card.get_by_text("What it rests on")).to_be_visible()
        await expect(page.get_by_text("Program version 1", exact=True)).to_be_visible()
        await card.get_by_role("button", name="Approve").click()
        await expect(page.get_by_role("status")).to_contain_text("Approved.")
        await expect(page.get_by_role("status")).to_be_focused()
        await expect(page.get_by_text("Program version 2", exact=True)).to_be_visible()
        await expect(card).to_have_count(0)
        assert page.url.endswith("/patients/p1?notice=approved")
        assert await page.locator(".chart canvas").first.evaluate(INK) > 20  # drawn anew after the swap


async def test_rejecting_asks_for_the_reason_and_keeps_the_program(visit) -> None:
    async with visit("physiotherapist") as window:
        page = window.page
        waiting = page.get_by_role("row", name=re.compile("simulated.*Proposal")).get_by_role("link")
        await waiting.last.click()
        version = await page.get_by_text(re.compile(r"^Program version \d$")).inner_text()
        await page.get_by_text("Reject…").click()
        await page.get_by_role("button", name="Reject the proposal").click()
        await expect(page.get_by_label("Why not?")).to_be_focused()  # the browser refuses an empty reason
        await page.get_by_label("Why not?").fill("Swollen after a long walk.")
        await page.get_by_role("button", name="Reject the proposal").click()
        await expect(page.get_by_role("status")).to_contain_text("Rejected.")
        await expect(page.get_by_text(version, exact=True)).to_be_visible()


async def test_the_course_is_drawn_described_and_readable_as_tables(visit) -> None:
    async with visit("physiotherapist") as window:
        page = window.page
        await page.get_by_role("row", name=re.compile("simulated")).get_by_role("link").first.click()
        chart = page.get_by_role("img", name="Knee range, active")
        await expect(chart).to_have_accessible_description(
            re.compile(r"\d+ measurements: from \d+° on day \d+ to .*goal")
        )
        assert await chart.locator("canvas").evaluate(INK) > 20
        readout = page.locator(".readout")
        await expect(readout).to_contain_text("measured")
        before = await readout.inner_text()
        await chart.hover(position={"x": 80, "y": 120})
        await expect(readout).not_to_have_text(before)
        await page.get_by_text("Show as tables").click()
        await expect(page.get_by_role("table", name="Measured")).to_be_visible()
        await expect(page.get_by_role("table", name="Forecast")).to_be_visible()


MARKED = """canvas => {
  const probe = document.createElement("canvas").getContext("2d");
  probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--alert").trim();
  probe.fillRect(0, 0, 1, 1);
  const [red, green, blue] = probe.getImageData(0, 0, 1, 1).data;
  const { data, width } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const columns = new Map();
  for (let i = 0; i < data.length; i += 4) {
    if (data[i] === red && data[i + 1] === green && data[i + 2] === blue) {
      columns.set(i / 4 % width, (columns.get(i / 4 % width) ?? 0) + 1);
    }
  }
  return [...columns].filter(([, pixels]) => pixels > 100).map(([x]) => x / width);
}"""
"""Where a canvas has upright lines in the colour of alerts, as shares of its width."""


async def test_a_session_marks_when_it_hurt(visit, live_clinic) -> None:
    async with visit("physiotherapist") as window:
        page = window.page
        await window.go(f"/sessions/{live_clinic.measured_session}")
        await expect(page.get_by_text("It hurt at 0:40 (pain 6) and 1:21.")).to_be_visible()
        chart = page.get_by_role("img", name="Knee flexion over time")
        lines = await chart.locator("canvas").evaluate(MARKED)
        first, second = min(lines), max(lines)
        assert first < 0.45 < second, "at a quarter and at half of the session"
        box = await chart.locator("canvas").bounding_box()
        for share, words in ((first, "it hurt (pain 6)"), (second, "it hurt (no number given)")):
            await page.mouse.move(box["x"] + share * box["width"], box["y"] + 100)
            await expect(page.locator(".readout")).to_contain_text(words)
        await page.mouse.move(box["x"] + (first + second) / 2 * box["width"], box["y"] + 100)
        await expect(page.locator(".readout")).not_to_contain_text("it hurt")


async def test_a_session_shows_its_repetitions_and_how_far_to_trust_them(visit, live_clinic) -> None:
    async with visit("physiotherapist") as window:
        page = window.page
        await window.go(f"/sessions/{live_clinic.measured_session}")
        chart = page.get_by_role("img", name="Knee flexion over time")
        await expect(chart).to_have_accessible_description(re.compile("30 repetitions.*30 correct"))
        assert await chart.locator("canvas").evaluate(INK) > 20
        await expect(page.get_by_role("region", name="Repetitions").last.get_by_role("row")).to_have_count(31)
        await expect(page.get_by_text("unverified")).to_be_visible()
        await expect(page.get_by_text("1\u202f000 samples stored")).to_be_visible()
        box = await chart.bounding_box()
        await page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 100)
        await expect(page.locator(".readout")).to_contain_text(re.compile(r"flexion \d+°"))


async def test_a_measure_leads_to_its_explanation_and_says_what_changed(visit, live_clinic) -> None:
    async with visit("physiotherapist", **PHONE) as window:
        page = window.page
        await window.go(f"/sessions/{live_clinic.measured_session}")
        await expect(page.get_by_role("img", name="Seated knee extension")).to_be_visible()
        measures = page.get_by_role("region", name=re.compile("^Measures mean"))
        row = measures.get_by_role("row", name=re.compile("Range moved"))
        await expect(row).to_contain_text("80 ± 1°")
        await expect(row).to_contain_text("+5°")
        await expect(row).to_contain_text(re.compile(r"believable from \d"))
        await row.get_by_role("link", name="Range moved").click()
        await expect(page.locator("#about-range")).to_be_in_viewport()
        await expect(page.locator("#about-range")).to_contain_text("How far the joint went.")


async def test_a_patient_sees_their_own_page_in_plain_words(visit) -> None:
    async with visit("other_patient") as window:
        page = window.page
        await expect(page.get_by_role("heading", name="Your recovery")).to_be_visible()
        await expect(page.get_by_text("No session yet")).to_be_visible()
        await expect(page.get_by_role("link", name="Patients")).to_have_count(0)
        await expect(page.get_by_role("button", name="Approve")).to_have_count(0)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
async def test_a_gateway_is_let_in_and_shut_out_after_asking(visit, live_clinic, scripts: bool) -> None:
    name = f"Kitchen {scripts}"
    async with visit("administrator", java_script_enabled=scripts) as window:
        page = window.page
        await expect(page.get_by_role("heading", name="Gateways", exact=True)).to_be_visible()
        await page.get_by_label("Patient").select_option("Bert Sample (p2)")
        await page.get_by_role("button", name="Make a claim code").click()
        offer = page.get_by_role("region", name="Claim code for patient p2")
        await expect(offer).to_be_focused()
        code = await offer.locator(".code").inner_text()
        await expect(offer).to_contain_text(f"--server {live_clinic.address} --claim {code}")
        async with httpx2.AsyncClient(base_url=live_clinic.address) as gateway:
            public_key = GatewayKey(100 + scripts).public_key
            wish = {"claim_code": code, "name": name, "public_key": public_key}
            claimed = await gateway.post("/api/v1/gateways/claim", json=wish)
            assert claimed.status_code == 201
        await window.go("/gateways")
        await expect(offer).to_have_count(0)
        row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=re.compile(f"^{name}")))
        ask = page.get_by_role("dialog", name=f"Revoke {name}?")
        await row.get_by_role("button", name=f"Revoke {name}…").click()
        await expect(ask.get_by_role("button", name="Keep it")).to_be_focused()
        await ask.get_by_role("button", name="Keep it").click()
        await expect(ask).to_be_hidden()
        await expect(row.get_by_text("Active", exact=True)).to_be_visible()
        await row.get_by_role("button", name=f"Revoke {name}…").click()
        await ask.get_by_role("button", name="Revoke the gateway").click()
        await expect(page.get_by_role("status")).to_contain_text("Revoked.")
        await expect(row.get_by_text("Revoked", exact=True)).to_be_visible()


async def test_everything_works_without_scripts(visit) -> None:
    async with visit("physiotherapist", java_script_enabled=False) as window:
        page = window.page
        await page.get_by_role("row", name=re.compile("simulated")).get_by_role("link").first.click()
        await page.get_by_text("Show as tables").click()
        await expect(page.get_by_role("table", name="Measured")).to_be_visible()
        await page.get_by_role("button", name="Sign out").click()
        await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


async def test_a_violation_of_the_policy_would_be_noticed(visit) -> None:
    """The collector of faults works: without this, a silent listener would pass every test above."""

    async def write_an_inline_style() -> None:
        async with visit() as window:
            await window.go("/sign-in")
            await window.page.evaluate("document.body.innerHTML += '<p style=\"color: red\">x</p>'")

    with pytest.raises(AssertionError, match="Content Security Policy"):
        await write_an_inline_style()


@pytest.mark.parametrize("look", [LIGHT, DARK, PHONE], ids=["light", "dark", "phone"])
async def test_pictures_of_every_page_fit_their_window(visit, live_clinic, tmp_path, look) -> None:
    async with visit(**look) as window:
        page = window.page

        async def picture(name: str) -> None:
            assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, name
            await page.screenshot(path=tmp_path / f"{name}.png", full_page=True)
            assert (tmp_path / f"{name}.png").stat().st_size > 10_000, name

        await window.go("/sign-in")
        await picture("sign-in")
        await window.sign_in("physiotherapist")
        await picture("patients")
        await page.get_by_role("row", name=re.compile("simulated")).get_by_role("link").first.click()
        await expect(page.locator("canvas")).to_be_visible()
        await picture("patient")
        await window.go("/patients/p2")
        await picture("patient-new")
        await window.go(f"/sessions/{live_clinic.measured_session}")
        await expect(page.locator("canvas")).to_be_visible()
        await picture("session")
        await window.go("/gateways")
        await picture("gateways")
        await page.get_by_role("button", name="Revoke gateway…").click()
        await picture("gateways-asking")
        await page.keyboard.press("Escape")
        await page.get_by_label("Patient").select_option("p1")
        await page.get_by_role("button", name="Make a claim code").click()
        await expect(page.get_by_role("region", name="Claim code for patient p1")).to_be_focused()
        await picture("gateways-code")


async def test_names_keep_their_room_at_every_width(visit) -> None:
    async with visit("physiotherapist") as window:
        page = window.page
        for width in (360, 780, 870, 1100, 1920):
            await page.set_viewport_size({"width": width, "height": 900})
            await window.go("/gateways")
            assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, width
            await window.go("/")
            assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, width
            for name in await page.locator(".caseload .who a").all():
                assert (await name.bounding_box())["height"] < 40, f"a name is broken into lines at {width} px"


async def test_the_theme_follows_the_readers_and_charts_follow_the_theme(visit, live_clinic) -> None:
    async with visit("physiotherapist", **LIGHT) as window:
        page = window.page
        await window.go(f"/sessions/{live_clinic.measured_session}")
        ground = "getComputedStyle(document.body).backgroundColor"
        corner = "canvas => canvas.toDataURL()"
        light, drawn = await page.evaluate(ground), await page.locator("canvas").evaluate(corner)
        await page.emulate_media(color_scheme="dark")
        assert await page.evaluate(ground) != light
        for _ in range(60):  # the browser tells of the change with its next frame
            if await page.locator("canvas").evaluate(corner) != drawn:
                break
            await asyncio.sleep(0.05)
        else:
            pytest.fail("the chart kept the colours of the other theme")
