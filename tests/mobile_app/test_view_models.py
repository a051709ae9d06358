"""View models need no window, and show what the events say."""

import subprocess
import sys

import pytest
from patient_scenes import (
    DOSE,
    NOW,
    SESSION,
    cue,
    finished,
    movement,
    repetition,
    sensors,
    session_of,
    session_until,
    snapshot,
    without_angle,
)

from analytics.domain.exercise import Side
from analytics.domain.live import (
    Command,
    Condition,
    ConditionsEvent,
    Cue,
    CueEvent,
    CueLevel,
    RepetitionEvent,
    SensorEvent,
    SessionState,
    StateEvent,
)
from analytics.domain.program import Dose
from analytics.exercises import exercise
from device_gateway.conditions import Trouble
from mobile_app.clients.follow import Link
from mobile_app.view_models.exercise import ExerciseViewModel


def test_no_window_is_loaded_for_the_phone_without_its_screens():
    code = (
        "import sys, tempfile, pathlib; from mobile_app.environment import prepare;"
        "prepare(pathlib.Path(tempfile.mkdtemp())); import mobile_app.phone;"
        "print([name for name in ('kivy.core.window', 'kivy.graphics', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert done.stderr == ""


NO_ANGLE = Dose(sets=2, repetitions=20, target_excursion_deg=None)


class Exercising:
    """A view model with its commands and calls on record."""

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.calls: list[str] = []
        self.vm = ExerciseViewModel(
            self.commands.append,
            now=lambda: NOW,
            on_retry=lambda: self.calls.append("retry"),
            on_leave=lambda: self.calls.append("leave"),
            on_rated=lambda: self.calls.append("rated"),
        )
        self.vm.prepare(
            exercise="knee.extension.seated",
            side=Side.RIGHT,
            dose=DOSE,
            limit_deg=75,
            precautions=("Do not move further than 75°.",),
        )
        self.vm.hear_link(Link.CONNECTED, "")

    def hear(self, *events) -> None:
        for event in events:
            self.vm.hear(event)

    @property
    def banner(self) -> tuple[str, str]:
        return self.vm.banner_text, self.vm.banner_level


@pytest.fixture
def exercising() -> Exercising:
    return Exercising()


def test_repetitions_and_sets_are_the_gateways(exercising):
    exercising.hear(*session_until(12))
    vm = exercising.vm
    assert (vm.repetitions, vm.repetitions_asked, vm.set_number, vm.sets, vm.total) == (2, 10, 2, 3, 12)
    assert vm.best_deg == max(repetition(n).excursion_deg for n in range(1, 13))
    assert vm.session_id == SESSION


def test_angles_move_the_gauge_and_the_trace(exercising):
    events = list(movement(1, 0.5))
    exercising.hear(snapshot(SessionState.EXERCISING), *events)
    assert exercising.vm.moving
    assert exercising.vm.excursion_deg == events[-1].excursion_deg
    assert not exercising.vm.showing
    assert list(exercising.vm.trace) == [(event.time_s, event.excursion_deg) for event in events]


def test_a_new_session_begins_at_nothing(exercising):
    exercising.hear(*session_until(5))
    other = SESSION.__class__(int=SESSION.int + 1)
    exercising.hear(snapshot(SessionState.CONNECTING, session=other))
    vm = exercising.vm
    assert (vm.repetitions, vm.total, vm.best_deg, vm.moving, len(vm.trace)) == (0, 0, 0, False, 0)


def test_joining_late_takes_over_what_was_counted(exercising):
    exercising.hear(snapshot(SessionState.EXERCISING).model_copy(update={"repetitions": 4, "total_repetitions": 14}))
    assert (exercising.vm.repetitions, exercising.vm.total) == (4, 14)


@pytest.mark.parametrize(
    ("state", "action", "said"),
    [
        (SessionState.IDLE, "start", "Press Start"),
        (SessionState.CONNECTING, "", "Looking for your sensors"),
        (SessionState.CHOOSING, "start", "Press Start"),
        (SessionState.CHECKING_IN, "", "waits for the answers"),
        (SessionState.PLACING, "pause", "getting to know your knee"),
        (SessionState.STILL, "pause", "Keep quite still"),
        (SessionState.RATING, "finish", "all for today"),
        (SessionState.CALIBRATING, "pause", "getting to know your knee"),
        (SessionState.EXERCISING, "pause", "at your own pace"),
        (SessionState.PAUSED, "resume", "Paused"),
        (SessionState.FINISHED, "start", "finished"),
    ],
)
def test_each_state_says_what_can_be_done(exercising, state, action, said):
    exercising.hear(snapshot(state))
    assert exercising.vm.action == action
    assert said in exercising.vm.banner_text
    exercising.vm.act()
    sent = {"": [], "start": [], "finish": ["stop"]}.get(action, [action])
    assert [command.command for command in exercising.commands] == sent
    assert (exercising.vm.check_in.stage != "") == (action == "start"), "Start asks first"


def test_the_banner_says_the_most_important_thing(exercising):
    exercising.hear(snapshot(SessionState.EXERCISING), cue("A little slower.", CueLevel.WARN))
    assert exercising.banner == ("A little slower.", "warn")
    exercising.hear(SensorEvent(sequence=0, sensor=sensors(shank=False)[1]))
    assert exercising.banner[0].startswith("The sensor on your right lower leg is silent")
    assert (exercising.vm.sensors_text, exercising.vm.sensors_well) == ("Sensor silent", False)
    exercising.vm.hear_link(Link.UNREACHABLE, "Your gateway does not answer.")
    assert exercising.banner == ("Your gateway does not answer.", "warn")
    assert exercising.vm.action == "retry"
    exercising.vm.it_hurts()
    assert exercising.banner[1] == "stop"


@pytest.mark.parametrize("trouble", Trouble)
def test_what_is_not_well_is_said_and_hides_nothing(exercising, trouble):
    bad = Condition(code=trouble.value, sentence=f"{trouble} is not well.")
    other = Condition(code="other", sentence="Neither is this.")
    exercising.hear(snapshot(SessionState.EXERCISING), ConditionsEvent(conditions=(bad, other)))
    vm = exercising.vm
    exercising.hear(cue("A little slower.", CueLevel.WARN))
    assert (vm.condition_text, exercising.banner) == (bad.sentence, ("A little slower.", "warn"))
    vm.it_hurts()
    assert exercising.banner[1] == "stop"
    vm.hear_link(Link.UNREACHABLE, "Your gateway does not answer.")
    assert vm.condition_text == "", "nobody knows whether it is still so"
    vm.hear_link(Link.CONNECTED, "")
    exercising.hear(snapshot(SessionState.EXERCISING).model_copy(update={"conditions": (other,)}))
    assert vm.condition_text == other.sentence
    exercising.hear(ConditionsEvent(conditions=()))
    assert vm.condition_text == ""


def test_precautions_stay_until_the_movements_begin(exercising):
    vm = exercising.vm
    assert vm.precautions_text == "Do not move further than 75°."
    told = ("Not beyond 60°.", "Brace locked at 0°.")
    said = Cue(code="precautions", text=" ".join(told), level=CueLevel.INFO)
    exercising.hear(snapshot(SessionState.CHECKING_IN).model_copy(update={"precautions": told}), CueEvent(cue=said))
    assert "waits for the answers" in vm.banner_text, "it is not said twice"
    for state, shown in ((SessionState.CONNECTING, "\n".join(told)), (SessionState.CALIBRATING, "")):
        exercising.hear(StateEvent(state=state))
        assert vm.precautions_text == shown


def test_the_limit_is_that_of_the_exercise_that_is_led_through(exercising):
    vm = exercising.vm
    led = snapshot(SessionState.CONNECTING)
    exercising.hear(led)
    assert vm.limit_deg == 75, "a gateway of before does not tell it"
    exercising.hear(led.model_copy(update={"limit_deg": 70.0}))
    assert vm.limit_deg == 70
    exercising.hear(led.model_copy(update={"side": Side.LEFT, "limit_deg": None}))
    assert (vm.limit_deg, vm.precautions_text, vm.joint, vm.side) == (None, "", "Left knee", Side.LEFT)


def test_a_cue_is_about_the_repetition_before_only(exercising):
    exercising.hear(snapshot(SessionState.EXERCISING), cue("A little slower.", CueLevel.WARN))
    exercising.hear(RepetitionEvent(sequence=0, set_number=1, count_in_set=2, repetition=repetition(2)))
    assert "slower" not in exercising.vm.banner_text


def test_why_a_session_cannot_start_is_said(exercising):
    exercising.hear(snapshot(SessionState.IDLE), cue("The sensors are not there.", CueLevel.WARN))
    assert exercising.banner == ("The sensors are not there.", "warn")
    exercising.hear(StateEvent(sequence=0, state=SessionState.CONNECTING))
    assert exercising.banner[0].startswith("Looking for your sensors")


def test_pain_without_a_session_commands_nothing_else(exercising):
    exercising.hear(snapshot(SessionState.IDLE))
    exercising.vm.it_hurts()
    exercising.vm.rate_pain(2)
    exercising.vm.go_on()
    assert {command.command for command in exercising.commands} == {"hurts"}


def test_the_end_of_a_set_is_said_with_its_rest(exercising):
    exercising.hear(snapshot(SessionState.EXERCISING))
    exercising.hear(StateEvent(sequence=0, state=SessionState.EXERCISING, set_number=2))
    assert exercising.banner == ("Set 1 is done. Rest for about 60 seconds, then go on.", "good")
    assert (exercising.vm.repetitions, exercising.vm.set_number) == (0, 2)


def test_a_low_battery_is_shown(exercising):
    low = sensors()[0].model_copy(update={"battery_percent": 9})
    exercising.hear(snapshot(SessionState.EXERCISING), SensorEvent(sequence=0, sensor=low))
    assert (exercising.vm.sensors_text, exercising.vm.sensors_well) == ("Battery 9 %", False)


def test_an_empty_battery_is_low_too(exercising):
    empty = sensors()[0].model_copy(update={"battery_percent": 0})
    exercising.hear(snapshot(SessionState.EXERCISING), SensorEvent(sequence=0, sensor=empty))
    assert exercising.vm.sensors_text == "Battery 0 %"


def test_it_hurts_is_told_at_once_and_again_with_its_number(exercising):
    exercising.hear(snapshot(SessionState.EXERCISING))
    exercising.vm.it_hurts()
    assert exercising.commands == [Command(command="hurts")]
    assert exercising.vm.hurt == "asking"
    exercising.vm.rate_pain(7)
    assert exercising.commands[-1] == Command(command="hurts", pain=7)
    assert (exercising.vm.pain, exercising.vm.hurt, exercising.calls) == (7, "rated", ["rated"])
    exercising.vm.end()
    assert exercising.commands[-1] == Command(command="stop")
    assert exercising.vm.hurt == ""


def test_leaving_a_session_that_is_under_way_asks_first(exercising):
    exercising.hear(snapshot(SessionState.EXERCISING))
    exercising.vm.leave()
    assert exercising.vm.asking_end
    assert exercising.commands == [Command(command="pause")]
    exercising.vm.go_on()
    assert exercising.commands[-1] == Command(command="resume")
    assert not exercising.calls
    exercising.vm.hear_link(Link.UNREACHABLE, "Your gateway does not answer.")
    exercising.vm.leave()
    assert exercising.calls == ["leave"]


def test_a_finished_session_can_be_left(exercising):
    exercising.hear(snapshot(SessionState.EXERCISING), finished(3))
    assert exercising.vm.state is SessionState.FINISHED
    exercising.vm.leave()
    assert exercising.calls == ["leave"]


def test_without_an_angle_the_movement_is_shown_and_repetitions_count(exercising):
    vm = exercising.vm
    pendulum = exercise("shoulder.pendulum")
    vm.prepare(exercise=pendulum.code, side=Side.LEFT, dose=NO_ANGLE, limit_deg=None)
    assert (vm.title, vm.joint, vm.followed, vm.target_deg) == ("Pendulum", "Left shoulder", False, 0)
    assert vm.tempo == "At your own pace"
    exercising.hear(*session_of(pendulum, Side.LEFT, NO_ANGLE, 0))
    assert (vm.repetitions, vm.best_deg, vm.last_s) == (5, 0, 4)
    assert vm.showing
    vm.it_hurts()
    assert (vm.showing, vm.let_go) == (False, "Let your arm rest.")


def test_an_exercise_that_has_an_angle_may_be_counted_by_its_pattern(exercising):
    exercising.hear(snapshot(SessionState.EXERCISING))
    assert exercising.vm.followed
    exercising.hear(RepetitionEvent(set_number=1, count_in_set=1, repetition=without_angle(1)))
    assert (exercising.vm.followed, exercising.vm.total) == (False, 1)
    exercising.hear(*list(movement(2, 0.2)))
    assert exercising.vm.followed


@pytest.mark.parametrize(
    ("code", "position", "relief"),
    [
        ("knee.extension.seated", "Sit down comfortably.", "Put your foot down."),
        ("knee.squat", "Stand comfortably, with something firm near you.", "Sit down if you can."),
        ("hip.extension.prone", "Lie down on your front.", "Put your leg down."),
        ("trunk.pelvic_tilt", "Lie down on your back.", "Let go."),
    ],
)
def test_what_is_said_fits_the_exercise(exercising, code, position, relief):
    exercising.vm.prepare(exercise=code, side=Side.RIGHT, dose=DOSE, limit_deg=None)
    assert exercising.vm.banner_text.startswith(position)
    assert exercising.vm.let_go == relief
