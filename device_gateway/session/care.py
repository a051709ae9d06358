"""What the patient says of pain and red flags in one session, and what the rules make of it, for the report."""

from __future__ import annotations

from analytics.domain.check_in import CheckIn
from analytics.domain.program import Dose
from analytics.domain.session import Easing, EasingAction, PainMoment
from analytics.safety.rules import Rules
from analytics.safety.session import Advice, before_session, eased, hurts_now


def with_hurt(hurts: tuple[PainMoment, ...], time_s: float, pain: int | None) -> tuple[PainMoment, ...]:
    """The moments of pain and this one. A number after one without is the answer to "How much?", not another pain."""
    if pain is not None and hurts and hurts[-1].pain is None:
        return (*hurts[:-1], PainMoment(time_s=hurts[-1].time_s, pain=pain))
    return (*hurts, PainMoment(time_s=time_s, pain=pain))


class Care:
    """Keeps what was said and what followed. Whoever asks for advice carries it out, and has it written down."""

    def __init__(self, rules: Rules) -> None:
        self.check_in: CheckIn | None = None
        self.hurts: tuple[PainMoment, ...] = ()
        self.easings: tuple[Easing, ...] = ()
        self._rules = rules
        self._eased_hurts = 0

    @property
    def stopped(self) -> bool:
        """By a rule: whatever is moved afterwards is not asked for."""
        return any(easing.action is EasingAction.STOPPED for easing in self.easings)

    def answer(self, check_in: CheckIn) -> Advice | None:
        self.check_in = check_in
        return before_session(check_in, self._rules)

    def hurt(self, time_s: float, pain: int | None) -> Advice | None:
        """Without a number there is no advice yet: the patient is asked for it."""
        self.hurts = with_hurt(self.hurts, time_s, pain)
        return None if pain is None else self._once(hurts_now(pain, self._rules))

    def resumed(self) -> Advice | None:
        """The patient goes on; a pain that has no number by now is eased for as one that has."""
        unrated = bool(self.hurts) and self.hurts[-1].pain is None
        return self._once(hurts_now(None, self._rules)) if unrated else None

    def write_down(self, advice: Advice, time_s: float, dose: Dose) -> Dose | None:
        """What is asked for from now on instead of `dose`; None for nothing."""
        less = eased(dose, self._rules) if advice.action is EasingAction.EASED else None
        easing = Easing(time_s=time_s, action=advice.action, rule=advice.rule, reason=advice.reason, dose=less)
        self.easings = (*self.easings, easing)
        return less

    def _once(self, advice: Advice | None) -> Advice | None:
        """A pain eases once, even where its number comes after the patient went on; it stops whenever it is told."""
        if advice is not None and advice.action is EasingAction.EASED:
            if self._eased_hurts == len(self.hurts):
                return None
            self._eased_hurts = len(self.hurts)
        return advice
