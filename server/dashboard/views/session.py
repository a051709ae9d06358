"""The session page: every repetition on the joint's own curve, and how far each figure can be trusted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from markupsafe import Markup

from analytics.domain.exercise import Exercise
from analytics.domain.session import Form, FormLabel, Repetition, SessionReport, Zero
from analytics.motion.measures import changes
from analytics.recovery.course import session_range
from server.patients.words import SessionView

from ..wording import (
    NO_VALUE,
    Reader,
    Tag,
    clock,
    counted,
    day_words,
    degree_error,
    degrees,
    degrees_with_error,
    duration,
    moment_words,
    percent,
)
from .exercise_words import angle_words, limb_words, own_limb, picture
from .figures import Figure
from .measures import MeasureTable, measure_table
from .quality import Note, SensorRow, calibration_notes, sensor_row
from .session_chart import FORM_TAGS, chart_data, chart_words, easing_words, hurt_words, ranges_of, span
from .timed_test import TimedTestCard, timed_test_card

BY_PATTERN = (
    "This exercise was counted by the pattern of its movement, so there are repetitions and times, and no degrees."
)
NO_TRACE = "This session holds no angle curve. The notes on calibration below say why."


@dataclass(frozen=True)
class RepetitionRow:
    number: int
    at: str
    range: str
    turning_point: str
    tempo: str
    speed: str
    form: Tag
    form_detail: str


@dataclass(frozen=True)
class SessionPage:
    reader: Reader
    patient_id: str
    patient_name: str
    exercise: str
    picture: Markup
    angle: str
    own_limb: str
    facts: tuple[str, ...]
    simulated: bool
    figures: tuple[Figure, ...]
    chart: dict[str, Any] | None
    chart_words: str
    hurt_words: str
    easings: tuple[str, ...]
    forms: tuple[tuple[Tag, int], ...]
    has_angle: bool
    no_chart: str
    zero_words: str
    repetitions: tuple[RepetitionRow, ...]
    test: TimedTestCard | None
    measures: MeasureTable | None
    quality: tuple[Note, ...]
    sensors: tuple[SensorRow, ...]
    stored: str
    form_model: str


def session_page(
    view: SessionView, exercise: Exercise | None, before: SessionReport | None, *, reader: Reader, zone: tzinfo
) -> SessionPage:
    """Everything the page says, in its order. `exercise`: None for one unknown here; `before`: to compare with."""
    report = view.report
    angle = angle_words(exercise)
    has_angle = bool(ranges_of(report.repetitions)) or report.calibration is not None
    changed = () if before is None else changes(before, report)
    since = "" if before is None else day_words(before.started_at.astimezone(zone).date())
    by_pattern = not has_angle and bool(report.repetitions)
    forms = Counter(repetition.form.label for repetition in report.repetitions)
    lasted = (report.ended_at - report.started_at).total_seconds()
    return SessionPage(
        reader=reader,
        patient_id=view.patient.id,
        patient_name="Your recovery" if reader == "patient" else view.patient.name,
        exercise=view.exercise_name,
        picture=picture(exercise, report.side),
        angle=angle,
        own_limb=own_limb(exercise),
        facts=(
            moment_words(report.started_at, zone),
            duration(lasted),
            limb_words(exercise, report.side),
            f"Program version {report.program_version}",
        ),
        simulated=report.simulated,
        figures=_figures(view, forms),
        chart=chart_data(report, angle),
        chart_words=chart_words(report.repetitions, forms, angle),
        hurt_words=hurt_words(report.hurts),
        easings=() if reader == "patient" else tuple(easing_words(easing) for easing in report.easings),
        forms=tuple((FORM_TAGS[label], forms[label]) for label in FormLabel if forms[label]),
        has_angle=not by_pattern,
        no_chart=BY_PATTERN if by_pattern else NO_TRACE,
        zero_words=_zero_words(report),
        repetitions=tuple(_repetition(repetition) for repetition in report.repetitions),
        test=timed_test_card(exercise, report.test, changed),
        measures=measure_table(report, changed, since),
        quality=calibration_notes(report.calibration, by_pattern=by_pattern),
        sensors=tuple(sensor_row(sensor) for sensor in report.sensors),
        stored=counted(view.samples_stored, "sample") + " stored",
        form_model=report.form_model or "",
    )


def _figures(view: SessionView, forms: Counter[FormLabel]) -> tuple[Figure, ...]:
    repetitions, feedback = view.report.repetitions, view.feedback
    not_judged = forms[FormLabel.NOT_JUDGED]
    judged = len(repetitions) - not_judged
    rest = f"; {not_judged} not judged" if not_judged else ""
    form = Figure("Form", NO_VALUE, "", f"{not_judged} not judged" if not_judged else "Nothing to judge.")
    if judged:
        form = Figure("Form", f"{forms[FormLabel.CORRECT]}", f"of {judged} correct", f"Judged one by one{rest}")
    return (
        Figure("Repetitions", str(len(repetitions)), "", f"in {span(repetitions)}" if repetitions else "None counted."),
        _range(repetitions),
        form,
        _pain(view),
        Figure("Effort", str(feedback.effort), "of 10", "Told after the session")
        if feedback
        else Figure("Effort", NO_VALUE, "", "Not told yet."),
    )


def _range(repetitions: tuple[Repetition, ...]) -> Figure:
    ranges = ranges_of(repetitions)
    if repetitions and not ranges:
        return Figure("Range", NO_VALUE, "", "Counted by pattern: no angle is followed.")
    measured = session_range(repetitions)
    if measured is None:
        return Figure("Range", NO_VALUE, "", "It takes three repetitions to tell a range.")
    value, error = measured
    note = f"Single repetitions {degrees(min(ranges))} to {degrees(max(ranges))}"
    return Figure("Range, best three", degrees(value), f"± {degree_error(error)}", note)


def _zero_words(report: SessionReport) -> str:
    """Beside the turning points, where 0° is not a clinician's."""
    if report.calibration is None or report.calibration.zero is Zero.GONIOMETER:
        return ""
    return "Turning points are as good as the session's zero, which nobody has measured; ranges do not depend on it."


def _pain(view: SessionView) -> Figure:
    """The worst of what was said, and when it was said."""
    said = [(hurt.pain, "Told during the session") for hurt in view.report.hurts if hurt.pain is not None]
    if view.feedback:
        said.insert(0, (view.feedback.pain, "Told after the session"))
    if not said:
        return Figure("Pain", NO_VALUE, "", "Not told yet.")
    pain, when = max(said, key=lambda one: one[0])
    return Figure("Pain", str(pain), "of 10", when)


def _repetition(repetition: Repetition) -> RepetitionRow:
    out, back = repetition.peak_s - repetition.start_s, repetition.end_s - repetition.peak_s
    return RepetitionRow(
        number=repetition.number,
        at=clock(repetition.start_s),
        range=degrees_with_error(repetition.excursion_deg, repetition.excursion_error_deg),
        turning_point=degrees(repetition.peak_flexion_deg),
        tempo=f"{out:.1f} s out, {back:.1f} s back",
        speed=NO_VALUE if repetition.peak_velocity_deg_s is None else f"{repetition.peak_velocity_deg_s:.0f} °/s",
        form=FORM_TAGS[repetition.form.label],
        form_detail=_form_detail(repetition.form),
    )


def _form_detail(form: Form) -> str:
    return percent(form.probability) if form.probability is not None else form.reason or "no reason given"
