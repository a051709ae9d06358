"""bumble's software controller, mended where version 0.0.236 does not do what a real one does."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from bumble import hci, ll
from bumble.controller import Controller
from bumble.device import Device
from bumble.link import LocalLink

from .host import make_host

_Report = hci.HCI_LE_Advertising_Report_Event.Report
_EventType = hci.HCI_LE_Advertising_Report_Event.EventType
_RSSI_DBM = -50


@dataclass
class _ScannableAdvInd(ll.AdvInd):
    """An advertisement that carries its scan response along, which the air would carry separately."""

    scan_response: bytes


class SoftwareController(Controller):
    """A controller on a software link. `public_address` is for a host that has no random one of its own."""

    def __init__(self, name: str, link: LocalLink, public_address: str | None = None) -> None:
        super().__init__(name, link=link, public_address=public_address)
        # bumble's 27 bytes would cut every notification into ten HCI packets.
        self.le_acl_data_packet_length = 251
        # Legacy advertising, as small sensors do it. Linux as host works with this controller only without these two.
        self.le_features &= ~(hci.LeFeatureMask.LL_PRIVACY | hci.LeFeatureMask.LE_EXTENDED_ADVERTISING)

    def fall_silent(self) -> None:
        """End every connection, scan, advertisement and request to connect, as at a loss of power."""
        self.le_scan_enable = False
        self.pending_le_connection = None
        self.le_legacy_advertiser.stop()
        for connection in self.le_connections.values():
            reason = hci.HCI_ErrorCode.REMOTE_DEVICE_TERMINATED_CONNECTION_DUE_TO_POWER_OFF_ERROR
            connection.send_ll_control_pdu(ll.TerminateInd(reason))
        self.le_connections.clear()

    def on_hci_reset_command(self, _command: hci.HCI_Reset_Command) -> hci.HCI_StatusReturnParameters:
        """Really reset (Core 5.4, 4.E.7.3.2). bumble goes on scanning and holding its connections."""
        self.fall_silent()
        return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.SUCCESS)

    def on_hci_le_create_connection_cancel_command(
        self, _command: hci.HCI_LE_Create_Connection_Cancel_Command
    ) -> hci.HCI_StatusReturnParameters:
        """Really take the request back (Core 5.4, 4.E.7.8.13). bumble keeps it, and it connects by itself later."""
        request, self.pending_le_connection = self.pending_le_connection, None
        if request is None:
            return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
        cancelled = hci.HCI_LE_Connection_Complete_Event(
            status=hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR,
            connection_handle=0,
            role=hci.Role.CENTRAL,
            peer_address_type=request.peer_address.address_type,
            peer_address=request.peer_address,
            connection_interval=0,
            peripheral_latency=0,
            supervision_timeout=0,
            central_clock_accuracy=0,
        )
        asyncio.get_running_loop().call_soon(self.send_hci_packet, cancelled)
        return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.SUCCESS)

    def send_advertising_pdu(self, packet: ll.AdvertisingPdu) -> None:
        """Send the scan response too, so that a sensor's name need not fit beside its service in 31 bytes."""
        if isinstance(packet, ll.AdvInd):
            response = self.le_legacy_advertiser.scan_response_data
            packet = _ScannableAdvInd(packet.advertiser_address, packet.data, response)
        super().send_advertising_pdu(packet)

    def on_advertising_pdu(self, pdu: ll.AdvInd | ll.AdvExtInd) -> None:
        """Report the advertisement and its own scan response. bumble reports the advertisement as both."""
        if not isinstance(pdu, _ScannableAdvInd):
            super().on_advertising_pdu(pdu)
            return
        if self.le_scan_enable:
            self._report(pdu, _EventType.ADV_IND, pdu.data)
            self._report(pdu, _EventType.SCAN_RSP, pdu.scan_response)
        request = self.pending_le_connection
        if request is not None and request.peer_address == pdu.advertiser_address:
            self.create_le_connection(pdu.advertiser_address)

    def on_ll_control_pdu(self, sender_address: hci.Address, packet: ll.ControlPdu) -> None:
        """Ignore what arrives for a connection that has just ended: both ends may hang up at once."""
        if sender_address in self.le_connections:
            super().on_ll_control_pdu(sender_address, packet)

    def on_link_acl_data(self, sender_address: hci.Address, transport: Any, data: bytes) -> None:
        if sender_address in self.le_connections:
            super().on_link_acl_data(sender_address, transport, data)

    def _report(self, pdu: ll.AdvInd, event_type: _EventType, data: bytes) -> None:
        address = pdu.advertiser_address
        report = _Report(event_type, address.address_type, address, data=data, rssi=_RSSI_DBM)
        self.send_hci_packet(hci.HCI_LE_Advertising_Report_Event([report]))


def make_device(name: str, address: str, link: LocalLink) -> tuple[Device, SoftwareController]:
    """A bumble device (host and controller) on the link. Needs a running event loop."""
    controller = SoftwareController(name, link)
    return make_host(name, address, controller), controller
