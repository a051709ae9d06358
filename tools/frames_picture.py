"""Draws the frames of FRAMES.md: `python tools/frames_picture.py` writes docs/pictures/frames.svg."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians, sin
from pathlib import Path

OUT = Path(__file__).parents[1] / "docs" / "pictures" / "frames.svg"
WIDTH, HEIGHT = 960, 610
COLOURS = {"x": "#b3261e", "y": "#1b6e3c", "z": "#1f4fa3"}
BODY, SENSOR, INK = "#d9d4cb", "#f2a33a", "#222222"

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Arrow:
    """One axis: where it begins, where it ends, its letter, and what its label says."""

    start: Point
    end: Point
    axis: str
    label: str
    shift: Point = (6, -6)


def main() -> None:
    """Write the picture."""
    OUT.parent.mkdir(parents=True, exist_ok=True)
    panels = [_panel(0, "Earth", _earth()), _panel(320, "Segment (anatomical)", _segment())]
    panels += [_panel(640, "Sensor", _sensor())]
    OUT.write_text(_svg([*panels, *_signs()]), encoding="utf-8")
    print(OUT)


def _earth() -> list[str]:
    o = (140.0, 200.0)
    return [
        '<polygon points="50,235 150,170 270,210 170,275" fill="#efece6"/>',
        _arrow(Arrow(o, (225, 228), "x", "x", (8, 6))),
        _arrow(Arrow(o, (215, 150), "y", "y", (8, 4))),
        _arrow(Arrow(o, (140, 85), "z", "z up", (8, 4))),
        _text((30, 305), "z against gravity. Without a compass"),
        _text((30, 323), "each sensor has a heading of its own."),
    ]


def _segment() -> list[str]:
    o = (150.0, 185.0)
    return [
        _limb((150, 95), (150, 252), 44),
        _arrow(Arrow(o, (245, 185), "x", "x anterior", (-14, -10))),
        _arrow(Arrow(o, (150, 65), "y", "y superior", (8, 4))),
        _arrow(Arrow(o, (95, 235), "z", "z right", (-46, 18))),
        _text((30, 305), "A thigh, seen from the patient's right:"),
        _text((30, 323), "z by the joint's axis, y by gravity."),
    ]


def _sensor() -> list[str]:
    o = (150.0, 180.0)
    return [
        '<g transform="rotate(-18 150 180)"><rect x="95" y="135" width="110" height="90" rx="14" '
        f'fill="{SENSOR}" stroke="{INK}" stroke-width="1.5"/></g>',
        _arrow(Arrow(o, (252, 147), "x", "x", (8, 4))),
        _arrow(Arrow(o, (117, 78), "y", "y", (8, 4))),
        _arrow(Arrow(o, (78, 222), "z", "z", (-18, 8))),
        _text((30, 305), "As its maker drew it, strapped on"),
        _text((30, 323), "anyhow: calibration finds the rest."),
    ]


def _signs() -> list[str]:
    """Four joints from the right, facing right, with the turn that counts as positive."""
    hip, elbow, knee, ankle = (40.0, 240.0, 480.0, 720.0)
    return [
        f'<line x1="20" y1="345" x2="{WIDTH - 20}" y2="345" stroke="#bbb"/>',
        _text((30, 374), "Seen from the right, patients facing right; arrows show the positive turn", bold=True),
        *_joint(hip + 60, 450, 90, 35, "hip flexion: +z"),
        *_joint(knee + 60, 450, 90, -60, "knee flexion: −z"),
        *_joint(elbow + 60, 450, 90, 80, "elbow flexion: +z"),
        *_joint(ankle + 50, 480, 0, 25, "ankle dorsiflexion: +z", toes=True),
    ]


def _joint(x: float, y: float, rest_deg: float, turn_deg: float, name: str, *, toes: bool = False) -> list[str]:
    """Proximal segment above the joint, distal one at rest (faint) and turned; angles from x, clockwise downwards."""
    length, radius = 90.0, 62.0
    joint = (x, y)
    still, moved = radians(rest_deg), radians(rest_deg - turn_deg)
    at_rest = (x + length * cos(still), y + length * sin(still))
    turned = (x + length * cos(moved), y + length * sin(moved))
    arc_from = (x + radius * cos(still), y + radius * sin(still))
    arc_to = (x + radius * cos(moved), y + radius * sin(moved))
    sweep = 0 if turn_deg > 0 else 1
    top = (x, y - (60 if toes else 45))
    return [
        _limb(joint, at_rest, 16, opacity=0.45),
        _limb(top, joint, 22),
        _limb(joint, turned, 18),
        f'<circle cx="{x}" cy="{y}" r="6" fill="{COLOURS["z"]}"/>',
        f'<path d="M {arc_from[0]:.1f} {arc_from[1]:.1f} A {radius} {radius} 0 0 {sweep} {arc_to[0]:.1f} '
        f'{arc_to[1]:.1f}" fill="none" stroke="{INK}" stroke-width="2.5" marker-end="url(#ink)"/>',
        _text((x - 50, 592), name),
    ]


def _limb(start: Point, end: Point, width: float, *, opacity: float = 1.0) -> str:
    return (
        f'<line x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}" stroke="{BODY}" '
        f'stroke-width="{width}" stroke-linecap="round" opacity="{opacity}"/>'
    )


def _arrow(arrow: Arrow) -> str:
    (x1, y1), (x2, y2) = arrow.start, arrow.end
    colour = COLOURS[arrow.axis]
    line = (
        f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{colour}" stroke-width="4" '
        f'marker-end="url(#{arrow.axis})"/>'
    )
    return line + _text((x2 + arrow.shift[0], y2 + arrow.shift[1]), arrow.label, colour=colour, bold=True)


def _text(at: Point, words: str, *, colour: str = INK, bold: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{at[0]}" y="{at[1]}" fill="{colour}"{weight}>{words}</text>'


def _panel(left: float, title: str, content: list[str]) -> str:
    return f'<g transform="translate({left} 0)">{_text((30, 36), title, bold=True)}{"".join(content)}</g>'


def _svg(content: list[str]) -> str:
    heads = "".join(
        f'<marker id="{name}" viewBox="0 0 10 10" refX="6" refY="5" markerWidth="4" markerHeight="4" '
        f'orient="auto-start-reverse"><path d="M 0 0 L 10 5 L 0 10 z" fill="{colour}"/></marker>'
        for name, colour in {**COLOURS, "ink": INK}.items()
    )
    title = "Frames: earth x east-like, y, z up; segment x anterior, y superior, z right; sensor as its maker drew it."
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="15" role="img"><title>{title}</title><defs>{heads}</defs>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>\n' + "\n".join(content) + "\n</svg>\n"
    )


if __name__ == "__main__":
    main()
