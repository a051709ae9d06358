"""Where a software radio's controller is: on a link in this process, or in another process (hci_server.py)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from bleak.exc import BleakError
from bumble.device import Device

from .controller import make_device
from .hci_stream import HciStream
from .host import make_host
from .link import SoftwareLink


@contextlib.asynccontextmanager
async def adapter_on_link(link: SoftwareLink, address: str) -> AsyncIterator[Device]:
    """A host with a controller of its own on this link."""
    device, controller = make_device("radio", address, link)
    try:
        yield device
    finally:
        controller.fall_silent()
        link.remove_controller(controller)


@contextlib.asynccontextmanager
async def adapter_over_tcp(host: str, port: int, address: str) -> AsyncIterator[Device]:
    """A host whose controller answers there. Raises BleakError where none does."""
    try:
        _, stream = await asyncio.get_running_loop().create_connection(HciStream, host, port)
    except OSError as error:
        raise BleakError(
            f"No Bluetooth adapter answers at {host}:{port} ({error.strerror or error}); start the sensors first."
        ) from error
    device = make_host("radio", address, stream)
    stream.ended.add_done_callback(lambda _: device.host.on_transport_lost())  # type: ignore[no-untyped-call]
    try:
        yield device
    finally:
        stream.close()
        await stream.ended
