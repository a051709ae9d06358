"""What the patient says of pain and red flags in one session, and what the rules make of it, for the report."""

from __future__ import annotations

from analytics.domain.check_in import CheckIn
from analytics.domain.program import Dose
from analytics.domain.session import Easing, EasingAction, PainMoment
from analytics.safety.rules import Rules
from analytics.safety.session import Advice, Standing, before_session, eased, hurts_now


class Hurts:
    """The moments of pain. A number after one without is the answer to "How much?", until the patient goes on."""

    def __init__(self) -> None:
        self.moments: tuple[PainMoment, ...] = ()
        self.unrated = False

    def add(self, time_s: float, pain: int | None) -> None:
        if pain is not None and self.unrated:
            self.moments = (*self.moments[:-1], PainMoment(time_s=self.moments[-1].time_s, pain=pain))
        else:
            self.moments = (*self.moments, PainMoment(time_s=time_s, pain=pain))
        self.unrated = pain is None

    def resumed(self) -> None:
        """What hurts from now on is another pain."""
        self.unrated = False


class Care:
    """Keeps what was said and what followed. Whoever asks for advice carries it out, and has it written down.

    `standing`: what earlier sessions left that speaks against this one.
    """

    def __init__(self, rules: Rules, standing: Standing) -> None:
        self.check_in: CheckIn | None = None
        self.easings: tuple[Easing, ...] = ()
        self._rules = rules
        self.standing = standing
        self._hurts = Hurts()

    @property
    def hurts(self) -> tuple[PainMoment, ...]:
        return self._hurts.moments

    @property
    def stopped(self) -> bool:
        """By a rule: whatever is moved afterwards is not asked for."""
        return any(easing.action is EasingAction.STOPPED for easing in self.easings)

    def answer(self, check_in: CheckIn) -> Advice | None:
        """Answers may ask for more than what stands, and for less only where they answer it."""
        self.check_in = check_in
        advice = before_session(check_in, self._rules)
        if advice is not None and advice.action is EasingAction.STOPPED:
            return advice
        return self.standing.after(check_in) or advice

    def unanswered(self) -> Advice | None:
        """What stands while nobody answers."""
        return self.standing.advice

    def hurt(self, time_s: float, pain: int | None) -> Advice | None:
        """Without a number there is no advice yet: the patient is asked for it."""
        self._hurts.add(time_s, pain)
        return None if pain is None else hurts_now(pain, self._rules)

    def resumed(self) -> Advice | None:
        """The patient goes on; a pain that has no number by now is eased for as one that has."""
        unrated = self._hurts.unrated
        self._hurts.resumed()
        return hurts_now(None, self._rules) if unrated else None

    def write_down(self, advice: Advice, time_s: float, dose: Dose) -> Dose | None:
        """What is asked for from now on instead of `dose`; None for nothing."""
        less = eased(dose, self._rules) if advice.action is EasingAction.EASED else None
        easing = Easing(time_s=time_s, action=advice.action, rule=advice.rule, reason=advice.reason, dose=less)
        self.easings = (*self.easings, easing)
        return less
