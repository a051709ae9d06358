"""No proposal ever outside the envelope, judged by an oracle that shares no code with the room it judges.

The oracle reads `rules.toml` itself and is written from the words of that table.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import analytics.safety
from analytics.adaptation.history import SessionOutcome
from analytics.adaptation.proposal import propose
from analytics.domain.exercise import Side
from analytics.domain.program import Dose, Prescription, Program, Restriction
from analytics.domain.recovery import KNEE_RANGE, Forecast, ForecastPoint, Proposal

TABLE = tomllib.loads((Path(analytics.safety.__file__).parent / "rules.toml").read_text(encoding="utf-8"))
NOW = datetime(2025, 5, 1, 10, tzinfo=UTC)
EXERCISES = ("knee.extension.seated", "hip.flexion.standing")


def faults(program: Program, history: list[SessionOutcome], forecast: Forecast | None, made: Proposal) -> list[str]:
    """Everything that is wrong with a proposal."""
    old, new, wrong = made.before.dose, made.after.dose, []
    change_deg = new.target_excursion_deg - old.target_excursion_deg
    change_repetitions, change_sets = new.repetitions - old.repetitions, new.sets - old.sets

    for r in program.restrictions:
        in_force = r.until is None or r.until >= NOW.date()
        if r.exercise == made.after.exercise and in_force and new.target_excursion_deg > r.largest_excursion_deg:
            wrong.append("beyond a restriction in force")
    step, dose = TABLE["largest_step"], TABLE["dose"]
    if change_deg > step["excursion_deg"] or change_repetitions > step["repetitions"] or change_sets > step["sets"]:
        wrong.append("more than one step")
    if change_deg > 0 and new.target_excursion_deg > TABLE["largest_excursion_deg"].get(made.after.exercise, 0):
        wrong.append("beyond the exercise")
    if change_deg > 0 and forecast and new.target_excursion_deg > max(p.high for p in forecast.points):
        wrong.append("beyond the forecast")
    if change_repetitions > 0 and new.repetitions > dose["largest_repetitions"]:
        wrong.append("too many repetitions")
    if change_repetitions < 0 and new.repetitions < dose["smallest_repetitions"]:
        wrong.append("too few repetitions")
    if made.rule != "restriction" and change_deg < 0 and new.target_excursion_deg < dose["smallest_excursion_deg"]:
        wrong.append("too small a target")
    if [change_deg > 0, change_repetitions > 0, change_sets > 0].count(True) > 1:
        wrong.append("two things grow")
    if (change_deg, change_repetitions, change_sets) == (0, 0, 0):
        wrong.append("nothing changes")
    if new.rest_s != old.rest_s or made.after.side != made.before.side or made.after.exercise != made.before.exercise:
        wrong.append("what no rule speaks of changes")
    if made.rule not in TABLE or not made.reason.endswith(".") or not any(c.isdigit() for c in made.reason):
        wrong.append("no rule, or no sentence with figures")

    if change_deg > 0 or change_repetitions > 0 or change_sets > 0:
        wrong += growth_faults(old, history, program)
    return wrong


def growth_faults(old: Dose, history: list[SessionOutcome], program: Program) -> list[str]:
    longest_s = TABLE["progress"]["longest_break_days"] * 86_400
    fresh = [s for s in history if (NOW - s.started_at).total_seconds() <= longest_s]
    fresh.sort(key=lambda s: s.started_at)
    on_dose = [s for s in fresh if s.program_version == program.version]
    answered = [s for s in on_dose if s.pain is not None and s.effort is not None]
    need, mastery, wrong = TABLE["progress"], TABLE["progress_range"], []
    if len(answered) < need["fewest_sessions"]:
        return ["too little is known"]
    last = answered[-need["fewest_sessions"] :]
    if any(s.pain > need["largest_pain"] or s.effort > need["largest_effort"] for s in last):
        wrong.append("pain or effort too high")
    if last[-1].pain > last[0].pain + need["largest_pain_rise"]:
        wrong.append("pain rises")
    if [s.pain for s in on_dose if s.pain is not None][-1] > TABLE["ease_pain"]["largest_tolerated_pain"]:
        wrong.append("the last word on pain was too high")
    heard = [s for s in fresh if s.program_version == program.version or s.known_at > program.approved_at]
    since = [s for s in heard if s.started_at >= last[0].started_at]
    if any(s.hurt_unrated for s in since):
        wrong.append("it hurt, no one knows how much")
    if any((s.pain or 0) > need["largest_pain"] or (s.effort or 0) > need["largest_effort"] for s in since):
        wrong.append("pain or effort too high in between")
    for s in on_dose[-mastery["target_reached_in_sessions"] :]:
        if s.range_deg is None or s.range_deg < old.target_excursion_deg:
            wrong.append("target not reached")
        if s.repetitions / (old.repetitions * old.sets) < mastery["smallest_share_of_repetitions"]:
            wrong.append("repetitions not done")
        if s.reached is None or s.reached / (old.repetitions * old.sets) < mastery["smallest_share_reaching_target"]:
            wrong.append("too few repetitions reached the target")
    return wrong


def made_for(
    random: Random,
) -> tuple[Program, list[SessionOutcome], Forecast | None]:
    """A patient at random, of whom many are on the brink of a rule."""
    target_deg = random.choice([15.0, 20.0, 22.5, 40.0, 60.0, 61.5, 84.0, 88.0, 90.0, 110.0])
    dose = Dose(
        sets=random.randint(1, 5), repetitions=random.choice([1, 4, 5, 6, 8, 13, 14, 15, 30]),
        target_excursion_deg=target_deg, rest_s=random.choice([0, 60]),
    )  # fmt: skip
    restrictions = tuple(
        Restriction(
            exercise=random.choice(EXERCISES),
            largest_excursion_deg=max(target_deg + random.choice([-30, -2.5, 0, 1, 2.5, 40]), 1),
            until=random.choice([None, NOW.date(), NOW.date() - timedelta(days=1), date(2026, 1, 1)]),
            set_by="Surgeon",
        )
        for _ in range(random.choice([0, 0, 1, 2]))
    )
    program = Program(
        patient_id="p", version=2, phase="any", restrictions=restrictions, approved_by="P", reason="r",
        prescriptions=(Prescription(exercise=random.choice([EXERCISES[0], *EXERCISES]), side=Side.LEFT, dose=dose),),
        approved_at=NOW - timedelta(days=14),
    )  # fmt: skip
    usual_pain, usual_effort = random.choice([1, 2, 3, 4, 5, 6, 9]), random.choice([3, 4, 5, 5, 6, 7, 9])
    full = dose.sets * dose.repetitions
    faithful, able, talkative, brave = (random.random() < 0.7 for _ in range(4))
    offline = random.random() < 0.3
    history = [
        SessionOutcome(
            reached=random.choice([full, -(-full // 3)] if able else [full, full // 4, None]),
            hurt_unrated=not brave and random.random() < 0.2,
            known_at=NOW - timedelta(hours=random.randint(0, 400)),
            program_version=random.choice([1, 2]) if offline else 2,
            started_at=NOW - timedelta(hours=random.randint(1, random.choice([72, 400]))),
            repetitions=random.choice([full, -(-full * 4 // 5)] if faithful else [full, full * 4 // 5, 3]),
            range_deg=random.choice([target_deg + random.uniform(0 if able else -4, 9)] * 9 + [None] * (not able)),
            correct_fraction=random.choice([None, 0.9, 1.0] if faithful else [None, 0.5, 0.9]),
            pain=random.choice([usual_pain, usual_pain, usual_pain + 1, usual_pain - 1, *[None] * (not talkative)]),
            effort=random.choice([usual_effort, usual_effort, usual_effort + 1, *[None] * (not talkative)]),
        )
        for _ in range(random.randint(0, 9))
    ]
    high = target_deg + random.uniform(-3, 20)
    point = ForecastPoint(day=60, mean=high - 5, low=high - 10, high=high)
    forecast = Forecast(
        patient_id="p", outcome=KNEE_RANGE, made_at=NOW, points=(point,), goal=75,
        model="m", model_sha256="0", measurements_used=3,
    )  # fmt: skip
    return program, history, random.choice([None, forecast])


def judged(random: Random) -> tuple[Proposal | None, list[str]]:
    program, history, forecast = made_for(random)
    made = propose(program, program.prescriptions[0], history, forecast, now=NOW, proposal_id=UUID(int=1))
    return made, faults(program, history, forecast, made) if made else []


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.randoms(use_true_random=False))
def test_no_proposal_is_outside_the_envelope(random: Random) -> None:
    assert judged(random)[1] == []


def test_twenty_thousand_patients_all_rules_at_work_and_no_proposal_outside() -> None:
    rules: Counter[str] = Counter()
    for seed in range(20_000):
        made, wrong = judged(Random(seed))
        assert wrong == [], seed
        rules[made.rule if made else "none"] += 1
    assert set(rules) == {
        "none", "restriction", "ease_pain", "ease_effort", "progress_range", "progress_repetitions",
    }  # fmt: skip
    assert min(rules.values()) > 100


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"target_excursion_deg": 70.0}, "more than one step"),
        ({"target_excursion_deg": 65.0, "repetitions": 10}, "two things grow"),
        ({"sets": 4}, "more than one step"),
        ({"repetitions": 3}, "too few repetitions"),
        ({"target_excursion_deg": 10.0}, "too small a target"),
        ({"target_excursion_deg": 65.0}, "too little is known"),
        ({"rest_s": 5.0}, "what no rule speaks of changes"),
        ({}, "nothing changes"),
    ],
)
def test_the_oracle_objects_to_what_it_should(change: dict[str, float], fault: str) -> None:
    before = Prescription(
        exercise=EXERCISES[0], side=Side.LEFT, dose=Dose(sets=3, repetitions=8, target_excursion_deg=60)
    )
    program = Program(
        patient_id="p", version=1, phase="any", prescriptions=(before,), approved_by="P", approved_at=NOW, reason="r"
    )
    after = before.model_copy(update={"dose": before.dose.model_copy(update=change)})
    made = Proposal(
        id=UUID(int=1), patient_id="p", made_at=NOW, from_version=1, before=before, after=after,
        rule="progress_range", reason="From 1 to 2.", evidence=(),
    )  # fmt: skip
    assert fault in faults(program, [], None, made)
