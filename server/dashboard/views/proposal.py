"""A proposed change of program: what would change, why, and what speaks for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from uuid import UUID

from markupsafe import Markup

from analytics.domain.program import Prescription
from analytics.domain.recovery import Proposal
from server.exercises import Exercises

from ..wording import NO_VALUE, counted, moment_words
from .exercise_words import limb_words, picture


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
    picture: Markup
    changes: tuple[Change, ...]
    unchanged: str
    reason: str
    rule: str
    evidence: tuple[str, ...]
    rejected_alternatives: tuple[str, ...]
    made: str


def proposal_card(proposal: Proposal, exercises: Exercises, zone: tzinfo) -> ProposalCard:
    """What would change first; what stays is one line."""
    parts = _parts(proposal.before, proposal.after, exercises)
    changes = tuple(part for part in parts if part.sense != "same")
    unchanged = [f"{part.label.lower()} {part.after}" for part in parts if part.sense == "same"]
    before, after = proposal.before, proposal.after
    known = exercises.find(before.exercise)
    return ProposalCard(
        id=proposal.id,
        title=_title(changes),
        exercise=f"{exercises.name(before.exercise)}, {limb_words(known, before.side).lower()}",
        picture=picture(exercises.find(after.exercise), after.side),
        changes=changes,
        unchanged="Unchanged: " + ", ".join(unchanged) if unchanged else "",
        reason=proposal.reason,
        rule=proposal.rule,
        evidence=proposal.evidence,
        rejected_alternatives=proposal.rejected_alternatives,
        made=f"{moment_words(proposal.made_at, zone)}, from program version {proposal.from_version}",
    )


def _parts(before: Prescription, after: Prescription, exercises: Exercises) -> list[Change]:
    old, new = before.dose, after.dose
    parts = [_figure("Sets", old.sets, new.sets, ""), _figure("Repetitions", old.repetitions, new.repetitions, "")]
    if not old.target_excursion_deg is new.target_excursion_deg is None:
        parts.append(_figure("Range to reach", old.target_excursion_deg, new.target_excursion_deg, "°"))
    parts.append(_figure("Rest", old.rest_s, new.rest_s, " s"))
    if before.exercise != after.exercise:
        change = Change("Exercise", exercises.name(before.exercise), exercises.name(after.exercise), "other")
        parts.insert(0, change)
    if before.side != after.side:
        parts.insert(0, Change("Side", before.side.value, after.side.value, "other"))
    return parts


def _figure(label: str, before: float | None, after: float | None, unit: str) -> Change:
    """A target that comes or goes with its angle is another thing, neither more nor less."""
    if before is None or after is None:
        sense = "other"
    else:
        sense = "same" if before == after else "more" if after > before else "less"
    old, new = (NO_VALUE if one is None else f"{one:g}{unit}" for one in (before, after))
    return Change(label, old, new, sense)


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
