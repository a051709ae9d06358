from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from analytics.domain import session as session_words
from analytics.domain.exercise import Segment
from analytics.domain.measure import Measure, Unit
from analytics.domain.program import Dose
from analytics.domain.session import Calibration, Easing, EasingAction, FormLabel, PainMoment, SetReport, Zero
from analytics.motion.measures import measures_of, of_set
from server.dashboard.views.explanations import EXPLANATIONS, explanation
from server.dashboard.views.quality import calibration_notes, sensor_row
from server.dashboard.views.session import session_page
from server.exercises import Exercises


def _page(words, report=None, reader="clinician", before=None, **options):
    view = words.session_view(report, **options)
    return session_page(view, Exercises().find(view.report.exercise), before, reader=reader, zone=UTC)


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


NOTHING = dict.fromkeys(("excursion_deg", "excursion_error_deg", "peak_flexion_deg", "peak_velocity_deg_s"))


def test_what_was_counted_by_its_pattern_has_no_degrees_and_says_why(words) -> None:
    counted = tuple(words.repetition(number, **NOTHING) for number in (1, 2, 3))
    report = words.report(exercise="shoulder.pendulum", repetitions=counted, calibration=None, trace=None)
    page = _page(words, report)
    assert (page.has_angle, page.chart, page.angle) == (False, None, "Movement")
    assert "counted by the pattern" in page.no_chart
    assert (page.figures[1].value, page.figures[1].note) == ("–", "Counted by pattern: no angle is followed.")
    assert [note.tag.text for note in page.quality] == ["by pattern"]
    assert page.repetitions[0].speed == "–"
    assert "Right shoulder" in page.facts
    assert "°" not in page.chart_words


def test_an_axis_that_was_not_found_is_still_said_to_be(words) -> None:
    page = _page(words, words.report((), calibration=None, trace=None))
    assert page.quality[0].tag.text == "not found"
    assert "notes on calibration" in page.no_chart


@pytest.mark.parametrize(
    ("code", "angle", "limb"),
    [
        ("knee.squat", "Knee flexion", "Right knee"),
        ("shoulder.abduction.standing", "Shoulder elevation", "Right shoulder"),
        ("trunk.pelvic_tilt", "Pelvis lean forward", "Pelvis"),
        ("neck.lateral_flexion", "Neck side bend", "Neck"),
        ("clinic.unknown", "Joint angle", "Right side"),
    ],
)
def test_the_page_speaks_of_the_joint_that_moved_and_draws_its_exercise(words, code, angle, limb) -> None:
    page = _page(words, words.report(exercise=code))
    assert (page.angle, page.facts[2], page.chart["angle"]) == (angle, limb, angle.lower())
    assert page.chart_words.startswith(f"{angle} over ")
    assert page.picture.startswith("<svg ") == (code != "clinic.unknown")


def test_turning_points_are_said_to_be_as_good_as_the_zero(words) -> None:
    assert "as good as the session's zero" in _page(words).zero_words
    verified = Calibration(axis_explained=0.97, excursion_deg=70, zero=Zero.GONIOMETER)
    assert _page(words, words.report(calibration=verified)).zero_words == ""


def _measured(words, value: float, day: int = 20, **changes):
    figures = (
        Measure(code="range", name="Range moved", value=value, unit=Unit.DEGREE, error=2.1),
        Measure(
            code="concentric_sparc", name="Smoothness, concentric (SPARC)", value=-1.62, unit=Unit.NONE, error=0.07
        ),
        Measure(code="unheard_of", name="New", value=1, unit=Unit.COUNT, why_no_error="Nobody has looked."),
    )
    one = SetReport(number=1, start_s=0, end_s=40, repetitions=10, measures=figures)
    at = datetime(2026, 9, day, 18, 4, tzinfo=UTC)
    return words.report(sets=(one, one.model_copy(update={"number": 2})), started_at=at, **changes)


