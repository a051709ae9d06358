"""bumble's host, mended where version 0.0.236 waits for ever: cancelled callers, lost controllers, failed pairings."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from bumble import hci, smp
from bumble.device import Device
from bumble.host import Host
from bumble.transport.common import TransportLostError


class SoftwareHost(Host):
    """A host whose controller may go away, and whose callers may be cancelled."""

    _lost = False

    def on_packet(self, packet: bytes) -> None:
        """Let an answer drop whose asker was cancelled in this very instant. bumble sets it on the cancelled future."""
        with contextlib.suppress(asyncio.InvalidStateError):
            super().on_packet(packet)

    def on_transport_lost(self) -> None:
        """The controller is gone: fail what is asked of it, now and later."""
        self._lost = True
        with contextlib.suppress(asyncio.InvalidStateError):
            super().on_transport_lost()  # type: ignore[no-untyped-call]

    def send_hci_packet(self, packet: hci.HCI_Packet) -> None:
        if self._lost:
            raise TransportLostError("the Bluetooth adapter is gone")
        super().send_hci_packet(packet)


class SoftwarePairing(smp.Session):
    """One pairing on a connection."""

    def on_pairing_failure(self, reason: smp.ErrorCode) -> None:
        """Make room for another. bumble keeps a pairing that failed and gives it what belongs to the next."""
        if not self.completed:
            super().on_pairing_failure(reason)
            self.on_disconnection(0)  # the end of the pairing, not of the connection


def make_host(name: str, address: str, controller: Any) -> Device:
    """A bumble device with this controller, or with a stream that leads to one."""
    host = SoftwareHost()
    host.controller = controller
    device = Device(name, address=hci.Address(address), host=host)
    device.smp_session_proxy = SoftwarePairing
    return device
