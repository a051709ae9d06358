"""A proposed change of program: what would change, why, and what speaks for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from uuid import UUID

from analytics.domain.program import Prescription
from analytics.domain.recovery import Proposal
from server.exercises import exercise_name

from ..wording import counted, moment_words, side_words


@dataclass(frozen=True)
class Change:
    """One part of the dose. `sense` is more, less or same, for the sign beside the new figure."""

    label: str
    before: str
    after: str
    sense: str


@dataclass(frozen=True)
class ProposalCard:
    id: UUID
    title: str
    exercise: str
    changes: tuple[Change, ...]
    unchanged: str
    reason: str
    rule: str
    evidence: tuple[str, ...]
    rejected_alternatives: tuple[str, ...]
    made: str


def proposal_card(proposal: Proposal, zone: tzinfo) -> ProposalCard:
    """What would change first; what stays is one line."""
    parts = _parts(proposal.before, proposal.after)
    changes = tuple(part for part in parts if part.sense != "same")
    unchanged = [f"{part.label.lower()} {part.after}" for part in parts if part.sense == "same"]
    before = proposal.before
    return ProposalCard(
        id=proposal.id,
        title=_title(changes),
        exercise=f"{exercise_name(before.exercise)}, {side_words(before.side).lower()}",
        changes=changes,
        unchanged="Unchanged: " + ", ".join(unchanged) if unchanged else "",
        reason=proposal.reason,
        rule=proposal.rule,
        evidence=proposal.evidence,
        rejected_alternatives=proposal.rejected_alternatives,
        made=f"{moment_words(proposal.made_at, zone)}, from program version {proposal.from_version}",
    )


def _parts(before: Prescription, after: Prescription) -> list[Change]:
    old, new = before.dose, after.dose
    parts = [
        _figure("Sets", old.sets, new.sets, ""),
        _figure("Repetitions", old.repetitions, new.repetitions, ""),
        _figure("Range to reach", old.target_excursion_deg, new.target_excursion_deg, "°"),
        _figure("Rest", old.rest_s, new.rest_s, " s"),
    ]
    if before.exercise != after.exercise:
        change = Change("Exercise", exercise_name(before.exercise), exercise_name(after.exercise), "other")
        parts.insert(0, change)
    if before.side != after.side:
        parts.insert(0, Change("Side", before.side.value, after.side.value, "other"))
    return parts


def _figure(label: str, before: float, after: float, unit: str) -> Change:
    sense = "same" if before == after else "more" if after > before else "less"
    return Change(label, f"{before:g}{unit}", f"{after:g}{unit}", sense)


def _title(changes: tuple[Change, ...]) -> str:
    """A headline that says what happens, in the order of the dose."""
    if not changes:
        return "Keep the program as it is"
    if any(change.sense == "other" for change in changes):
        return "Change the exercise"
    asks_more = {change.sense == "more" for change in changes if change.label != "Rest"}
    if asks_more == {True}:
        return "Ask a little more"
    if asks_more == {False}:
        return "Ask a little less"
    return f"Change {counted(len(changes), 'part')} of the dose"
