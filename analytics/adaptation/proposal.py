"""From sessions to a proposed change of program: at most one, inside the envelope, for a physiotherapist to judge."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from analytics.domain.program import Prescription, Program
from analytics.domain.recovery import Forecast, Proposal
from analytics.safety.envelope import Leeway, largest_allowed, respects, restricted_to, verdict
from analytics.safety.rules import Rules, load_rules

from .change import Change, ease, grow, keep_restriction
from .evidence import evidence
from .history import SessionOutcome


def propose(
    program: Program,
    prescription: Prescription,
    history: Sequence[SessionOutcome],
    forecast: Forecast | None,
    *,
    now: datetime,
    proposal_id: UUID,
    rules: Rules | None = None,
) -> Proposal | None:
    """The change of `prescription` that the sessions on this program version call for; None where it should stay.

    `history` may hold all sessions of the patient in any order: only those done on this version speak about its dose.
    When it was approved says nothing, for a gateway without network goes on with the version it has. All times carry
    their zone. Deterministic: the same facts give the same proposal.
    """
    rules = rules or load_rules()
    recent = sorted((s for s in history if s.program_version == program.version), key=lambda s: s.started_at)
    change = _change(program, prescription, recent, forecast=forecast, rules=rules, now=now)
    if change is None:
        return None
    after = prescription.model_copy(update={"dose": change.dose})
    # The envelope has the last word over every reason there may be for a change.
    if respects(prescription, after, restrictions=program.restrictions, history=recent, rules=rules, today=now.date()):
        return None
    return Proposal(
        id=proposal_id,
        patient_id=program.patient_id,
        made_at=now,
        from_version=program.version,
        before=prescription,
        after=after,
        rule=change.rule,
        reason=change.reason,
        evidence=evidence(prescription.dose, recent, forecast),
        rejected_alternatives=change.rejected,
    )


def _change(
    program: Program,
    prescription: Prescription,
    recent: Sequence[SessionOutcome],
    *,
    forecast: Forecast | None,
    rules: Rules,
    now: datetime,
) -> Change | None:
    dose = prescription.dose
    restricted_deg = restricted_to(prescription, program.restrictions, now.date())
    if restricted_deg is not None and dose.target_excursion_deg > restricted_deg:
        return keep_restriction(dose, restricted_deg)
    bounds = largest_allowed(prescription, program.restrictions, rules, now.date())
    seen = verdict(recent, rules)
    if seen.leeway is Leeway.EASE:
        return ease(dose, bounds, seen, rules)
    lapsed = recent and now - recent[-1].started_at > timedelta(days=rules.progress.longest_break_days)
    if seen.leeway is Leeway.PROGRESS and not lapsed:
        return grow(dose, bounds, seen, recent=recent, forecast=forecast, rules=rules)
    return None
