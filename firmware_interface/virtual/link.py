"""The air between software controllers: connection events, transmit queues, walking out of range and back."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable

from bumble import core, hci, ll
from bumble.controller import Controller
from bumble.link import LocalLink

_Direction = tuple[Controller, Controller]


class SoftwareLink(LocalLink):
    """Carries packets in order and without loss, as the link layer does: what cannot be sent waits in its queue.

    connection_interval_s: 0 delivers at once; otherwise up to `packets_per_event` go per direction and interval.
    supervision_timeout_s: after so long out of range both ends lose the connection and what was queued.
    """

    def __init__(
        self,
        *,
        connection_interval_s: float = 0.0,
        packets_per_event: int = 6,
        supervision_timeout_s: float = 2.0,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.connection_interval_s = connection_interval_s
        self.packets_per_event = packets_per_event
        self.supervision_timeout_s = supervision_timeout_s
        self._queues: dict[_Direction, deque[Callable[[], None]]] = {}
        self._events: dict[_Direction, asyncio.TimerHandle] = {}
        self._away: dict[Controller, asyncio.TimerHandle] = {}

    def out_of_range(self, controller: Controller) -> None:
        """Nothing reaches or leaves this controller until `in_range`; connections end at the supervision timeout."""
        if controller not in self._away:
            loop = asyncio.get_running_loop()
            timer = loop.call_later(self.supervision_timeout_s, self._lose_connections, controller)
            self._away[controller] = timer

    def in_range(self, controller: Controller) -> None:
        """Back again. A connection that has not timed out goes on, and what was queued arrives."""
        if timer := self._away.pop(controller, None):
            timer.cancel()
            for direction in [d for d in self._queues if controller in d]:
                self._pump(direction)

    def backlog(self, sender: Controller) -> int:
        """Packets that wait in this controller's transmit queues."""
        return sum(len(queue) for (source, _), queue in self._queues.items() if source is sender)

    def remove_controller(self, controller: Controller) -> None:
        """Take a controller off the air for good. What it sent last still arrives.

        Where it is out of range, nothing does, and its peers notice at the supervision timeout.
        """
        super().remove_controller(controller)
        for direction in [d for d in self._queues if d[1] is controller]:
            self._forget(direction)

    def send_acl_data(
        self,
        sender_controller: Controller,
        destination_address: hci.Address,
        transport: core.PhysicalTransport,
        data: bytes,
    ) -> None:
        receiver = self.find_le_controller(destination_address)
        connection = sender_controller.le_connections.get(destination_address)
        if receiver is not None and connection is not None:
            # Not the random address: Linux takes another for each scan, and connections keep theirs.
            source = connection.self_address
            self._send(sender_controller, receiver, lambda: receiver.on_link_acl_data(source, transport, data))

    def send_ll_control_pdu(
        self, sender_address: hci.Address, receiver_address: hci.Address, packet: ll.ControlPdu
    ) -> None:
        sender, receiver = self.find_le_controller(sender_address), self.find_le_controller(receiver_address)
        if sender is not None and receiver is not None:
            self._send(sender, receiver, lambda: receiver.on_ll_control_pdu(sender_address, packet))

    def send_advertising_pdu(self, sender_controller: Controller, packet: ll.AdvertisingPdu) -> None:
        if sender_controller in self._away:
            return
        loop = asyncio.get_running_loop()
        for receiver in self.controllers:
            if receiver is not sender_controller and receiver not in self._away:
                loop.call_soon(receiver.on_ll_advertising_pdu, packet)

    def _send(self, sender: Controller, receiver: Controller, deliver: Callable[[], None]) -> None:
        self._queues.setdefault((sender, receiver), deque()).append(deliver)
        self._pump((sender, receiver))

    def _pump(self, direction: _Direction) -> None:
        """See to it that this queue empties: now, or at its next connection event, or not while one end is away."""
        queue, loop = self._queues[direction], asyncio.get_running_loop()
        if direction in self._events or any(end in self._away for end in direction):
            return
        if queue and self.connection_interval_s:
            next_event = (math.floor(loop.time() / self.connection_interval_s) + 1) * self.connection_interval_s
            self._events[direction] = loop.call_at(next_event, self._connection_event, direction)
            return
        while queue:
            loop.call_soon(queue.popleft())
        del self._queues[direction]

    def _connection_event(self, direction: _Direction) -> None:
        del self._events[direction]
        if not any(end in self._away for end in direction):
            queue = self._queues[direction]
            for _ in range(min(self.packets_per_event, len(queue))):
                queue.popleft()()
        self._pump(direction)

    def _lose_connections(self, controller: Controller) -> None:
        """Supervision timeout: both ends of each connection of this controller are told reason 0x08."""
        lost = list(controller.le_connections.values())
        addresses = {controller.random_address, *(connection.self_address for connection in lost)}
        for peer in self.controllers:
            self._forget((peer, controller))
            self._forget((controller, peer))
            lost += [connection for connection in peer.le_connections.values() if connection.peer_address in addresses]
        for connection in lost:
            connection.controller.on_le_disconnected(connection, hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)
        if controller not in self.controllers:
            del self._away[controller]

    def _forget(self, direction: _Direction) -> None:
        self._queues.pop(direction, None)
        if event := self._events.pop(direction, None):
            event.cancel()
