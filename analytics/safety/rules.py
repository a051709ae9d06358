"""The table of rules, read once and checked: `rules.toml` beside this file unless a clinic names its own."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from analytics.domain.check_in import RedFlag

SHIPPED = Path(__file__).with_name("rules.toml")


class RulesError(ValueError):
    """A table of rules that cannot be used; the message says where it is wrong."""


class Rule(BaseModel):
    """One table of the file. Unlike a message between rooms, a misspelt entry is refused and not ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str = Field(min_length=10, description="where the numbers come from")


class EasePain(Rule):
    largest_tolerated_pain: int = Field(ge=0, le=10)


class EaseEffort(Rule):
    largest_tolerated_effort: int = Field(ge=0, le=10)
    sessions: int = Field(ge=1, description="how many sessions running make it too much")


class Progress(Rule):
    fewest_sessions: int = Field(ge=1)
    largest_pain: int = Field(ge=0, le=10)
    largest_pain_rise: int = Field(ge=0, le=10)
    largest_effort: int = Field(ge=0, le=10)
    longest_break_days: int = Field(
        ge=1, description="answers of sessions longer ago than this say nothing of how the patient is now"
    )


class ProgressRange(Rule):
    target_reached_in_sessions: int = Field(ge=1)
    smallest_share_of_repetitions: float = Field(ge=0, le=1)
    smallest_share_reaching_target: float = Field(ge=0, le=1)
    smallest_share_correct: float = Field(ge=0, le=1)


class LargestStep(Rule):
    excursion_deg: float = Field(ge=0, le=20)
    repetitions: int = Field(ge=0, le=10)
    sets: int = Field(ge=0, le=2)


class DoseLimits(Rule):
    smallest_excursion_deg: float = Field(gt=0, le=180)
    smallest_repetitions: int = Field(ge=1, le=100)
    largest_repetitions: int = Field(ge=1, le=100)


class PainNow(Rule):
    """`eased_from_pain` up to `largest_tolerated_pain` asks for less, above it for nothing."""

    largest_tolerated_pain: int = Field(ge=0, le=10)
    eased_from_pain: int = Field(ge=0, le=10)


class Eased(Rule):
    share_of_repetitions: float = Field(gt=0, le=1)
    smaller_by_deg: float = Field(ge=0, le=90)


class RedFlagRule(Rule):
    question: str = Field(min_length=5)
    what_to_do: str = Field(min_length=5)


class Rules(BaseModel):
    """All rules. Their codes are the names of the fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ease_pain: EasePain
    ease_effort: EaseEffort
    progress: Progress
    progress_range: ProgressRange
    progress_repetitions: Rule
    largest_step: LargestStep
    dose: DoseLimits
    restriction: Rule
    largest_excursion_deg: dict[str, float]
    before_session: PainNow
    hurts_now: PainNow
    eased: Eased
    red_flag: dict[RedFlag, RedFlagRule] = Field(description="the most urgent first")


def parse_rules(text: str, name: str = "rules.toml") -> Rules:
    """Rules from TOML. Raises `RulesError` with the first fault in words."""
    try:
        rules = Rules.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise RulesError(f"{name} is not valid TOML: {error}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise RulesError(f"{name}: {place}: {first['msg']}. Mend that entry and start again.") from error
    if unsaid := set(RedFlag) - rules.red_flag.keys():
        raise RulesError(f"{name}: red_flag.{min(unsaid)} is missing: say what to do for it.")
    if rules.progress.largest_pain > rules.ease_pain.largest_tolerated_pain:
        raise RulesError(f"{name}: progress.largest_pain is above ease_pain.largest_tolerated_pain: lower it.")
    if rules.progress.largest_effort > rules.ease_effort.largest_tolerated_effort:
        raise RulesError(f"{name}: progress.largest_effort is above ease_effort.largest_tolerated_effort: lower it.")
    return rules


@cache
def load_rules(path: Path = SHIPPED) -> Rules:
    """The shipped rules, or those of a file. Read once per path: a changed file counts after a restart."""
    try:
        return parse_rules(path.read_text(encoding="utf-8"), path.name)
    except OSError as error:
        raise RulesError(f"{path} cannot be read ({error.strerror}): name a file of rules that exists.") from error
