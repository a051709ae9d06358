"""Contrast of every text colour on every ground it is used on (WCAG 2.2, success criteria 1.4.3 and 1.4.11)."""

from __future__ import annotations

import re

import pytest

from server.dashboard.rendering import STATIC

TEXT_ON_GROUND = [
    *((text, ground) for text in ("ink", "soft", "accent") for ground in ("paper", "surface", "sunk")),
    *((tone, ground) for tone in ("good", "watch", "alert") for ground in ("surface", f"{tone}-ground")),
    ("accent", "accent-ground"),
    ("on-accent", "accent"),
    ("good", "shade-good"),
    ("watch", "shade-watch"),
    ("soft", "shade-plain"),
    ("chart-goal", "surface"),
]
SHAPES_ON_GROUND = [
    ("line-strong", "surface"),
    ("chart-mean", "surface"),
    ("chart-point", "surface"),
    ("chart-point", "chart-band"),
    ("chart-point", "shade-watch"),
    *(("alert", f"shade-{tone}") for tone in ("good", "watch", "plain")),
    ("accent", "surface"),
    ("figure-body", "surface"),
]


def _themes() -> dict[str, dict[str, str]]:
    blocks = re.findall(r":root \{(.*?)\}", (STATIC / "app.css").read_text("utf-8"), re.DOTALL)
    light, dark = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in blocks)
    return {"light": light, "dark": light | dark}


def _luminance(colour: str) -> float:
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_the_measure_itself() -> None:
    assert _contrast("#000000", "#ffffff") == pytest.approx(21)
    assert _contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT_ON_GROUND)
def test_text_can_be_read(theme: str, text: str, ground: str) -> None:
    colours = _themes()[theme]
    assert _contrast(colours[text], colours[ground]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("shape", "ground"), SHAPES_ON_GROUND)
def test_shapes_can_be_seen(theme: str, shape: str, ground: str) -> None:
    colours = _themes()[theme]
    assert _contrast(colours[shape], colours[ground]) >= 3


def test_both_themes_name_the_same_colours() -> None:
    blocks = re.findall(r":root \{(.*?)\}", (STATIC / "app.css").read_text("utf-8"), re.DOTALL)
    light, dark = (set(re.findall(r"--([\w-]+): #", block)) for block in blocks)
    assert light == dark
