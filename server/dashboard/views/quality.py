"""How far a session's figures can be trusted: calibration, zero, sensors, clocks."""

from __future__ import annotations

from dataclasses import dataclass

from analytics.domain.session import Calibration, SensorRecord, Zero

from ..wording import NO_VALUE, Tag, counted, degrees, percent

AXIS_GOOD, AXIS_FAIR = 0.9, 0.75
"""Share of the rotation on one axis: much less means that the movement wandered, or a sensor slipped or sits loose."""

RESIDUAL_GOOD_MS = 30.0
"""Arrival jitter up to one long connection interval is what a healthy link shows."""


@dataclass(frozen=True)
class SensorRow:
    name: str
    segment: str
    rate: str
    received: str
    lost: Tag
    clock: Tag
    battery: str


@dataclass(frozen=True)
class Note:
    """One statement about quality: a tag and the sentence that explains it."""

    label: str
    tag: Tag
    words: str


def calibration_notes(calibration: Calibration | None, *, by_pattern: bool = False) -> tuple[Note, ...]:
    """How the axis was found and where 0° comes from: the two things that every angle rests on."""
    if by_pattern:
        words = (
            "Repetitions were counted by how alike their movements are, not by an angle. Counts and times hold; "
            "how far the joint went is not known."
        )
        return (Note("Counting", Tag("by pattern", "plain", "info"), words),)
    if calibration is None:
        words = (
            "The joint's axis was not found in the movement, so no angle could be computed. Check how the sensors sit."
        )
        return (Note("Calibration", Tag("not found", "alert", "alert"), words),)
    share = calibration.axis_explained
    tag = Tag("good", "good", "check") if share >= AXIS_GOOD else Tag("fair", "watch", "alert")
    if share < AXIS_FAIR:
        tag = Tag("poor", "alert", "alert")
    axis = (
        f"{percent(share)} of the rotation lies on one axis, over {degrees(calibration.excursion_deg)} of movement. "
        "Cleanly done, a movement turns about nearly one axis; a much lower share means that it wandered or a sensor "
        "slipped."
    )
    if calibration.zero is Zero.GONIOMETER:
        zero = Note("Zero", Tag("goniometer", "good", "check"), "0° was set from a clinician's goniometer reading.")
    else:
        words = (
            "0° was taken from the patient's own rest pose, not from a goniometer. Ranges do not depend on it; "
            "absolute angles such as the turning point may all be off by the same amount."
        )
        zero = Note("Zero", Tag("unverified", "watch", "alert"), words)
    return (Note("Axis", tag, axis), zero)


def sensor_row(sensor: SensorRecord) -> SensorRow:
    """Losses in figures and as a share; how steadily the sensor's clock ran against the gateway's."""
    total = sensor.samples_received + sensor.samples_lost
    lost = Tag("none", "good", "check")
    if sensor.samples_lost:
        lost = Tag(
            f"{counted(sensor.samples_lost, 'sample')} ({sensor.samples_lost / total * 100:.1f} %)", "watch", "alert"
        )
    steady = sensor.clock_residual_ms <= RESIDUAL_GOOD_MS
    return SensorRow(
        name=sensor.name,
        segment=sensor.segment.value.replace("_", " ").capitalize(),
        rate=f"{sensor.rate_hz:g} Hz",
        received=counted(sensor.samples_received, "sample"),
        lost=lost,
        clock=Tag(
            f"{sensor.clock_residual_ms:.1f} ms spread, {sensor.clock_skew_ppm:+.0f} ppm".replace("-", "−"),
            "good" if steady else "watch",
            "check" if steady else "alert",
        ),
        battery=NO_VALUE if sensor.battery_percent is None else f"{sensor.battery_percent} %",
    )
