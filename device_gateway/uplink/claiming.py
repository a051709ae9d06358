"""How a gateway becomes a patient's: by a code from the clinic's Gateways page, once, and again where it is shut out.

A code that the clinic refuses is not asked about again, for guessing would be stopped there; the next start may bring
another. Whatever else stands in the way is tried again with the same key, so that a lost answer does no harm.
"""

from __future__ import annotations

import hashlib
import logging

from analytics.domain.base import Word
from device_gateway.conditions import Conditions, Trouble
from device_gateway.errors import RefusedError, ShutOutError, StoreError, UnclaimedError, UnreachableError
from device_gateway.storage.store import Store

from .signing import Claimed, SigningKey, claim
from .wire import Wire, is_problem

NO_CODE = (
    "This gateway belongs to no patient yet: make a claim code on the clinic's Gateways page, write it into the "
    "settings file as claim_code, or give --claim CODE, and start the gateway anew."
)

log = logging.getLogger(__name__)


class Identity(Word):
    """What is kept of it. `token`: the long-lived one of a release that had no keys, until it is exchanged for one."""

    gateway_id: str
    patient_id: str
    keys: tuple[str, ...] = ()
    token: str | None = None


class _UnderWay(Word):
    """A claim that can be repeated with the same key when its answer is lost."""

    code_sha256: str
    key: str


class Claiming:
    """`code`: None where none was given. What keeps a new gateway from its patient stands in `conditions`."""

    def __init__(self, wire: Wire, store: Store, conditions: Conditions, *, name: str, code: str | None) -> None:
        self.unclaimed = NO_CODE
        """Why it belongs to nobody, and what to do; once `first` has been tried in vain."""
        self._wire = wire
        self._store = store
        self._conditions = conditions
        self._name = name
        self._code = code
        self._told = ""

    async def first(self) -> Identity:
        """For a gateway that is nobody's yet. Raises UnclaimedError; trying again may do."""
        code = self._code
        if code:
            try:
                identity = await self._claim(code, None)
            except RefusedError as refusal:
                self._code = None
                self.unclaimed = (
                    f"This gateway belongs to no patient yet, for the clinic does not accept the claim code {code}: "
                    f"make a new one on its Gateways page, and start the gateway anew with that. ({refusal})"
                )
            except (UnreachableError, StoreError) as trouble:
                self.unclaimed = (
                    f"This gateway belongs to no patient yet, for its claim code could not be used so far: {trouble} "
                    "It is tried again by itself."
                )
            else:
                self._conditions.clear(Trouble.CLINIC_UNCLAIMED)
                return identity
        self._conditions.set(Trouble.CLINIC_UNCLAIMED, self.unclaimed)
        if self._told != self.unclaimed:  # once, not every three minutes for months
            log.info("%s", self.unclaimed)
        self._told = self.unclaimed
        raise UnclaimedError(self.unclaimed)

    async def again(self, patient_id: str, refusal: ShutOutError) -> Identity:
        """With a new code for the same patient: what is stored stays, and goes up as the new gateway's.

        Raises `refusal`, or what came of the code.
        """
        code, self._code = self._code, None
        if not code:
            raise refusal
        try:
            return await self._claim(code, patient_id)
        except (UnreachableError, StoreError):
            self._code = code
            raise
        except RefusedError as answer:
            sentence = str(answer) if is_problem(answer, "another-patient") else str(refusal)
            raise ShutOutError(sentence, refusal.status, answer.problem) from answer

    async def _claim(self, code: str, patient_id: str | None) -> Identity:
        letters = code.upper().replace("-", "").replace(" ", "")  # as the clinic reads it, however it was typed
        digest = hashlib.sha256(letters.encode()).hexdigest()
        kept = await self._store.setting("claim")
        under_way = _UnderWay.model_validate_json(kept) if kept else None
        if under_way is None or under_way.code_sha256 != digest:
            under_way = _UnderWay(code_sha256=digest, key=SigningKey.make().secret)
            await self._store.keep_settings(claim=under_way.model_dump_json())
        key = SigningKey(under_way.key)
        claimed: Claimed = await claim(self._wire, code, self._name, key, patient_id)
        identity = Identity(gateway_id=claimed.gateway_id, patient_id=claimed.patient_id, keys=(key.secret,))
        await self._store.keep_settings(identity=identity.model_dump_json(), server_url=self._wire.url, claim="")
        return identity
