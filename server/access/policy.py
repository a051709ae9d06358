"""The one place that decides who may do what to whom.

A service asks `require` before it acts on one patient's things, and filters lists with `visible_patients`. What is not
granted here is refused. A caller who may do something only to their own is told that another's does not exist: whether
a patient is known to the clinic is itself confidential.
"""

from __future__ import annotations

from enum import StrEnum, auto
from typing import Any, Protocol, TypeVar

from sqlalchemy import ColumnElement, false, true
from sqlalchemy.orm import InstrumentedAttribute

from server.problems import NotFound, Problem

from .words import Caller, Role


class Action(StrEnum):
    LIST_PATIENTS = auto()
    LIST_NAMES = auto()
    READ_PATIENT = auto()
    READ_WAITING_PROPOSAL = auto()
    DECIDE_PROPOSAL = auto()
    READ_OWN_ASSIGNMENT = auto()
    READ_OWN_GATEWAY = auto()
    GIVE_FEEDBACK = auto()
    RECORD_SESSION = auto()
    REPORT_PRESENCE = auto()
    RENEW_KEY = auto()
    MANAGE_GATEWAYS = auto()
    READ_RELEASES = auto()
    GIVE_CONSENT = auto()
    SHOW_LIVE = auto()
    WATCH_LIVE = auto()


class Scope(StrEnum):
    OWN = auto()
    EVERYONE = auto()


GRANTS: dict[Role, dict[Action, Scope]] = {
    # Not the waiting proposal: a change that is not decided yet is none to go by.
    Role.PATIENT: {
        Action.LIST_PATIENTS: Scope.OWN,
        Action.READ_PATIENT: Scope.OWN,
        Action.READ_OWN_ASSIGNMENT: Scope.OWN,
        Action.READ_OWN_GATEWAY: Scope.OWN,
        Action.GIVE_FEEDBACK: Scope.OWN,
        Action.GIVE_CONSENT: Scope.OWN,
    },
    Role.PHYSIOTHERAPIST: {
        Action.LIST_PATIENTS: Scope.EVERYONE,
        Action.LIST_NAMES: Scope.EVERYONE,
        Action.READ_PATIENT: Scope.EVERYONE,
        Action.READ_WAITING_PROPOSAL: Scope.EVERYONE,
        Action.DECIDE_PROPOSAL: Scope.EVERYONE,
        Action.WATCH_LIVE: Scope.EVERYONE,
        Action.MANAGE_GATEWAYS: Scope.EVERYONE,
    },
    # An administrator keeps the installation running, which needs no look at anybody's health: only whom a new gateway
    # is for, by name and identifier.
    Role.ADMINISTRATOR: {Action.LIST_NAMES: Scope.EVERYONE, Action.MANAGE_GATEWAYS: Scope.EVERYONE},
    Role.GATEWAY: {
        Action.READ_OWN_ASSIGNMENT: Scope.OWN,
        Action.RECORD_SESSION: Scope.OWN,
        Action.REPORT_PRESENCE: Scope.OWN,
        Action.RENEW_KEY: Scope.OWN,
        Action.READ_RELEASES: Scope.OWN,
        Action.SHOW_LIVE: Scope.OWN,
    },
}


NOTHING_HERE = "There is nothing here under this identifier; check it and try again."


class NotAllowed(Problem):
    status, type, title = 403, "not-allowed", "Not allowed"


def scope_of(caller: Caller, action: Action) -> Scope:
    """How far the caller may do this. Raises `NotAllowed` where the role may not do it at all."""
    scope = GRANTS[caller.role].get(action)
    if scope is None:
        raise NotAllowed(f"The role {caller.role} may not do this; sign in with an account that may.")
    return scope


def may(caller: Caller, action: Action) -> bool:
    """Whether the role may do this at all, where what it may not see is left out rather than refused."""
    return action in GRANTS[caller.role]


class Owned(Protocol):
    """Anything that belongs to one patient."""

    @property
    def patient_id(self) -> Any: ...


T = TypeVar("T", bound=Owned)


def require(caller: Caller, action: Action, patient_id: str, otherwise: str = NOTHING_HERE) -> None:
    """Let pass, or raise `NotAllowed` (never for this role) or `NotFound` with `otherwise` (not for this patient)."""
    if scope_of(caller, action) is Scope.OWN and caller.patient_id != patient_id:
        raise NotFound(otherwise)


def granted(caller: Caller, action: Action, found: T | None, otherwise: str = NOTHING_HERE) -> T:
    """What was looked up, if the caller may; unknown and another's are refused in the very same words."""
    scope_of(caller, action)
    if found is None:
        raise NotFound(otherwise)
    require(caller, action, found.patient_id, otherwise)
    return found


def require_own(caller: Caller, action: Action) -> str:
    """The caller's own patient, for actions that concern nobody else."""
    scope_of(caller, action)
    if caller.patient_id is None:
        raise NotAllowed("This account belongs to no patient, so it has nothing of its own here.")
    return caller.patient_id


def visible_patients(caller: Caller, action: Action, patient_id: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """The condition that keeps a query to what the caller may see; `patient_id` is the column of whose a row is."""
    if scope_of(caller, action) is Scope.EVERYONE:
        return true()
    return patient_id == caller.patient_id if caller.patient_id is not None else false()
