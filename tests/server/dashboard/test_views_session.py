from __future__ import annotations

from datetime import UTC

import pytest

from analytics.domain.exercise import Segment
from analytics.domain.program import Dose
from analytics.domain.session import Calibration, Easing, EasingAction, FormLabel, PainMoment, Zero
from server.dashboard.views.quality import calibration_notes, sensor_row
from server.dashboard.views.session import session_page


def _page(words, report=None, reader="clinician", **options):
    return session_page(words.session_view(report, **options), reader=reader, zone=UTC)


def test_the_headline_figures(words) -> None:
    page = _page(words)
    assert page.facts == ("Sun 20 Sep 2026, 18:04", "52 s", "Right knee", "Program version 4")
    said = {figure.label: f"{figure.value} {figure.uncertainty}".strip() for figure in page.figures}
    assert said == {
        "Repetitions": "10",
        "Range, best three": "73° ± 2°",
        "Form": "7 of 9 correct",
        "Pain": "2 of 10",
        "Effort": "5 of 10",
    }
    assert page.stored == "10\u202f400 samples stored"


def test_not_judged_says_why_and_is_counted_apart(words) -> None:
    page = _page(words)
    last = page.repetitions[-1]
    assert (last.form.text, last.form_detail) == ("Not judged", "unlike anything the model has seen")
    assert [(tag.text, count) for tag, count in page.forms] == [
        ("Correct", 7),
        ("Too fast", 1),
        ("Range too small", 1),
        ("Not judged", 1),
    ]
    assert page.repetitions[0].form_detail == "93 %"


def test_a_repetitions_row(words) -> None:
    row = _page(words).repetitions[1]
    assert (row.number, row.at, row.range, row.turning_point) == (2, "0:08", "73° ± 2°", "18°")
    assert (row.tempo, row.speed) == ("1.6 s out, 2.0 s back", "84 °/s")


def test_the_chart_marks_every_repetition_and_keeps_silence_silent(words) -> None:
    report = words.report()
    trace = report.trace.model_copy(update={"flexion_deg": (88.04, None, 87.0)})
    chart = _page(words, report.model_copy(update={"trace": trace})).chart
    assert chart["flexion_deg"] == [88.0, None, 87.0]
    assert [r["number"] for r in chart["repetitions"]] == list(range(1, 11))
    assert chart["repetitions"][7]["tone"] == "watch"
    assert chart["repetitions"][7]["words"] == "Repetition 8: 73°, too fast"


def test_the_chart_in_words(words) -> None:
    assert _page(words).chart_words == (
        "Knee flexion over 43 s with 10 repetitions, each 67° to 73° wide: "
        "7 correct, 1 too fast, 1 range too small and 1 not judged."
    )


HURTS = (PainMoment(time_s=72.4, pain=6), PainMoment(time_s=160.0))


def test_the_worst_pain_that_was_told_is_shown_with_when_it_was(words) -> None:
    figure = {f.label: f for f in _page(words, words.report(hurts=HURTS)).figures}["Pain"]
    assert (figure.value, figure.note) == ("6", "Told during the session")
    mild = (PainMoment(time_s=72.4, pain=1), PainMoment(time_s=160.0))
    figure = {f.label: f for f in _page(words, words.report(hurts=mild)).figures}["Pain"]
    assert (figure.value, figure.note) == ("2", "Told after the session")


def test_when_it_hurt_is_said_and_marked(words) -> None:
    page = _page(words, words.report(hurts=HURTS))
    assert page.hurt_words == "It hurt at 1:12 (pain 6) and 2:40."
    assert page.chart["hurts"] == [{"time_s": 72.4, "pain": 6}, {"time_s": 160.0, "pain": None}]


def test_what_was_eased_is_said_with_its_rule_and_reason(words) -> None:
    less = Dose(sets=3, repetitions=7, target_excursion_deg=50)
    eased = Easing(time_s=72, action=EasingAction.EASED, rule="hurts_now", reason="It hurt.", dose=less)
    stopped = eased.model_copy(update={"time_s": 90, "action": EasingAction.STOPPED, "dose": None})
    assert _page(words, words.report(easings=(eased, stopped))).easings == (
        "1:12 Asked for less: 3 × 7 to 50° (hurts_now). The patient was told: It hurt.",
        "1:30 Asked for nothing more (hurts_now). The patient was told: It hurt.",
    )


def test_where_nothing_hurt_nothing_is_said(words) -> None:
    page = _page(words)
    assert (page.hurt_words, page.chart["hurts"]) == ("", [])


def test_when_it_hurt_is_said_even_without_a_curve(words) -> None:
    page = _page(words, words.report((), trace=None, hurts=(PainMoment(time_s=3.0, pain=0),)))
    assert (page.hurt_words, page.chart) == ("It hurt at 0:03 (pain 0).", None)


def test_a_session_with_nothing_in_it(words) -> None:
    page = _page(words, words.report((), trace=None, calibration=None, sensors=()), told=False)
    assert page.chart is None
    assert page.chart_words == "No repetition was found in this session."
    assert [figure.value for figure in page.figures] == ["0", "–", "–", "–", "–"]
    assert page.quality[0].tag.text == "not found"


def test_two_repetitions_are_too_few_for_a_range(words) -> None:
    figure = _page(words, words.report((FormLabel.CORRECT,) * 2)).figures[1]
    assert (figure.value, figure.note) == ("–", "It takes three repetitions to tell a range.")


@pytest.mark.parametrize(("explained", "verdict"), [(0.97, "good"), (0.8, "fair"), (0.6, "poor")])
def test_calibration_quality_in_words(explained, verdict) -> None:
    axis, zero = calibration_notes(
        Calibration(axis_explained=explained, excursion_deg=70, zero=Zero.REST_POSE_UNVERIFIED)
    )
    assert axis.tag.text == verdict
    assert (zero.tag.text, zero.tag.tone) == ("unverified", "watch")
    assert "not from a goniometer" in zero.words


def test_a_zero_from_a_goniometer_is_trusted() -> None:
    _, zero = calibration_notes(Calibration(axis_explained=0.97, excursion_deg=70, zero=Zero.GONIOMETER))
    assert (zero.tag.text, zero.tag.tone) == ("goniometer", "good")


def test_a_sensors_losses_and_clock(words) -> None:
    row = sensor_row(words.sensor(Segment.RIGHT_SHANK, samples_received=9900, samples_lost=100, clock_residual_ms=55.0))
    assert row.segment == "Right shank"
    assert (row.lost.text, row.lost.tone) == ("100 samples (1.0 %)", "watch")
    assert (row.clock.text, row.clock.tone) == ("55.0 ms spread, −18 ppm", "watch")
    assert sensor_row(words.sensor(Segment.RIGHT_SHANK, battery_percent=None)).battery == "–"


def test_a_patient_goes_back_to_their_own_page_by_its_own_name(words) -> None:
    assert _page(words, reader="patient").patient_name == "Your recovery"
    assert _page(words).patient_name == "Anna Example"
