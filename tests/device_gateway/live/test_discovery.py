"""Found by mDNS: real multicast on the loopback interface, between the gateway's announcer and the phone's search."""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from device_gateway.live.discovery import Announcer
from mobile_app.clients.discovery import CannotLook, FoundGateway, find_gateways

LOOPBACK = ["127.0.0.1"]
SECONDS = 2.5
"""A record is not multicast again within a second of the last time (RFC 6762, section 6)."""
OURS, OTHER = "ab" * 32, "cd" * 32


def multicast_comes_through() -> bool:
    """Whether a datagram to the mDNS group is heard on the loopback interface; a sandbox may forbid it."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as heard,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as said,
    ):
        try:
            heard.bind(("", 0))
            member = struct.pack("4s4s", socket.inet_aton("224.0.0.251"), socket.inet_aton("127.0.0.1"))
            heard.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
            heard.settimeout(1)
            said.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
            said.sendto(b"?", ("224.0.0.251", heard.getsockname()[1]))
            return heard.recv(16) == b"?"
        except OSError:
            return False


needs_multicast = pytest.mark.skipif(
    not multicast_comes_through(), reason="this machine takes no multicast on its loopback interface"
)


@asynccontextmanager
async def announced(certificate_sha256: str, port: int) -> AsyncIterator[Announcer]:
    announcer = Announcer(certificate_sha256, LOOPBACK)
    await announcer.announce("127.0.0.1", port)
    yield announcer
    await announcer.close()


@needs_multicast
async def test_a_phone_finds_its_gateway_among_others() -> None:
    async with announced(OURS, 4001), announced(OTHER, 4002):
        found = await find_gateways(SECONDS, interfaces=LOOPBACK)
    expected = {FoundGateway("ab" * 8, "127.0.0.1", 4001), FoundGateway("cd" * 8, "127.0.0.1", 4002)}
    assert expected <= set(found), "others may run on this machine"
    assert [gateway.port for gateway in found if gateway.may_be(OURS)] == [4001]


@pytest.mark.long
@needs_multicast
async def test_a_gateway_that_moved_is_found_where_it_is_and_one_that_left_is_not() -> None:
    async with announced(OURS, 4001) as announcer:
        await announcer.announce("127.0.0.1", 4003)
        found = await find_gateways(SECONDS, interfaces=LOOPBACK)
        assert [gateway.port for gateway in found if gateway.may_be(OURS)] == [4003]
    assert not [gateway for gateway in await find_gateways(SECONDS, interfaces=LOOPBACK) if gateway.may_be(OURS)]


async def test_where_there_is_no_such_interface_the_gateway_lives_on(caplog: pytest.LogCaptureFixture) -> None:
    announcer = Announcer(OURS, ["192.0.2.77"])
    await announcer.announce("192.0.2.77", 4001)
    assert "cannot be found by mDNS" in caplog.text
    await announcer.close()


async def test_a_phone_without_mdns_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zeroconf", None)
    with pytest.raises(CannotLook, match="Type the address"):
        await find_gateways(0.1)
