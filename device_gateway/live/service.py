"""The local API as it lives in a home: kept up where its port is taken, found again where its address changes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from analytics.domain.live import Command
from analytics.domain.pairing import written
from device_gateway.conditions import Conditions, Trouble
from device_gateway.errors import GatewayError
from device_gateway.settings import GatewaySettings
from device_gateway.storage.store import Store

from .address import EVERYWHERE, NO_NETWORK, is_loopback, reachable_host
from .api import PATH, LocalApi
from .certificate import load_or_make
from .codes import TERMINAL_CODE_LASTS_S, Codes
from .control import Control
from .discovery import Announcer
from .hub import LiveHub
from .pairing import Pairing
from .phones import Phones

CHECK_ADDRESS_S = 60.0
TRY_PORT_S = 10.0

log = logging.getLogger(__name__)


class LocalService:
    """`start` and `close`. `url` is empty while the port cannot be had.

    on_change: called when what a phone needs to know (url, token, pairing code) is another.
    """

    def __init__(
        self,
        settings: GatewaySettings,
        store: Store,
        hub: LiveHub,
        conditions: Conditions,
        obey: Callable[[Command], Awaitable[None]],
        *,
        now: Callable[[], datetime],
        on_change: Callable[[], None],
        check_address_s: float = CHECK_ADDRESS_S,
        try_port_s: float = TRY_PORT_S,
    ) -> None:
        self.url = ""
        certificate = load_or_make(settings.home, now())
        self.certificate_sha256 = certificate.certificate_sha256
        self.phones = Phones(store, now)
        self.codes = Codes(store, time.monotonic, on_change)
        pairing = Pairing(
            self.codes, self.phones, name=settings.name, certificate_sha256=certificate.certificate_sha256
        )
        self._api = LocalApi(hub, self.phones, pairing, obey)
        self._context = certificate.context
        self._settings = settings
        self._conditions = conditions
        self._on_change = on_change
        self._check_address_s = check_address_s
        self._try_port_s = try_port_s
        self._announcer = _announcer(settings, self.certificate_sha256)
        self._port = 0
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen. Where the port cannot be had that is a condition, and tried again for as long as it lasts."""
        await self.phones.load()
        await self.codes.load()
        await self._listen()
        self._watching = asyncio.create_task(self._watch(), name="local API")

    async def close(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        if self._announcer is not None:
            await self._announcer.close()
        await self._api.close()

    def offer(self, control: Control) -> None:
        """Answer what `sinew gateway pair` and its like ask."""
        control.offer("pair", self._pair)
        control.offer("label", self._label)
        control.offer("phones", self._list)
        control.offer("revoke", self._revoke)

    async def _listen(self) -> None:
        settings = self._settings
        try:
            self._port = await self._api.start(settings.host, settings.port, self._context)
        except GatewayError as trouble:
            sentence = f"{trouble} Until then no phone can follow; exercises are recorded all the same."
            self._conditions.set(Trouble.LOCAL_API_DOWN, sentence)
            first = self._watching is None  # told once, not every ten seconds for months
            log.log(logging.WARNING if first else logging.DEBUG, "%s", sentence)
            return
        self._conditions.clear(Trouble.LOCAL_API_DOWN)
        self.url = self._url()

    def _url(self) -> str:
        host = self._settings.advertised_host or reachable_host(self._settings.host)
        return f"wss://{f'[{host}]' if ':' in host else host}:{self._port}{PATH}"

    async def _watch(self) -> None:
        announced = ""
        while True:
            if self.url != announced:
                announced = self.url
                await self._announce()
            await asyncio.sleep(self._check_address_s if self.url else self._try_port_s)
            before = self.url
            if not self.url:
                await self._listen()
            else:
                self.url = self._url()
            if self.url != before:
                self._on_change()

    async def _announce(self) -> None:
        address = reachable_host(self._settings.host)
        if self._announcer is not None and not (self._settings.host in EVERYWHERE and address == NO_NETWORK):
            await self._announcer.announce(address, self._port)

    async def _pair(self, question: Mapping[str, Any]) -> dict[str, Any]:
        return {"code": written(self.codes.issue()), "minutes": TERMINAL_CODE_LASTS_S / 60, "url": self.url}

    async def _label(self, question: Mapping[str, Any]) -> dict[str, Any]:
        match question.get("do"):
            case "renew":
                await self.codes.renew_label()
            case "off":
                await self.codes.switch_label_off()
        return {"code": written(self.codes.label) if self.codes.label else None}

    async def _list(self, question: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "phones": [
                {
                    "id": str(phone.id),
                    "name": phone.name,
                    "paired_at": phone.paired_at.isoformat(),
                    "last_seen": phone.last_seen.isoformat() if phone.last_seen else None,
                }
                for phone in self.phones.all()
            ]
        }

    async def _revoke(self, question: Mapping[str, Any]) -> dict[str, Any]:
        try:
            phone_id = UUID(str(question.get("id")))
        except ValueError:
            raise GatewayError("That is no phone's id: ask for the list of phones.") from None
        await self.phones.revoke(phone_id)
        self._on_change()
        return {}


def _announcer(settings: GatewaySettings, certificate_sha256: str) -> Announcer | None:
    """None where nobody could come, or nobody shall be told."""
    interfaces = settings.mdns_interfaces
    if interfaces is not None:
        return Announcer(certificate_sha256, interfaces) if interfaces else None
    if is_loopback(settings.host):
        return None
    return Announcer(certificate_sha256, None if settings.host in EVERYWHERE else [settings.host])
