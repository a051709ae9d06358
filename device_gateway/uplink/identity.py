"""Who this gateway is to its clinic, and how it gets in: by a key that only it holds, for some minutes at a time.

No step believes the gateway's calendar, which may be wrong by years: times are counted on the monotonic clock from what
the clinic says (`expires_in_s`, `key_age_s`).

The store holds the keys newest first, and always every key that the clinic may know. Getting in means trying them in
that order; whenever the newest is not the one that was accepted, it is registered and used. That alone carries a change
of keys over a crash between any two of its steps, over a lost answer, and over a clinic restored from a backup.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from device_gateway.conditions import Conditions, Trouble
from device_gateway.errors import (
    GatewayError,
    RefusedError,
    ShutOutError,
    StoreError,
    UnclaimedError,
    UnreachableError,
)
from device_gateway.storage.store import Store

from .claiming import Claiming, Identity
from .signing import Grant, SigningKey, register, sign_in
from .wire import CLAIM_AGAIN, Wire

RENEW_AT = 0.8
"""A token is renewed when so much of its life is over, so that no request meets its end."""
ROTATE_AFTER_S = 30 * 86400.0

log = logging.getLogger(__name__)


class Credentials:
    """`start`, then `claim` until it is done, and `token` whenever one is needed.

    claim_code: for one that is nobody's, or is shut out.
    """

    def __init__(
        self,
        wire: Wire,
        store: Store,
        conditions: Conditions,
        *,
        name: str = "Sinew gateway",
        claim_code: str | None = None,
        rotate_after_s: float = ROTATE_AFTER_S,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wire = wire
        self._store = store
        self._conditions = conditions
        self._claiming = Claiming(wire, store, conditions, name=name, code=claim_code)
        self._rotate_after_s = rotate_after_s
        self._now = now
        self._identity: Identity | None = None
        self._claimed = asyncio.Event()
        self._grant: Grant | None = None
        self._granted_s = 0.0
        self._entering = asyncio.Lock()

    @property
    def identity(self) -> Identity:
        """Raises UnclaimedError while this gateway is nobody's."""
        if self._identity is None:
            raise UnclaimedError(self._claiming.unclaimed)
        return self._identity

    async def start(self, home: Path) -> None:
        """Know who this gateway is: what the store says, else what the clinic says to the claim code.

        Where there is neither that is a condition, and `claim` is tried again. Raises GatewayError where the store in
        `home` belongs to another clinic's gateway.
        """
        kept = await self._store.setting("identity")
        if kept is None:
            with contextlib.suppress(UnclaimedError):
                await self.claim()
        else:
            server_url = await self._store.setting("server_url")
            if server_url != self._wire.url:
                raise GatewayError(
                    f"{home} belongs to a gateway of {server_url}: give that address with --server, or another folder "
                    "with --home."
                )
            self._belong(Identity.model_validate_json(kept))

    async def claim(self) -> None:
        """Become a patient's gateway, unless it is one. Raises UnclaimedError where that cannot be yet."""
        if self._identity is None:
            self._belong(await self._claiming.first())

    async def claimed(self) -> None:
        """Wait until this is a patient's gateway."""
        await self._claimed.wait()

    async def token(self) -> str:
        """One that is good for a while.

        Raises ShutOutError where the clinic lets this gateway in no more, UnclaimedError where it never has.
        """
        async with self._entering:
            grant = self._grant
            if grant is None or self._now() - self._granted_s >= RENEW_AT * grant.expires_in_s:
                self._grant = None
                await self._enter()
            assert self._grant is not None
            return self._grant.token

    async def clinic_time(self) -> datetime:
        """By the clinic's clock, as of the token that is held now."""
        await self.token()
        assert self._grant is not None
        return self._grant.server_time + timedelta(seconds=self._now() - self._granted_s)

    def forget(self, token: str) -> None:
        """The clinic did not take this one: get another next time."""
        if self._grant is not None and self._grant.token == token:
            self._grant = None

    async def _enter(self) -> None:
        identity, refusal = self.identity, None
        for secret in identity.keys:
            key = SigningKey(secret)
            try:
                grant = await sign_in(self._wire, identity.gateway_id, key)
            except ShutOutError as trouble:
                refusal = trouble
            else:
                self._take(grant)
                await self._settle(key, grant)
                return
        try:
            if identity.token is not None:
                await self._exchange(identity.token)
                return
        except ShutOutError as trouble:
            refusal = trouble
        self._belong(await self._claiming.again(identity.patient_id, refusal or ShutOutError(CLAIM_AGAIN, 401, {})))
        self._take(await sign_in(self._wire, self.identity.gateway_id, SigningKey(self.identity.keys[0])))

    async def _settle(self, key: SigningKey, grant: Grant) -> None:
        """With a key that lets in: bring a newer one in, or make one when this is old; what fails is tried again."""
        try:
            if key.secret == self.identity.keys[0] and grant.key_age_s >= self._rotate_after_s:
                await self._keep(keys=(SigningKey.make().secret, key.secret))
            if key.secret != self.identity.keys[0]:
                newest = SigningKey(self.identity.keys[0])
                await register(self._wire, self.identity.gateway_id, newest, key, grant.token)
                self._take(await sign_in(self._wire, self.identity.gateway_id, newest))
            if self.identity.token is not None:
                await self._keep(token=None)
        except (RefusedError, UnreachableError, StoreError) as trouble:
            log.warning("This gateway's key is not changed yet: %s", trouble)

    async def _exchange(self, token: str) -> None:
        """A long-lived token for a key: the clinic ends the token with the key's first use."""
        if not self.identity.keys:
            await self._keep(keys=(SigningKey.make().secret,))
        key = SigningKey(self.identity.keys[0])
        await register(self._wire, self.identity.gateway_id, key, None, token)
        self._take(await sign_in(self._wire, self.identity.gateway_id, key))
        await self._keep(token=None)

    async def _keep(self, **changes: object) -> None:
        identity = self.identity.model_copy(update=changes)
        await self._store.keep_settings(identity=identity.model_dump_json())
        self._identity = identity

    def _belong(self, identity: Identity) -> None:
        self._identity = identity
        self._claimed.set()

    def _take(self, grant: Grant) -> None:
        self._grant, self._granted_s = grant, self._now()
        if not grant.other_gateways:
            self._conditions.clear(Trouble.ANOTHER_GATEWAY)
            return
        first, more = grant.other_gateways[0], len(grant.other_gateways) - 1
        others = f"{first.name}, claimed on {first.claimed_at:%d %B %Y}" + (f", and {more} more" if more else "")
        self._conditions.set(
            Trouble.ANOTHER_GATEWAY,
            f"Another gateway also belongs to this patient: {others}. All record and nothing is lost, but phones "
            "find only one: ask the clinic which to keep.",
        )
