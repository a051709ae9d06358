"""Finding gateways in the home's network by mDNS. What is found is a hint where to knock; nothing is trusted for it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

SERVICE = "_sinew._tcp.local."
VERSION = "1"
ID_LETTERS = 16


class CannotLook(RuntimeError):  # noqa: N818
    """This phone cannot look for gateways; the message says what to do instead."""


@dataclass(frozen=True)
class FoundGateway:
    """`id` is the beginning of its certificate's SHA-256, if it speaks the truth."""

    id: str
    host: str
    port: int

    def may_be(self, certificate_sha256: str) -> bool:
        """Whether this looks like the gateway with that certificate: the pin decides when it is connected to."""
        return certificate_sha256.replace(":", "").lower().startswith(self.id)


async def find_gateways(seconds: float = 3.0, *, interfaces: Sequence[str] | None = None) -> list[FoundGateway]:
    """Listen for so long, and return what was heard. `interfaces`: addresses to look on; None for all.

    Raises CannotLook where the phone has no mDNS (the package `zeroconf`) or its network takes no multicast.
    """
    try:
        from zeroconf import Error, InterfaceChoice, IPVersion, ServiceStateChange, Zeroconf  # noqa: PLC0415
        from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf  # noqa: PLC0415
    except ImportError as error:
        raise CannotLook("This phone cannot look for gateways. Type the address that your gateway shows.") from error
    names: set[str] = set()

    def heard(zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        names.discard(name) if state_change is ServiceStateChange.Removed else names.add(name)

    async def ask(name: str) -> FoundGateway | None:
        info = AsyncServiceInfo(SERVICE, name)
        addresses = info.parsed_addresses(IPVersion.All) if await info.async_request(mdns.zeroconf, 1000) else []
        told = info.decoded_properties
        if not addresses or not info.port or told.get("v") != VERSION:
            return None
        letters = told.get("id") or ""
        return FoundGateway(letters, addresses[0], info.port) if len(letters) == ID_LETTERS else None

    try:
        mdns = AsyncZeroconf(interfaces=InterfaceChoice.All if interfaces is None else list(interfaces))
    except (OSError, Error) as error:
        raise CannotLook(
            "This phone's network does not let it look for gateways. Type the address that your gateway shows."
        ) from error
    try:
        browser = AsyncServiceBrowser(mdns.zeroconf, SERVICE, handlers=[heard])
        await asyncio.sleep(seconds)
        await browser.async_cancel()
        found = await asyncio.gather(*(ask(name) for name in sorted(names)))
    finally:
        await mdns.async_close()
    return [gateway for gateway in found if gateway is not None]
