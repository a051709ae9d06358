"""From sessions to a proposed change of program: at most one, inside the envelope, for a physiotherapist to judge."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from analytics.domain.program import Prescription, Program
from analytics.domain.recovery import Forecast, Proposal
from analytics.safety.envelope import largest_allowed, respects, restricted_to
from analytics.safety.rules import Rules, load_rules
from analytics.safety.verdict import Leeway, recent, verdict

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

    `history` may hold all sessions of the patient in any order: only those done on this version can let its dose grow.
    When it was approved says nothing of that, for a gateway without network goes on with the version it has. What came
    to light after the approval of sessions on another version may still ease or hold; what was known then has been
    considered. All times carry their zone, `now` the clinic's: its date is the day for restrictions. Deterministic: the
    same facts give the same proposal.
    """
    rules = rules or load_rules()
    on_dose = sorted((s for s in history if s.program_version == program.version), key=lambda s: s.started_at)
    elsewhere = (s for s in history if s.program_version != program.version and s.known_at > program.approved_at)
    late = recent(elsewhere, rules, now)
    change = _change(program, prescription, on_dose, late, forecast=forecast, rules=rules, now=now)
    if change is None:
        return None
    after = prescription.model_copy(update={"dose": change.dose})
    # The envelope has the last word over every reason there may be for a change.
    limits = program.restrictions
    if respects(prescription, after, restrictions=limits, history=on_dose, elsewhere=late, rules=rules, now=now):
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
        evidence=evidence(prescription.dose, on_dose, late, forecast),
        rejected_alternatives=change.rejected,
    )


def _change(
    program: Program,
    prescription: Prescription,
    on_dose: Sequence[SessionOutcome],
    late: Sequence[SessionOutcome],
    *,
    forecast: Forecast | None,
    rules: Rules,
    now: datetime,
) -> Change | None:
    dose = prescription.dose
    restricted_deg = restricted_to(prescription, program.restrictions, now.date())
    target_deg = dose.target_excursion_deg
    if restricted_deg is not None and target_deg is not None and target_deg > restricted_deg:
        return keep_restriction(dose, restricted_deg)
    bounds = largest_allowed(prescription, program.restrictions, rules, now.date())
    seen = verdict(on_dose, rules, now=now, elsewhere=late)
    if seen.leeway is Leeway.EASE:
        return ease(dose, bounds, seen, rules)
    if seen.leeway is Leeway.PROGRESS:
        return grow(dose, bounds, seen, recent=recent(on_dose, rules, now), forecast=forecast, rules=rules)
    return None
