"""The shipped table is whole and cited; a table that is not is refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from analytics.safety.rules import SHIPPED, Rule, RulesError, load_rules, parse_rules

TEXT = SHIPPED.read_text(encoding="utf-8")


def test_every_rule_says_where_it_comes_from() -> None:
    rules = load_rules()
    tables = [value for _, value in rules if isinstance(value, Rule)]
    assert len(tables) == 11
    tables += rules.red_flag.values()
    assert all(len(rule.source) > 40 for rule in tables)
    assert rules.ease_pain.largest_tolerated_pain == 5


def test_a_clinic_may_name_its_own_table(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(TEXT.replace("fewest_sessions = 3", "fewest_sessions = 6"), encoding="utf-8")
    assert load_rules(own).progress.fewest_sessions == 6
    assert load_rules().progress.fewest_sessions == 3


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[ease_pain]", "[ease_pain", "not valid TOML"),
        ("largest_tolerated_pain = 5", "largest_tolerated_pain = 50", "ease_pain.largest_tolerated_pain"),
        ("largest_tolerated_pain = 5", "largest_tolerated_pian = 5", "ease_pain.largest_tolerated_pain"),
        ("sets = 0", "sets = 0\nreps = 3", "largest_step.reps"),
        ("largest_pain = 5", "largest_pain = 6", "progress.largest_pain is above"),
        ("largest_effort = 6", "largest_effort = 9", "progress.largest_effort is above"),
    ],
)
def test_a_faulty_table_is_refused_with_its_place(old: str, new: str, words: str) -> None:
    assert old in TEXT
    with pytest.raises(RulesError, match=words):
        parse_rules(TEXT.replace(old, new, 1))


def test_an_absent_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(RulesError, match=r"absent\.toml cannot be read"):
        load_rules(tmp_path / "absent.toml")


def test_rules_cannot_be_changed_in_the_running_program() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_rules().ease_pain.largest_tolerated_pain = 9  # type: ignore[misc]
