"""The figure in the app is the catalogue's drawing, of every exercise, and moves with the joint."""

import pytest

from analytics.domain.exercise import Side
from analytics.exercises import catalogue, exercise
from analytics.exercises.drawing import Figure

ALL = list(catalogue().values())


@pytest.fixture
def figure(phone_window):
    from mobile_app.widgets.exercise_figure import ExerciseFigure  # noqa: PLC0415  opens the window

    widget = ExerciseFigure(size=(300, 300), size_hint=(None, None))
    phone_window.add_widget(widget)
    yield widget
    widget.showing = False
    phone_window.remove_widget(widget)


def middle(figure, name: str) -> float:
    """Where a stroke's points are on the screen, from left to right."""
    names = [stroke.name for _, stroke in figure._strokes()]
    chain = figure._shapes[len(names) - 1 - names[::-1].index(name)][1]
    return sum(disc._ellipse.pos[0] + disc._ellipse.size[0] / 2 for disc in chain._discs) / len(chain._discs)


def extent(figure) -> list[float]:
    """Left, bottom, right and top of what is drawn."""
    ellipses = [disc._ellipse for _, chain in figure._shapes for disc in chain._discs]
    low = [min(e.pos[axis] for e in ellipses) for axis in (0, 1)]
    return [*low, *(max(e.pos[axis] + e.size[axis] for e in ellipses) for axis in (0, 1))]


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.code)
def test_every_exercise_is_drawn_inside_its_place(figure, one):
    figure.exercise = one
    figure.excursion = figure._figure.range_deg
    assert len(figure._shapes) == len(figure._strokes()) > 25
    if one.drawing.focus == "whole":
        left, bottom, right, top = extent(figure)
        assert figure.x <= left < right <= figure.right
        assert figure.y <= bottom < top <= figure.top


def test_it_stands_where_the_joint_stands_and_never_beyond_the_drawing(figure):
    figure.exercise = exercise("knee.extension.seated")
    foot = [
        (setattr(figure, "excursion", deg), figure.phase, middle(figure, "foot"))[1:] for deg in (-5, 0, 41, 82, 95)
    ]
    assert [phase for phase, _ in foot] == [0, 0, 0.5, 1, 1]
    assert foot[0] == foot[1]
    assert foot[1][1] < foot[2][1] < foot[3][1] == foot[4][1], "the foot goes forward, to the right"


def test_the_left_side_looks_the_other_way(figure):
    figure.exercise, figure.excursion = exercise("knee.extension.seated"), 60
    right = middle(figure, "foot") - figure.center_x
    figure.side = Side.LEFT
    assert middle(figure, "foot") - figure.center_x == pytest.approx(-right, abs=0.5)


def test_where_nothing_is_followed_it_goes_through_its_poses_until_it_shall_not(figure):
    from window_driver import pump  # noqa: PLC0415

    figure.exercise, figure.showing = exercise("shoulder.pendulum"), True
    phases = []
    for _ in range(3):
        pump(2, seconds=0.1)
        phases.append(figure.phase)
    assert 0 < phases[0] < phases[1] < phases[2]
    figure.showing = False
    pump(2, seconds=0.1)
    assert figure.phase == 0


def test_an_exercise_that_is_not_known_is_no_picture(figure):
    figure.exercise = exercise("knee.squat")
    figure.exercise = None
    assert figure._shapes == []


def test_the_target_stands_behind_as_far_as_it_is(figure):
    figure.exercise, figure.target = exercise("knee.extension.seated"), 41
    assert figure._ghost_phase(Figure(figure.exercise)) == 0.5
