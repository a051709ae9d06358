"""The angle curve of a session with what is marked on it, as figures to draw and in words."""

from __future__ import annotations

from collections import Counter
from typing import Any

from analytics.domain.session import Easing, FormLabel, PainMoment, Repetition, SessionReport

from ..wording import Tag, clock, counted, degrees, duration, join_words

FORM_TAGS = {
    FormLabel.CORRECT: Tag("Correct", "good", "check"),
    FormLabel.TOO_FAST: Tag("Too fast", "watch", "fast"),
    FormLabel.LOW_AMPLITUDE: Tag("Range too small", "watch", "low"),
    FormLabel.NOT_JUDGED: Tag("Not judged", "plain", "question"),
}


def chart_data(report: SessionReport, angle: str) -> dict[str, Any] | None:
    """What static/session_chart.js draws; None for a session without an angle curve. `angle`: what it is called."""
    trace = report.trace
    if trace is None:
        return None
    return {
        "angle": angle.lower(),
        "start_s": trace.start_s,
        "rate_hz": trace.rate_hz,
        "flexion_deg": [None if value is None else round(value, 1) for value in trace.flexion_deg],
        "repetitions": [
            {
                "number": r.number,
                "start_s": r.start_s,
                "peak_s": r.peak_s,
                "end_s": r.end_s,
                "tone": FORM_TAGS[r.form.label].tone,
                "words": _repetition_words(r),
            }
            for r in report.repetitions
        ],
        "hurts": [{"time_s": hurt.time_s, "pain": hurt.pain} for hurt in report.hurts],
    }


def _repetition_words(repetition: Repetition) -> str:
    said = [] if repetition.excursion_deg is None else [degrees(repetition.excursion_deg)]
    said.append(FORM_TAGS[repetition.form.label].text.lower())
    return f"Repetition {repetition.number}: {', '.join(said)}"


def ranges_of(repetitions: tuple[Repetition, ...]) -> list[float]:
    """Of those that were followed by an angle."""
    return [r.excursion_deg for r in repetitions if r.excursion_deg is not None]


def chart_words(repetitions: tuple[Repetition, ...], forms: Counter[FormLabel], angle: str) -> str:
    """The same for who cannot see it. `forms`: how many repetitions were done how."""
    if not repetitions:
        return "No repetition was found in this session."
    kinds = [f"{forms[label]} {FORM_TAGS[label].text.lower()}" for label in FormLabel if forms[label]]
    ranges = ranges_of(repetitions)
    wide = f", each {degrees(min(ranges))} to {degrees(max(ranges))} wide" if ranges else ""
    return (
        f"{angle} over {span(repetitions)} with {counted(len(repetitions), 'repetition')}{wide}: {join_words(kinds)}."
    )


def hurt_words(hurts: tuple[PainMoment, ...]) -> str:
    """`It hurt at 1:12 (pain 6) and 2:40.`; nothing where it did not."""
    moments = [clock(hurt.time_s) + (f" (pain {hurt.pain})" if hurt.pain is not None else "") for hurt in hurts]
    return f"It hurt at {join_words(moments)}." if moments else ""


def span(repetitions: tuple[Repetition, ...]) -> str:
    """How long it took from the first repetition to the last."""
    return duration(repetitions[-1].end_s - repetitions[0].start_s)


def easing_words(easing: Easing) -> str:
    """What a rule of safety did, when, and what the patient was told."""
    done = "Asked for nothing more"
    if (dose := easing.dose) is not None:
        target = f" to {dose.target_excursion_deg:.0f}°" if dose.target_excursion_deg is not None else ""
        done = f"Asked for less: {dose.sets} × {dose.repetitions}{target}"
    return f"{clock(easing.time_s)} {done} ({easing.rule}). The patient was told: {easing.reason}"
