"""View models need no window, and show what the events say."""

import subprocess
import sys
from datetime import timedelta

import pytest
from patient_scenes import (
    DOSE,
    NOW,
    SESSION,
    assignment,
    cue,
    finished,
    movement,
    repetition,
    report,
    sensors,
    session_until,
    snapshot,
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
from device_gateway.conditions import Trouble
from mobile_app.clients.follow import Link
from mobile_app.store import SavedSession
from mobile_app.view_models.after import AfterViewModel
from mobile_app.view_models.exercise import ExerciseViewModel
from mobile_app.view_models.today import TodayViewModel


def test_no_window_is_loaded_for_the_phone_without_its_screens():
    code = (
        "import sys, tempfile, pathlib; from mobile_app.environment import prepare;"
        "prepare(pathlib.Path(tempfile.mkdtemp())); import mobile_app.phone;"
        "print([name for name in ('kivy.core.window', 'kivy.graphics', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert done.stderr == ""


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
            title="Seated knee extension",
            joint="Right knee",
            dose=DOSE,
            rest_deg=90,
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
    assert exercising.vm.flexion_deg == events[-1].flexion_deg
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
        (SessionState.STILL, "pause", "Sit still"),
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
    assert (vm.limit_deg, vm.precautions_text, vm.joint, vm.mirrored) == (None, "", "Left knee", True)


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


def test_today_says_the_program_in_plain_words():
    vm = TodayViewModel()
    vm.greet("Maria Lindqvist", NOW)
    vm.show(assignment(Side.LEFT), NOW)
    assert (vm.greeting, vm.name, vm.day) == ("Good morning", "Maria Lindqvist", "Monday, 23 November")
    assert (vm.title, vm.joint, vm.mirrored) == ("Seated knee extension", "Left knee", True)
    assert (vm.sets, vm.repetitions, vm.target_deg, vm.minutes) == (3, 10, 60, 6)
    assert list(vm.restrictions) == ["Do not move further than 75° until 12 December. Set by Dr Okafor."]
    assert vm.can_start
    vm.show(assignment(), NOW + timedelta(days=30))
    assert list(vm.restrictions) == []


def test_today_asks_for_no_more_than_the_limit_of_the_day():
    vm = TodayViewModel()
    vm.show(assignment(limit_deg=50), NOW)
    assert vm.target_deg == 50
    vm.show(assignment(limit_deg=50), NOW + timedelta(days=30))
    assert vm.target_deg == 60, "the limit has ended"


def test_an_exercise_this_app_does_not_know_is_said():
    vm = TodayViewModel()
    vm.show(assignment(exercise="ankle.alphabet"), NOW)
    assert not vm.can_start
    assert "Update the app" in vm.notice


def test_an_exercise_without_an_angle_is_shown_all_the_same():
    vm = TodayViewModel()
    vm.show(assignment(exercise="ankle.circles"), NOW)
    assert (vm.title, vm.joint, vm.rest_flexion_deg) == ("Ankle circles", "Right ankle", 0)


def test_after_sends_both_numbers_once():
    said = []
    vm = AfterViewModel(lambda: NOW, said.append)
    saved = SavedSession(SESSION, report(28).repetitions, report(28))
    vm.open(saved, DOSE, "right knee", pain=None)
    assert vm.did.startswith("You did 28 of 30 repetitions and moved your right knee ")
    assert "nobody has measured" in vm.zero
    vm.send()
    vm.pain = 0
    vm.send()
    assert said == []
    vm.effort = 10
    vm.send()
    vm.send()
    assert [(one.session_id, one.pain, one.effort, one.given_at) for one in said] == [(SESSION, 0, 10, NOW)]
    assert vm.stage == "waiting"
    vm.sent()
    assert vm.stage == "sent"


def test_after_pain_does_not_say_well_done():
    vm = AfterViewModel(lambda: NOW, print)
    vm.open(SavedSession(SESSION, (repetition(1),), None), DOSE, "right knee", pain=6)
    assert vm.headline != "Well done"
    assert vm.pain == 6
