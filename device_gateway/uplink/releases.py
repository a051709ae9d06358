"""Form models and exercises from the clinic: verified before they are kept, two versions deep, rolled back when spoilt.

The clinic's server is not believed: what it hands on is signed by a publisher, whose key this gateway pinned when it
first asked. Versions only count up, so that nobody can bring an old fault back. A model is tried, with the golden
values on its card, on this very machine before it may judge anybody.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import apsw
from pydantic import TypeAdapter

from analytics.domain.exercise import Exercise
from analytics.domain.program import Assignment
from analytics.domain.release import Release, ReleaseKind
from analytics.exercises.catalogue import ExerciseError, exercise_among, read_exercise
from analytics.form.bundle import BundleError, FormScorer
from device_gateway.conditions import Conditions, Trouble
from device_gateway.errors import GatewayError
from device_gateway.storage.store import Store

from .clinic import Clinic
from .release_checks import RefusedReleaseError, check_digest, check_signature, check_use, shipped_scorer

KEPT_VERSIONS = 2
REFRESH_S = 3600.0
"""Of the machine's time: nothing that comes down is urgent."""
_KEYS = TypeAdapter(tuple[str, ...])
Thing = tuple[ReleaseKind, str]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Kept:
    release: Release
    content: bytes


class Releases:
    """`load` at start, `refresh` when the clinic can be asked; then `scorer` and `exercise` give the newest that works.

    What the program itself ships stands behind both, and behind exercises those that came with the patient's program.
    """

    def __init__(self, store: Store, conditions: Conditions) -> None:
        self._store = store
        self._conditions = conditions
        self._kept: dict[Thing, list[_Kept]] = {}
        self._refused: dict[Thing, tuple[int, str]] = {}
        self._doubted: dict[Thing, tuple[int, str]] = {}
        self._own: dict[str, str] = {}

    async def load(self) -> None:
        """Read what is kept. Raises StoreError."""
        for release, content, refusal in await self._store.read(_read_all):
            if refusal is None:
                self._kept.setdefault(_thing(release), []).append(_Kept(release, content))
            elif release.version > self._refused.get(_thing(release), (0, ""))[0]:
                self._refused[_thing(release)] = (release.version, refusal)
        for kept in self._kept.values():
            kept.sort(key=lambda one: -one.release.version)
        if (assignment := await self._store.setting("assignment")) is not None:
            self.know(Assignment.model_validate_json(assignment).exercises)
        self._tell()

    async def run(self, clinic: Clinic) -> None:
        """Look for news each hour for as long as the gateway lives, and belongs to somebody."""
        await clinic.claimed()
        while True:
            try:
                await self.refresh(clinic)
            except GatewayError as trouble:
                log.info("Models and exercises could not be looked for: %s", trouble)
            except Exception:  # a fault of ours must not end it for good
                log.exception("Looking for models and exercises met a fault.")
            await asyncio.sleep(REFRESH_S)

    async def refresh(self, clinic: Clinic) -> None:
        """Fetch what is new. Raises UnreachableError, RefusedError and StoreError; what is kept stays."""
        self._doubted.clear()
        offered = await clinic.releases()
        keys = await self._pinned(offered.keys)
        for release in sorted(offered.releases, key=lambda release: release.version):
            if release.version <= self._newest(_thing(release)):
                continue
            try:
                check_signature(release, keys)
                content = await clinic.release_content(release.sha256)
                check_digest(release, content)
            except RefusedReleaseError as doubt:
                # Not its publisher's word, so it says nothing about that version: told, and not remembered.
                self._doubted[_thing(release)] = (release.version, str(doubt))
                continue
            try:
                check_use(release, content)
            except RefusedReleaseError as refusal:
                await self._refuse(release, str(refusal))
            else:
                await self._keep(_Kept(release, content))
        self._tell()

    def scorer(self, exercise_code: str) -> tuple[FormScorer | None, str]:
        """What judges the form of an exercise, or None and why."""
        scorer, why = shipped_scorer(exercise_code)
        for kept in self._kept.get((ReleaseKind.FORM_MODEL, exercise_code), ()):
            if scorer is not None and scorer.card.version >= kept.release.version:
                break  # the program was updated since
            try:
                return FormScorer(kept.content), ""
            except BundleError as unusable:
                self._roll_back(kept.release, str(unusable))
        return scorer, why

    def exercise(self, code: str) -> Exercise:
        """One exercise of the catalogue. Raises UnknownExercise."""
        for kept in self._kept.get((ReleaseKind.EXERCISE, code), ()):
            try:
                return read_exercise(kept.content.decode(), code)
            except (ExerciseError, UnicodeDecodeError) as unusable:
                self._roll_back(kept.release, str(unusable))
        return exercise_among(self._own, code)

    def know(self, own: Mapping[str, str]) -> None:
        """The clinic's own exercises, which travel with the program: TOML by code."""
        self._own = dict(own)

    def versions(self) -> dict[str, int]:
        """What is in use by kind and name, for people: `form_model knee.extension.seated`: 3."""
        return {f"{kind} {name}": kept[0].release.version for (kind, name), kept in self._kept.items() if kept}

    def _newest(self, thing: Thing) -> int:
        versions = [kept.release.version for kept in self._kept.get(thing, ())]
        return max([*versions, self._refused.get(thing, (0, ""))[0]], default=0)

    async def _pinned(self, offered: tuple[str, ...]) -> tuple[str, ...]:
        pinned = await self._store.setting("publisher_keys")
        if pinned is not None:
            return _KEYS.validate_json(pinned)
        if offered:
            await self._store.keep_settings(publisher_keys=_KEYS.dump_json(offered).decode())
        return offered

    async def _keep(self, kept: _Kept) -> None:
        thing = _thing(kept.release)
        versions = [kept, *self._kept.get(thing, [])][:KEPT_VERSIONS]
        await self._store.write(_keeping(kept, versions[-1].release.version))
        self._kept[thing] = versions
        self._refused.pop(thing, None)

    async def _refuse(self, release: Release, reason: str) -> None:
        log.error("A release is refused: %s %s %d: %s", release.kind, release.name, release.version, reason)
        await self._store.write(_refusing(release, reason))
        self._refused[_thing(release)] = (release.version, reason)

    def _roll_back(self, release: Release, reason: str) -> None:
        """Leave a version that was good when it came, and is not any more, for the one before."""
        log.error("A release is left: %s %s %d: %s", release.kind, release.name, release.version, reason)
        thing = _thing(release)
        self._kept[thing] = [kept for kept in self._kept[thing] if kept.release != release]
        self._refused[thing] = (release.version, reason)
        self._tell()

    def _tell(self) -> None:
        unused = {**self._doubted, **self._refused}
        if not unused:
            self._conditions.clear(Trouble.MODEL_REFUSED)
            return
        (kind, name), (version, reason) = min(unused.items())
        self._conditions.set(
            Trouble.MODEL_REFUSED,
            f"Version {version} of the {kind.replace('_', ' ')} {name} from the clinic is not used: {reason} "
            "The version before is used instead; tell your clinic.",
        )


