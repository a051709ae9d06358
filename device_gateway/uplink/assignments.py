"""What the patient is to do: the clinic's word where it can be had, else the last one kept.

The one before is kept too, for who asks what was in force. It is never gone back to: an older program may allow what a
newer one forbids.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from analytics.domain.exercise import Exercise
from analytics.domain.program import Assignment
from analytics.exercises.catalogue import UnknownExercise
from analytics.safety.fitting import misfit
from device_gateway.conditions import Conditions, Trouble
from device_gateway.errors import GatewayError, RefusedError, ShutOutError, StoreError, UnreachableError
from device_gateway.storage.store import Store

from .clinic import Clinic

log = logging.getLogger(__name__)


class Assignments:
    """`exercise` finds one of the catalogue, or raises UnknownExercise; `on_own` hears of the clinic's own."""

    def __init__(
        self,
        store: Store,
        clinic: Clinic,
        conditions: Conditions,
        exercise: Callable[[str], Exercise],
        on_own: Callable[[Mapping[str, str]], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._clinic = clinic
        self._conditions = conditions
        self._exercise = exercise
        self._on_own = on_own

    async def current(self) -> Assignment:
        """Raises GatewayError where there is none yet, and ShutOutError where the clinic wants nothing to go on."""
        text = await self._store.setting("assignment")
        kept = Assignment.model_validate_json(text) if text else None
        trouble = GatewayError("the clinic's server says that nothing has changed")
        try:
            news = await self._clinic.assignment(await self._store.setting("assignment_etag") if kept else None)
        except ShutOutError:
            raise
        except (UnreachableError, RefusedError) as refusal:
            log.warning("The program could not be refreshed: %s", refusal)
            news, trouble = None, refusal
        outdated = news is not None and self._outdated(news[0], kept)
        if news is not None and not outdated:
            await self._keep(*news, text)
            kept = news[0]
        if kept is None:
            raise GatewayError(f"There is no program to exercise by yet: {trouble}") from trouble
        self._on_own(kept.exercises)
        if not outdated:
            self._look_for_exercises(kept)
        return kept

    def _outdated(self, offered: Assignment, kept: Assignment | None) -> bool:
        """Whether the clinic offers less than is known here, as a server that was restored from a backup does."""
        if kept is not None and offered.program.version < kept.program.version:
            self._conditions.set(
                Trouble.PROGRAM_REFUSED,
                f"The clinic offers version {offered.program.version} of the program and this gateway holds version "
                f"{kept.program.version}: it goes on with that one; tell your clinic.",
            )
            return True
        return False

    def _look_for_exercises(self, assignment: Assignment) -> None:
        for prescription in assignment.program.prescriptions:
            try:
                fault = misfit(prescription, self._exercise(prescription.exercise))
            except UnknownExercise as unknown:
                self._conditions.set(
                    Trouble.PROGRAM_REFUSED,
                    f"The program asks for what this gateway cannot do: {unknown} The rest of the program can be done; "
                    "update the gateway for all of it.",
                )
                return
            if fault is not None:
                self._conditions.set(
                    Trouble.PROGRAM_REFUSED,
                    f"The program cannot be done as it is: {fault} The rest of it can be done; tell your clinic.",
                )
                return
        self._conditions.clear(Trouble.PROGRAM_REFUSED)

    async def _keep(self, assignment: Assignment, etag: str | None, before: str | None) -> None:
        try:
            await self._store.keep_settings(
                assignment=assignment.model_dump_json(), assignment_etag=etag or "", assignment_before=before or ""
            )
        except StoreError as trouble:
            log.warning("The program is used but not kept: %s", trouble)