def test_measures_stand_with_their_error_and_what_changed_since_the_session_before(words) -> None:
    before = _measured(words, 60.0, day=13)
    table = _page(words, _measured(words, 75.0), before=before).measures
    assert (table.sets, table.before) == (("Set 1", "Set 2"), "13 Sep 2026")
    rows = {row.name: row for row in table.rows}
    assert rows["Range moved"].values == ("75 ± 2°", "75 ± 2°")
    assert rows["Smoothness, concentric (SPARC)"].values[0] == "−1.62 ± 0.07"
    assert (rows["New"].values[0], rows["New"].why, rows["New"].about) == ("1 times", "Nobody has looked.", "")
    change = rows["Range moved"].change
    assert (change.difference, change.tag.text) == ("+15°", "more than error")
    assert float(change.least.rstrip("°")) > 5.4, "the published one and our own error"
    assert rows["Smoothness, concentric (SPARC)"].change.tag.text == "within error"
    assert rows["New"].change.tag.text == "cannot be told"
    assert [sentence.split(" changed")[0] for sentence in table.real] == ["Range moved"]
    assert [one.title for one in table.explanations] == ["Range moved", "Smoothness, SPARC"]


def test_without_a_session_before_nothing_is_said_to_have_changed(words) -> None:
    table = _page(words, _measured(words, 75.0)).measures
    assert (table.before, table.real) == ("", ())
    assert _page(words).measures is None


def test_each_repetition_has_its_measures(words) -> None:
    hold = Measure(code="hold_time", name="Hold", value=0.52, unit=Unit.SECOND, error=0.03)
    repetitions = (words.repetition(1, measures=(hold,)), words.repetition(2))
    table = _page(words, words.report(repetitions=repetitions)).measures
    assert (table.rows, table.repetitions) == ((), ("1", "2"))
    assert [row.values for row in table.each] == [("0.52 ± 0.03 s", "–")]


def test_a_timed_test_stands_beside_what_is_published(words) -> None:
    time = Measure(code="sit_to_stand.five", name="Five times sit to stand", value=12.3, unit=Unit.SECOND, error=0.1)
    result = session_words.TestResult(measure=time, notes=("The chair was low.",))
    report = words.report(exercise="sit_to_stand.five", test=result)
    slower = result.model_copy(update={"measure": time.model_copy(update={"value": 17.0})})
    before = words.report(exercise="sit_to_stand.five", test=slower)
    card = _page(words, report, before=before).test
    assert (card.name, card.result, card.notes) == ("Five times sit to stand", "12.3 ± 0.1 s", ("The chair was low.",))
    assert [one.figure for one in card.references] == ["11.4 s", "12.6 s", "14.8 s"]
    assert "Goldberg" in card.errors[0].source
    assert card.change.startswith("Five times sit to stand changed by −4.7 s, more than")
    assert _page(words).test is None


def test_a_test_that_was_not_done_as_it_must_be_has_no_result(words) -> None:
    result = session_words.TestResult(measure=None, notes=("The arms were used.",))
    card = _page(words, words.report(exercise="sit_to_stand.five", test=result)).test
    assert (card.result, card.notes) == ("–", ("The arms were used.",))


def test_an_easing_without_a_target_names_none(words) -> None:
    asked = Dose(sets=2, repetitions=8, target_excursion_deg=None)
    easing = Easing(time_s=72, action=EasingAction.EASED, rule="pain", reason="It hurt.", dose=asked)
    assert "Asked for less: 2 × 8 (pain)." in _page(words, words.report(easings=(easing,))).easings[0]


def test_the_explanations_are_those_of_the_page_for_clinicians() -> None:
    page = (Path(__file__).parents[3] / "docs" / "measures.md").read_text("utf-8")
    missing = [one.what for one in EXPLANATIONS if one.what not in page]
    assert missing == []


def test_every_measure_that_is_taken_is_explained() -> None:
    time_s = np.linspace(0, 4, 401)
    angle_deg = 35 * (1 - np.cos(np.pi * time_s / 2))
    taken = [measures_of(time_s, angle_deg, angle_error_deg=2.0) for _ in range(3)]
    codes = {*taken[0], *of_set(taken, [(time_s, angle_deg)] * 3), "compensation.lean_back"}
    assert len(codes) > 12
    assert [code for code in codes if explanation(code) is None] == []
