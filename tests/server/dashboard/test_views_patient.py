from __future__ import annotations

from datetime import UTC, timedelta

import pytest

from analytics.domain.program import Restriction
from server.dashboard.views.course import course_chart
from server.dashboard.views.figures import key_figures
from server.dashboard.views.patient import NEWEST, patient_page
from server.dashboard.views.proposal import proposal_card
from server.exercises import Exercises


def _page(words, overview=None, reader="clinician"):
    return patient_page(overview or words.overview(), Exercises(), reader=reader, today=words.today, zone=UTC)


def _figures(words, reader="clinician", **changes):
    overview = words.overview(**changes)
    return {f.label: f for f in key_figures(overview, reader=reader, today=words.today, zone=UTC)}


def test_the_headline_says_who_what_and_when(words) -> None:
    page = _page(words)
    assert page.heading == "Anna Example"
    assert page.facts == (
        "Right knee · Anterior cruciate ligament reconstruction",
        "Day 51 after surgery on 1 Aug 2026",
        "Program version 4",
    )
    assert _page(words, reader="patient").heading == "Your recovery"


def test_range_comes_with_its_error_and_the_distance_to_the_goal(words) -> None:
    figure = _figures(words)["Active knee range"]
    assert (figure.value, figure.uncertainty, figure.note) == ("74°", "± 2°", "11° short of the 85° goal")


def test_a_reached_goal_is_said_to_be_reached(words) -> None:
    figures = _figures(words, course=words.course(words.points(last=86.0)))
    assert figures["Active knee range"].tag.text == "reached"
    assert figures["Goal date, expected"].value == "Reached"


@pytest.mark.parametrize(
    ("changes", "value", "note"),
    [
        ({}, "20 Oct", "Between 8 Oct and 10 Nov 2026, 90 % interval"),
        ({"goal_day_high": None}, "20 Oct", "8 Oct at the earliest, perhaps after 21 Nov 2026"),
        ({"goal_day_low": None}, "20 Oct", "10 Nov 2026 at the latest"),
        (
            {"goal_day": None, "goal_day_high": None},
            "Not in sight",
            "Not before 21 Nov 2026 on the expected course, 8 Oct at the earliest",
        ),
        ({"goal_day_low": 40.0}, "20 Oct", "Perhaps already, 10 Nov 2026 at the latest"),
        (
            {"goal_day": 45.0, "goal_day_low": 40.0},
            "About now",
            "The expected course passed it on 15 Sep, the last measurement is below it",
        ),
        ({"points": (), "goal_day": None}, "–", "No forecast yet: it needs a first measured session."),
    ],
)
def test_the_goal_date_never_comes_without_its_interval(words, changes, value, note) -> None:
    figure = _figures(words, forecast=words.forecast(**changes))["Goal date, expected"]
    assert (figure.value, figure.note) == (value, note)


def test_form_is_counted_on_what_was_judged(words) -> None:
    sessions = (
        words.session(0, repetitions=10, correct=6, not_judged=2),
        words.session(1, repetitions=4, correct=4, not_judged=0),
    )
    figure = _figures(words, sessions=sessions)["Form"]
    assert (figure.value, figure.note) == ("83 %", "of 12 repetitions in the last 2 sessions; 2 not judged")
    none = _figures(words, sessions=(words.session(repetitions=3, correct=0, not_judged=3),))["Form"]
    assert (none.value, none.note) == ("–", "3 repetitions, none judged")


def test_pain_is_the_latest_answer_beside_the_highest(words) -> None:
    sessions = (words.session(0, pain=None, effort=None), words.session(1, pain=3), words.session(2, pain=6))
    figure = _figures(words, sessions=sessions)["Pain, last told"]
    assert (figure.value, figure.note) == ("3", "Highest of the last 2: 6; effort 5 of 10")


def test_sessions_of_the_last_fourteen_days(words) -> None:
    sessions = tuple(words.session(index) for index in (0, 5, 12, 13, 30))
    assert _figures(words, sessions=sessions)["Sessions"].value == "3"  # index 12 was 13 days ago, index 13 was 14


def test_a_new_patient_has_words_in_every_place(words) -> None:
    page = _page(words, words.new_patient())
    assert page.chart is None
    assert page.sessions == ()
    assert [figure.value for figure in page.figures] == ["–", "–", "–", "–", "0"]


def test_the_charts_columns_are_one_axis_in_order(words) -> None:
    data = course_chart(words.overview()).data
    assert data["day"] == sorted(data["day"])
    assert len({len(data[name]) for name in ("day", "low", "mean", "high", "measured", "error")}) == 1
    measured = [value for value in data["measured"] if value is not None]
    assert measured == [round(point.value, 1) for point in words.points()]
    assert sum(value is not None for value in data["mean"]) == len(words.forecast().points)


def test_pain_told_during_a_session_is_said_to_be(words) -> None:
    sessions = (words.session(0, pain=7, pain_told_during=True), words.session(1))
    figure = _figures(words, sessions=sessions)["Pain, last told"]
    assert (figure.value, figure.note) == ("7", "Told during the session; highest of the last 2: 7; effort 5 of 10")


def test_the_chart_is_told_in_words_and_as_tables(words) -> None:
    chart = course_chart(words.overview())
    assert chart.words == (
        "18 measurements: from 45° on day 5 to 74° ± 2° on day 50. The forecast expects 86° on day 112, "
        "with 90 % of measurements between 76° and 95°. The goal is 85°."
    )
    assert len(chart.measured) == 18
    assert (chart.measured[0].date, chart.measured[0].measured) == ("20 Sep 2026", "74° ± 2°")
    assert chart.forecast[0].day == "51"
    assert chart.forecast[-1].day == "112"


