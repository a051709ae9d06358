"""What is shown before an exercise and after it."""

from datetime import timedelta

from patient_scenes import DOSE, NOW, SESSION, assignment, repetition, report

from analytics.domain.exercise import Side
from analytics.domain.program import Dose
from mobile_app.store import SavedSession
from mobile_app.view_models.after import AfterViewModel
from mobile_app.view_models.today import TodayViewModel

NO_ANGLE = Dose(sets=2, repetitions=20, target_excursion_deg=None)
OWN = """
code = "clinic.reach"
name = "Reach up"
joint = "shoulder"
posture = "sitting"
position = "Sit tall."
instructions = ["Reach up."]
sources = ["Our clinic."]
cues = {}
contraindications = {}
[sensors]
required = ["forearm"]
[repetition]
kind = "out_and_back"
[dose]
sets = 1
repetitions = 5
[drawing]
poses = [{}, { shoulder_flexion = 160 }]
"""


def test_today_says_the_program_in_plain_words():
    vm = TodayViewModel()
    vm.greet("Maria Lindqvist", NOW)
    vm.show(assignment(Side.LEFT), NOW)
    assert (vm.greeting, vm.name, vm.day) == ("Good morning", "Maria Lindqvist", "Monday, 23 November")
    assert (vm.title, vm.joint, vm.side) == ("Seated knee extension", "Left knee", Side.LEFT)
    assert (vm.sets, vm.repetitions, list(vm.third), vm.minutes) == (3, 10, ["60°", "to move"], 6)
    assert list(vm.restrictions) == ["Do not move further than 75° until 12 December. Set by Dr Okafor."]
    assert vm.can_start
    vm.show(assignment(), NOW + timedelta(days=30))
    assert list(vm.restrictions) == []


def test_today_asks_for_no_more_than_the_limit_of_the_day():
    vm = TodayViewModel()
    vm.show(assignment(limit_deg=50), NOW)
    assert vm.third[0] == "50°"
    vm.show(assignment(limit_deg=50), NOW + timedelta(days=30))
    assert vm.third[0] == "60°", "the limit has ended"


def test_an_exercise_this_app_does_not_know_is_said():
    vm = TodayViewModel()
    vm.show(assignment(exercise="ankle.alphabet"), NOW)
    assert not vm.can_start
    assert "Update the app" in vm.notice


def test_an_exercise_without_an_angle_is_shown_all_the_same():
    vm = TodayViewModel()
    vm.show(assignment(exercise="ankle.circles", dose=NO_ANGLE), NOW)
    assert (vm.title, vm.joint, list(vm.third)) == ("Ankle circles", "Right ankle", ["", ""])
    vm.show(assignment(exercise="neck.retraction", dose=NO_ANGLE), NOW)
    assert (vm.joint, list(vm.third)) == ("Neck", ["3 s", "to hold"])


def test_a_clinics_own_exercise_is_shown_by_what_came_with_the_program():
    vm = TodayViewModel()
    vm.show(assignment(exercise="clinic.reach", dose=NO_ANGLE), NOW)
    assert not vm.can_start
    vm.show(assignment(exercise="clinic.reach", dose=NO_ANGLE, own={"clinic.reach": OWN}), NOW)
    assert (vm.title, vm.can_start) == ("Reach up", True)
    assert vm.exercise.code == "clinic.reach"


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