def _thing(release: Release) -> Thing:
    return release.kind, release.name


def _read_all(database: apsw.Connection) -> list[tuple[Release, bytes, str | None]]:
    rows = database.execute("SELECT document, content, refusal FROM release ORDER BY rowid")
    return [(Release.model_validate_json(document), content, refusal) for document, content, refusal in rows]


_INSERT: Final = "INSERT OR REPLACE INTO release (kind, name, version, document, content, refusal)"


def _keeping(kept: _Kept, oldest: int) -> Callable[[apsw.Connection], object]:
    release = kept.release

    def write(database: apsw.Connection) -> None:
        database.execute(
            f"{_INSERT} VALUES (?, ?, ?, ?, ?, NULL)",
            (release.kind, release.name, release.version, release.model_dump_json(), kept.content),
        )
        database.execute(
            "DELETE FROM release WHERE kind = ? AND name = ? AND (version < ? OR refusal IS NOT NULL)",
            (release.kind, release.name, oldest),
        )

    return write


def _refusing(release: Release, reason: str) -> Callable[[apsw.Connection], object]:
    return lambda database: database.execute(
        f"{_INSERT} VALUES (?, ?, ?, ?, x'', ?)",
        (release.kind, release.name, release.version, release.model_dump_json(), reason),
    )