def test_one_point_without_a_forecast_is_still_drawn(words) -> None:
    overview = words.overview(course=words.course(words.points()[:1]), forecast=None)
    chart = course_chart(overview)
    assert chart.words == "One measurement: 45° ± 2° on day 5. The goal is 85°."
    assert chart.measured[0].expected == "–"
    assert chart.forecast == ()


def test_a_proposal_shows_only_what_changes_and_names_the_rest(words) -> None:
    card = proposal_card(words.proposal(target_excursion_deg=80), Exercises(), UTC)
    assert [(c.label, c.before, c.after, c.sense) for c in card.changes] == [("Range to reach", "75°", "80°", "more")]
    assert card.title == "Ask a little more"
    assert card.unchanged == "Unchanged: sets 3, repetitions 10, rest 60 s"
    assert card.rule == "progress_range"


@pytest.mark.parametrize(
    ("after", "title"),
    [
        ({"target_excursion_deg": 70}, "Ask a little less"),
        ({"repetitions": 8, "rest_s": 90}, "Ask a little less"),
        ({"repetitions": 12, "target_excursion_deg": 70}, "Change 2 parts of the dose"),
        ({"rest_s": 30}, "Change 1 part of the dose"),
        ({"repetitions": 10}, "Keep the program as it is"),
    ],
)
def test_a_proposals_title_says_which_way_it_goes(words, after, title) -> None:
    assert proposal_card(words.proposal(**after), Exercises(), UTC).title == title


def test_why_the_newest_session_was_stopped_is_one_line_on_top_for_clinicians(words) -> None:
    flag = "Red flag, did not exercise: calf pain"
    overview = words.overview(sessions=(words.session(0, stopped=flag), words.session(1)))
    page = _page(words, overview)
    assert page.stopped.startswith(f"{flag}. ")
    assert [row.stopped for row in page.sessions] == [flag, ""]
    assert _page(words, overview, reader="patient").stopped == ""
    older = words.overview(sessions=(words.session(0), words.session(1, stopped=flag)))
    assert _page(words, older).stopped == ""


def test_a_restriction_is_shown_while_it_holds(words) -> None:
    def limit(until):
        restriction = Restriction(
            exercise="knee.extension.seated", largest_excursion_deg=60, until=until, set_by="Dr S"
        )
        return (
            _page(words, words.overview(program=words.program(restrictions=(restriction,)))).program.exercises[0].limit
        )

    assert limit(None) == "Not beyond 60°, set by Dr S"
    assert limit(words.today) == "Not beyond 60° until 21 Sep 2026, set by Dr S"
    assert limit(words.today - timedelta(days=1)) is None


def test_of_several_restrictions_the_page_names_the_tightest_in_force(words) -> None:
    """As the safety envelope has it: whichever was written last says nothing."""
    limits = [(60, None), (85, None), (40, words.today - timedelta(days=1))]
    for order in (limits, limits[::-1]):
        restrictions = tuple(
            Restriction(exercise="knee.extension.seated", largest_excursion_deg=deg, until=until, set_by=f"Dr {deg}")
            for deg, until in order
        )
        page = _page(words, words.overview(program=words.program(restrictions=restrictions)))
        assert page.program.exercises[0].limit == "Not beyond 60°, set by Dr 60"


def test_an_exercise_that_only_a_newer_release_knows_keeps_its_code(words) -> None:
    newer = words.prescription().model_copy(update={"exercise": "hip.flexion.flying"})
    page = _page(words, words.overview(program=words.program(prescriptions=(newer,))))
    assert page.program.exercises[0].name == "hip.flexion.flying"


def test_old_sessions_are_one_click_away(words) -> None:
    page = _page(words, words.overview(sessions=tuple(words.session(index) for index in range(NEWEST + 3))))
    assert (len(page.sessions), len(page.earlier)) == (NEWEST, 3)


def test_a_session_row_tells_losses_and_what_was_not_judged(words) -> None:
    sessions = (words.session(samples_lost=1200), words.session(1, correct=0, not_judged=30, pain=None, range_deg=None))
    lost, unjudged = _page(words, words.overview(sessions=sessions)).sessions
    assert (lost.form, lost.form_rest, lost.lost, lost.lost_any) == (
        "25 of 28 correct",
        "2 not judged",
        "1\u202f200 samples",
        True,
    )
    assert (unjudged.form, unjudged.pain, unjudged.range, unjudged.lost) == ("none judged", "–", "–", "none")


def test_an_exercise_without_an_angle_is_prescribed_without_a_range(words) -> None:
    circles = words.prescription(target_excursion_deg=None).model_copy(update={"exercise": "ankle.circles"})
    shown = _page(words, words.overview(program=words.program(prescriptions=(circles,)))).program.exercises[0]
    assert (shown.name, shown.side, shown.target, shown.hold) == ("Ankle circles", "Right ankle", "", "")
    assert shown.picture.startswith("<svg ")
    held = circles.model_copy(update={"exercise": "neck.retraction"})
    shown = _page(words, words.overview(program=words.program(prescriptions=(held,)))).program.exercises[0]
    assert (shown.side, shown.hold) == ("Neck", "3 s")


def test_a_proposal_without_a_target_changes_the_rest_of_the_dose(words) -> None:
    before = words.prescription(target_excursion_deg=None)
    after = words.prescription(target_excursion_deg=None, repetitions=12)
    card = proposal_card(words.proposal().model_copy(update={"before": before, "after": after}), Exercises(), UTC)
    assert [(c.label, c.before, c.after) for c in card.changes] == [("Repetitions", "10", "12")]
    assert "range" not in card.unchanged
    assert card.picture.startswith("<svg ")
