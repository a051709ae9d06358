# mypy: allow-subclassing-any
"""Colours, text size and spacing: the one look of the app.

Colours come in pairs, a ground `x` and the text on it `x_ink`. `contrast_pairs` names every pair that is put together
on a screen and the contrast it must have, so that a test can compute them (WCAG 2.2, criteria 1.4.3 and 1.4.11).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from kivy.event import EventDispatcher
from kivy.properties import ColorProperty, NumericProperty, OptionProperty


@dataclass(frozen=True)
class Palette:
    """One colour each as #RRGGBB."""

    page: str
    card: str
    ink: str
    muted: str
    line: str
    border: str
    accent: str
    accent_ink: str
    quiet: str
    quiet_ink: str
    info: str
    info_ink: str
    good: str
    good_ink: str
    warn: str
    warn_ink: str
    stop: str
    stop_ink: str
    hurt: str
    hurt_ink: str
    band: str
    limit: str
    ghost: str
    body: str
    body_far: str
    chair: str
    held: str


LIGHT = Palette(
    page="#F3F1EB",
    card="#FFFFFF",
    ink="#17262B",
    muted="#53646A",
    line="#E5E8E4",
    border="#7C8B8F",
    accent="#0B6E69",
    accent_ink="#FFFFFF",
    quiet="#E3EEEB",
    quiet_ink="#0A4F4B",
    info="#DDECF3",
    info_ink="#123F55",
    good="#CDEBD3",
    good_ink="#0C4A25",
    warn="#FFE2A0",
    warn_ink="#553600",
    stop="#A8231B",
    stop_ink="#FFFFFF",
    hurt="#FBE1DC",
    hurt_ink="#8C1A12",
    band="#2E9356",
    limit="#B5301F",
    ghost="#CFE9D6",
    body="#6F8793",
    body_far="#9FB1B9",
    chair="#CFCABF",
    held="#A3620A",
)

DARK = Palette(
    page="#0D1517",
    card="#172225",
    ink="#EEF4F2",
    muted="#A3B5B6",
    line="#2A383C",
    border="#708387",
    accent="#5CCFC4",
    accent_ink="#04211F",
    quiet="#22373A",
    quiet_ink="#BFEAE4",
    info="#1B3A4A",
    info_ink="#D2ECFA",
    good="#1C4A2E",
    good_ink="#CDF5D7",
    warn="#57410D",
    warn_ink="#FFE9B0",
    stop="#F0857A",
    stop_ink="#360704",
    hurt="#4A1F1C",
    hurt_ink="#FFCFC8",
    band="#53C07E",
    limit="#F0857A",
    ghost="#234A34",
    body="#8296A0",
    body_far="#5C6E77",
    chair="#43514F",
    held="#ECBB6C",
)

PALETTES = {"light": LIGHT, "dark": DARK}

TEXT, SHAPE = 4.5, 3.0
"""Least contrast of text, and of shapes that carry a meaning."""


def contrast_pairs() -> list[tuple[str, str, float]]:
    """(foreground, ground, least contrast) for everything that is put together on a screen."""
    text = [(ink, ground) for ink in ("ink", "muted") for ground in ("page", "card")]
    text += [("accent", "card"), ("accent", "page"), ("hurt_ink", "hurt"), ("quiet_ink", "quiet")]
    text += [(f"{name}_ink", name) for name in ("accent", "info", "good", "warn", "stop")]
    shapes = [(shape, "card") for shape in ("accent", "band", "limit", "border", "body", "held")]
    return [(a, b, TEXT) for a, b in text] + [(a, b, SHAPE) for a, b in shapes]


def luminance(colour: str) -> float:
    """Relative luminance of #RRGGBB in sRGB (WCAG 2.2, "relative luminance")."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


# Made with type(), since a Kivy property learns its name when its class is made.
_Colours: Any = type(
    "_Colours", (EventDispatcher,), {colour: ColorProperty(value) for colour, value in asdict(LIGHT).items()}
)


class Theme(_Colours):
    """What kv rules read, one property per colour of `Palette`.

    `name` and `text_scale` (1 to 1.3) are set before screens are built; to change them later, build the screens anew.
    """

    name = OptionProperty("light", options=sorted(PALETTES))
    text_scale = NumericProperty(1.0)

    def on_name(self, _: Theme, name: str) -> None:
        for colour, value in asdict(PALETTES[name]).items():
            setattr(self, colour, value)


theme = Theme()
"""The one look of this process: imported by kv files, set once from the command line."""
