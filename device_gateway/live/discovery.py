"""The gateway lets itself be found in the home's network by mDNS (RFC 6762) and DNS-SD (RFC 6763).

What is announced names nobody: a port, the protocol's version, and the beginning of the certificate's digest, by which
a phone that is paired knows its own gateway again.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Sequence

from zeroconf import Error, InterfaceChoice
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from .address import is_here

SERVICE = "_sinew._tcp.local."
VERSION = "1"
ID_LETTERS = 16

log = logging.getLogger(__name__)


class Announcer:
    """interfaces: addresses of the network interfaces to speak on; None for all of them."""

    def __init__(self, certificate_sha256: str, interfaces: Sequence[str] | None = None) -> None:
        self._id = certificate_sha256[:ID_LETTERS]
        self._interfaces = interfaces
        self._zeroconf: AsyncZeroconf | None = None

    async def announce(self, address: str, port: int) -> None:
        """Be found at this IP address from now on, and no more at the one before. Takes about two seconds.

        A network without multicast is no trouble worth a person's time: phones have other ways, so it is logged only.
        """
        await self.close()
        try:
            self._zeroconf = AsyncZeroconf(interfaces=self._present())  # anew, for the interfaces may be others
            info = AsyncServiceInfo(
                SERVICE,
                f"Sinew {self._id}.{SERVICE}",
                parsed_addresses=[str(ipaddress.ip_address(address))],
                port=port,
                properties={"v": VERSION, "id": self._id},
                server=f"sinew-{self._id}.local.",
            )
            await (await self._zeroconf.async_register_service(info, allow_name_change=True))
        except (OSError, ValueError, RuntimeError, Error) as trouble:
            log.warning("This gateway cannot be found by mDNS here: %s", trouble or type(trouble).__name__)
            await self.close()

    def _present(self) -> InterfaceChoice | list[str]:
        """Those there are, for one that is missing would silence the others. Raises OSError where there is none."""
        if self._interfaces is None:
            return InterfaceChoice.All
        present = [address for address in self._interfaces if is_here(address)]
        if not present:
            raise OSError(f"no network interface has the address {' or '.join(self._interfaces)}")
        return present

    async def close(self) -> None:
        """Say goodbye."""
        zeroconf, self._zeroconf = self._zeroconf, None
        if zeroconf is not None:
            await zeroconf.async_close()
