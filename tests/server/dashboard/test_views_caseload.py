from __future__ import annotations

from datetime import UTC, datetime

from server.dashboard.views.caseload import caseload
from server.dashboard.views.sparkline import HEIGHT, WIDTH, sparkline


def _caseload(words, *patients):
    return caseload(patients, tolerated_pain=5, today=words.today, zone=UTC)


def _named(words, name: str, **changes):
    return words.overview(summary=words.summary(id=name, name=name, **changes))


def test_a_patient_on_their_way_needs_nothing(words) -> None:
    view = _caseload(words, words.overview())
    assert view.first == ()
    assert [row.name for row in view.others] == ["Anna Example"]
    assert view.headline == "1 patient. Nobody needs you right now."


def test_the_gravest_reason_comes_first_and_the_rest_by_name(words) -> None:
    pain = words.overview(summary=words.summary(name="Zoe"), sessions=(words.session(pain=6),))
    proposal = _named(words, "Adam", proposal_waiting=True)
    silent = _named(words, "Abel", last_session_at=datetime(2026, 9, 12, tzinfo=UTC))
    view = _caseload(words, silent, _named(words, "Cleo"), proposal, _named(words, "Ben"), pain)
    assert [row.name for row in view.first] == ["Zoe", "Adam", "Abel"]
    assert [[reason.text for reason in row.reasons] for row in view.first] == [
        ["Pain 6 of 10"],
        ["Proposal"],
        ["No session for 9 days"],
    ]
    assert [row.name for row in view.others] == ["Ben", "Cleo"]
    assert view.headline == "5 patients. 3 need a look first."


def test_tolerated_pain_and_pain_of_an_older_session_are_no_reason(words) -> None:
    sessions = (words.session(0, pain=5), words.session(1, pain=9))
    assert _caseload(words, words.overview(sessions=sessions)).first == ()


def test_pain_told_during_the_session_is_said_to_be(words) -> None:
    (row,) = _caseload(words, words.overview(sessions=(words.session(pain=9, pain_told_during=True),))).first
    assert row.reasons[0].text == "Pain 9 of 10, told during the session"


def test_a_last_session_that_hurt_without_a_number_is_a_reason(words) -> None:
    hurt = words.session(0, pain=2, hurt_unrated=True)
    (row,) = _caseload(words, words.overview(sessions=(hurt, words.session(1)))).first
    assert row.reasons[0].text == "Said to hurt, without a number"
    before = (words.session(0), words.session(1, hurt_unrated=True))
    assert _caseload(words, words.overview(sessions=before)).first == ()


def test_the_latest_answer_counts_where_the_last_session_has_none(words) -> None:
    sessions = (words.session(0, pain=None), words.session(1, pain=9))
    (row,) = _caseload(words, words.overview(sessions=sessions)).first
    assert row.reasons[0].text == "Pain 9 of 10"


def test_a_measurement_below_the_forecasts_band_is_a_reason(words) -> None:
    points = words.points(last=74.0)
    dropped = (*points[:-1], points[-1].model_copy(update={"value": 55.0}))
    (row,) = _caseload(words, words.overview(course=words.course(dropped))).first
    assert [reason.text for reason in row.reasons] == ["Below its forecast"]


def test_a_new_patient_has_no_course_and_is_said_to_have_none(words) -> None:
    (row,) = _caseload(words, words.new_patient()).first
    assert [reason.text for reason in row.reasons] == ["No session yet"]
    assert (row.sparkline, row.range_now, row.to_go, row.last_session) == (None, "–", "not measured", "never")


def test_what_is_left_to_the_goal_is_never_nothing_before_it_is_reached(words) -> None:
    def to_go(latest: float) -> str:
        return _caseload(words, words.overview(summary=words.summary(latest_range_deg=latest))).others[0].to_go

    assert (to_go(74), to_go(84.6), to_go(85)) == ("11° to go", "under 1° to go", "goal reached")


def test_nobody_enrolled(words) -> None:
    assert _caseload(words).headline == "Nobody is enrolled yet."


def test_a_sparkline_stays_inside_its_box_and_holds_the_goal() -> None:
    line = sparkline([40.0, 60.0, 55.0, 90.0], 85.0)
    assert line is not None
    places = [tuple(map(float, point.split(","))) for point in line.points.split()]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in places)
    assert places[-1] == (line.last_x, line.last_y)
    assert places[3][1] < line.goal_y < places[1][1]  # up is less in SVG: 90 above 85 above 60
    assert line.words == "Last 4 measurements from 40° to 90°, goal 85°"


def test_a_sparkline_of_equal_values_or_of_one() -> None:
    assert sparkline([50.0, 50.0], 50.0) is not None
    assert sparkline([50.0], 80.0) is None
