"""The questions before exercising, and the steps of a session that came with them."""

import pytest
from patient_scenes import DOSE, NOW, SESSION, snapshot

from analytics.domain.check_in import CheckIn, RedFlag, Swelling
from analytics.domain.live import Command, SessionState, StateEvent
from analytics.safety.rules import load_rules
from mobile_app.clients.follow import Link
from mobile_app.view_models.check_in import CheckInViewModel
from mobile_app.view_models.exercise import ExerciseViewModel


@pytest.fixture
def answered() -> list[CheckIn]:
    return []


@pytest.fixture
def asked(answered) -> CheckInViewModel:
    vm = CheckInViewModel(lambda: NOW, on_answered=answered.append, on_close=lambda: None)
    vm.begin()
    return vm


def test_every_question_is_asked_once_and_the_answers_are_told_together(asked, answered):
    questions = []
    for answer in ("No", "No", "No", "No", 2, 1, "No, as before"):
        questions.append(asked.question)
        asked.rate(answer) if isinstance(answer, int) else asked.choose(answer)
    assert questions[:4] == [rule.question for rule in load_rules().red_flag.values()]
    assert len(set(questions)) == 7
    assert answered == [CheckIn(pain_now=2, pain_this_morning=1, swelling=Swelling.SAME, red_flags=(), given_at=NOW)]
    assert asked.stage == ""


@pytest.mark.parametrize("place", range(4))
def test_a_red_flag_ends_the_questions_with_what_to_do(asked, answered, place):
    flag, rule = list(load_rules().red_flag.items())[place]
    for _ in range(place):
        asked.choose("No")
    asked.choose("Yes")
    assert (asked.stage, asked.reason) == ("refused", rule.what_to_do)
    assert [check_in.red_flags for check_in in answered] == [(flag,)]


def test_strong_pain_before_is_refused_too(asked, answered):
    for _ in RedFlag:
        asked.choose("No")
    asked.rate(8)
    asked.rate(2)
    asked.choose("It is not swollen")
    assert asked.stage == "refused"
    assert "8 of 10" in asked.reason
    assert answered[0].pain_now == 8


def test_an_answer_to_another_question_is_not_taken(asked, answered):
    asked.rate(3)
    asked.choose("Yes, more")
    assert asked.question == next(iter(load_rules().red_flag.values())).question
    assert answered == []


class Exercising:
    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.left = 0
        self.vm = ExerciseViewModel(
            self.commands.append, now=lambda: NOW, on_retry=print, on_leave=self.leave, on_rated=print
        )
        self.vm.hear_link(Link.CONNECTED, "")

    def leave(self) -> None:
        self.left += 1


@pytest.fixture
def exercising() -> Exercising:
    return Exercising()


def test_not_now_begins_nothing(exercising):
    exercising.vm.hear(snapshot(SessionState.IDLE))
    exercising.vm.act()
    assert exercising.vm.check_in.stage == "choice"
    exercising.vm.check_in.close()
    assert (exercising.commands, exercising.left) == ([], 1)


def test_a_rest_counts_down_and_can_be_ended(exercising):
    vm = exercising.vm
    vm.hear(snapshot(SessionState.EXERCISING, session=SESSION))
    vm.hear(StateEvent(sequence=0, state=SessionState.RESTING, set_number=2, rest_s=60))
    assert (vm.action, vm.banner_text, vm.set_number) == ("skip", "Rest. 60 seconds to go.", 2)
    vm.hear(StateEvent(sequence=0, state=SessionState.RESTING, set_number=2, rest_s=59))
    assert (vm.rest_s, vm.banner_text) == (59, "Rest. 59 seconds to go.")
    vm.act()
    assert exercising.commands == [Command(command="skip")]
    vm.hear(StateEvent(sequence=0, state=SessionState.EXERCISING, set_number=2))
    assert (vm.action, vm.rest_s) == ("pause", 0)


def test_a_smaller_dose_is_shown_as_soon_as_it_is_told(exercising):
    vm = exercising.vm
    vm.hear(snapshot(SessionState.EXERCISING))
    less = DOSE.model_copy(update={"repetitions": 7, "target_excursion_deg": 50})
    vm.hear(StateEvent(sequence=0, state=SessionState.EXERCISING, dose=less))
    assert (vm.repetitions_asked, vm.target_deg) == (7, 50)


def test_finish_at_the_end_ends_the_session(exercising):
    exercising.vm.hear(snapshot(SessionState.RATING))
    exercising.vm.act()
    assert exercising.commands == [Command(command="stop")]
