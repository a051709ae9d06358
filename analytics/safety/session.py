"""What is said before and within a session, and what follows at once: go on, go on with less, or stop for today.

No network is asked: these rules run wherever the patient is, and what they did is written into the session's report.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor

from analytics.domain.check_in import CheckIn, Swelling
from analytics.domain.program import Dose
from analytics.domain.session import EasingAction

from .rules import PainNow, Rules

LESS = "so today you do a little less"


@dataclass(frozen=True, slots=True)
class Advice:
    """`rule` is the code of the table in rules.toml that decided; `reason` is said to the patient as it stands."""

    action: EasingAction
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What was told before and speaks against exercising.

    flag: a red flag, until it is answered that none is there. stop: of a session before, for all that day.
    """

    flag: Advice | None = None
    stop: Advice | None = None

    @property
    def advice(self) -> Advice | None:
        return self.flag or self.stop

    def after(self, check_in: CheckIn) -> Advice | None:
        """What is left once these answers are given."""
        return self.advice if check_in.red_flags is None else self.stop


NOTHING_STANDS = Standing()


def before_session(check_in: CheckIn, rules: Rules) -> Advice | None:
    """What the answers ask for; None where the dose stands as prescribed. Every red flag refuses the session."""
    if flags := [flag for flag in rules.red_flag if flag in (check_in.red_flags or ())]:
        reason = " ".join(rules.red_flag[flag].what_to_do for flag in flags)
        return Advice(EasingAction.STOPPED, f"red_flag.{flags[0]}", reason)
    rule = rules.before_session
    answered = (("now is", check_in.pain_now), ("this morning was", check_in.pain_this_morning))
    pains = [(pain, when) for when, pain in answered if pain is not None]
    worst, when = max(pains, default=(0, "now is"))
    if worst > rule.largest_tolerated_pain:
        reason = f"Your pain {when} {worst} of 10. Do not exercise today; call your physiotherapist."
        return Advice(EasingAction.STOPPED, "before_session", reason)
    if worst >= rule.eased_from_pain:
        return Advice(EasingAction.EASED, "before_session", f"Your pain {when} {worst} of 10, {LESS}.")
    if check_in.swelling is Swelling.MORE:
        return Advice(EasingAction.EASED, "before_session", f"Your joint is more swollen, {LESS}.")
    return None


def refuses(check_in: CheckIn, rules: Rules) -> bool:
    """Whether these answers alone rule a session out."""
    advice = before_session(check_in, rules)
    return advice is not None and advice.action is EasingAction.STOPPED


def hurts_now(pain: int | None, rules: Rules) -> Advice | None:
    """What "It hurts" asks for, after the stop that it always is; `pain` None: no number was given."""
    rule: PainNow = rules.hurts_now
    if pain is None:
        return Advice(EasingAction.EASED, "hurts_now", f"It hurt, {LESS}.")
    if pain > rule.largest_tolerated_pain:
        reason = f"Your pain is {pain} of 10. That is all for today; call your physiotherapist if it does not ease."
        return Advice(EasingAction.STOPPED, "hurts_now", reason)
    if pain >= rule.eased_from_pain:
        return Advice(EasingAction.EASED, "hurts_now", f"Your pain is {pain} of 10, {LESS}.")
    return None


def eased(dose: Dose, rules: Rules) -> Dose:
    """A smaller dose: fewer repetitions and, where there is one, a nearer target; never below the smallest useful dose
    nor above `dose`."""
    least, less = rules.dose, rules.eased
    repetitions = max(least.smallest_repetitions, floor(less.share_of_repetitions * dose.repetitions))
    target_deg = dose.target_excursion_deg
    if target_deg is not None:
        target_deg = min(target_deg, max(least.smallest_excursion_deg, target_deg - less.smaller_by_deg))
    return dose.model_copy(
        update={"repetitions": min(dose.repetitions, repetitions), "target_excursion_deg": target_deg}
    )
