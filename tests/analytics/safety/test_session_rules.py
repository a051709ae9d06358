"""Before and within a session: red flags stop, strong pain stops, some pain eases, and easing never asks for more."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.domain.check_in import CheckIn, RedFlag, Swelling
from analytics.domain.program import Dose, Restriction
from analytics.domain.session import EasingAction
from analytics.safety.precautions import precaution
from analytics.safety.rules import SHIPPED, RulesError, load_rules, parse_rules
from analytics.safety.session import before_session, eased, hurts_now

RULES = load_rules()
NOW = datetime(2026, 11, 23, tzinfo=UTC)
PAIN = st.one_of(st.none(), st.integers(0, 10))
ANSWERS = st.builds(
    CheckIn, pain_now=PAIN, pain_this_morning=PAIN, swelling=st.one_of(st.none(), st.sampled_from(Swelling)),
    red_flags=st.one_of(st.none(), st.lists(st.sampled_from(RedFlag), unique=True).map(tuple)), given_at=st.just(NOW),
)  # fmt: skip
DOSES = st.builds(
    Dose, sets=st.integers(1, 20), repetitions=st.integers(1, 100), target_excursion_deg=st.floats(1, 180)
)


@given(ANSWERS)
def test_every_red_flag_stops_with_what_to_do_for_each_the_most_urgent_first(answers: CheckIn) -> None:
    advice = before_session(answers, RULES)
    if answers.red_flags:
        assert advice is not None
        assert advice.action is EasingAction.STOPPED
        said = [
            advice.reason.index(RULES.red_flag[flag].what_to_do) for flag in RULES.red_flag if flag in answers.red_flags
        ]
        assert said == sorted(said)
        assert advice.rule == f"red_flag.{next(flag for flag in RULES.red_flag if flag in answers.red_flags)}"


@pytest.mark.parametrize("flag", RedFlag)
def test_each_red_flag_has_a_question_and_says_whom_to_call(flag: RedFlag) -> None:
    rule = RULES.red_flag[flag]
    assert rule.question.endswith("?")
    assert "Do not exercise" in rule.what_to_do
    assert "Call" in rule.what_to_do
    assert len(rule.source) > 40


def test_chest_pain_is_an_emergency_call_and_stands_first() -> None:
    assert next(iter(RULES.red_flag)) is RedFlag.CHEST_PAIN_OR_BREATHLESSNESS
    assert "112" in RULES.red_flag[RedFlag.CHEST_PAIN_OR_BREATHLESSNESS].what_to_do


@pytest.mark.parametrize(
    ("now", "morning", "swelling", "action"),
    [
        (None, None, None, None),
        (2, 2, Swelling.SAME, None),
        (3, 0, None, EasingAction.EASED),
        (0, 5, None, EasingAction.EASED),
        (0, 0, Swelling.MORE, EasingAction.EASED),
        (6, 0, None, EasingAction.STOPPED),
        (0, 6, Swelling.MORE, EasingAction.STOPPED),
    ],
)
def test_pain_and_swelling_before_the_session(
    now: int | None, morning: int | None, swelling: Swelling | None, action: EasingAction | None
) -> None:
    advice = before_session(CheckIn(pain_now=now, pain_this_morning=morning, swelling=swelling, given_at=NOW), RULES)
    assert (advice.action if advice else None) is action
    if advice is not None:
        assert advice.rule == "before_session"


@given(ANSWERS)
def test_not_asked_is_left_out_of_the_wire_form_and_read_back_as_such(answers: CheckIn) -> None:
    assert CheckIn.model_validate_json(answers.model_dump_json()) == answers
    assert ("red_flags" in answers.model_dump(mode="json")) == (answers.red_flags is not None)


def test_the_pain_of_this_morning_was() -> None:
    advice = before_session(CheckIn(pain_now=1, pain_this_morning=6, given_at=NOW), RULES)
    assert advice is not None
    assert advice.reason.startswith("Your pain this morning was 6 of 10.")


def test_a_limit_is_told_rounded_down() -> None:
    told = precaution(Restriction(exercise="any", largest_excursion_deg=67.6, set_by="Dr Surgeon"))
    assert told == "Do not move further than 67°. Set by Dr Surgeon."


@given(ANSWERS, st.integers(0, 10))
def test_more_pain_never_leads_to_less_caution(answers: CheckIn, more: int) -> None:
    order = [None, EasingAction.EASED, EasingAction.STOPPED]

    def caution(pain: int | None) -> int:
        advice = before_session(answers.model_copy(update={"pain_now": pain}), RULES)
        return order.index(advice.action if advice else None)

    assert caution(max(more, answers.pain_now or 0)) >= caution(answers.pain_now)


def test_it_hurts_in_the_session() -> None:
    said = {pain: hurts_now(pain, RULES) for pain in range(11)}
    assert [advice.action if advice else None for advice in said.values()] == [
        *[None] * 3,
        *[EasingAction.EASED] * 3,
        *[EasingAction.STOPPED] * 5,
    ]
    unrated = hurts_now(None, RULES)
    assert unrated is not None
    assert unrated.action is EasingAction.EASED


@given(DOSES)
def test_an_eased_dose_asks_for_no_more_and_stays_a_dose(dose: Dose) -> None:
    less = eased(dose, RULES)
    assert Dose.model_validate(less.model_dump()) == less
    assert less.repetitions <= dose.repetitions
    assert less.target_excursion_deg <= dose.target_excursion_deg
    assert less.repetitions >= min(dose.repetitions, RULES.dose.smallest_repetitions)
    assert less.target_excursion_deg >= min(dose.target_excursion_deg, RULES.dose.smallest_excursion_deg)
    assert (less.sets, less.rest_s) == (dose.sets, dose.rest_s)


def test_a_table_without_one_of_the_red_flags_is_refused() -> None:
    text = SHIPPED.read_text("utf-8")
    assert "[red_flag.numbness]" in text
    with pytest.raises(RulesError, match=r"red_flag\.numbness is missing"):
        parse_rules(text[: text.index("[red_flag.numbness]")])
