"""Joins a serial port that carries HCI (H4) to /dev/vhci, which makes it a Bluetooth adapter of Linux.

A tty with `btattach` loses bytes above some 200 packets a second; this loses none, because both ends wait.
"""

import os
import sys
import threading

# Packet type: bytes of its header, and how many bytes follow it (Core 5.4, 4.E.5.4).
ACL, EVENT = 0x02, 0x04
VENDOR = 0xFF  # /dev/vhci's own, no HCI: "make a primary controller", and its answer
CREATE_PRIMARY_CONTROLLER = bytes([VENDOR, 0x00])


def packet_length(buffer: bytes) -> int | None:
    """The length of the packet at the buffer's beginning, or None where its header is not here yet."""
    if buffer[0] == ACL:
        return 5 + int.from_bytes(buffer[3:5], "little") if len(buffer) >= 5 else None
    if buffer[0] == EVENT:
        return 3 + buffer[2] if len(buffer) >= 3 else None
    raise ValueError(f"{buffer[0]:#04x} begins no packet of a controller")


def to_controller(vhci: int, port: int) -> None:
    """One read from /dev/vhci is one packet."""
    while True:
        packet = os.read(vhci, 4096)
        unsent = memoryview(packet if packet[0] != VENDOR else b"")
        while unsent:
            unsent = unsent[os.write(port, unsent) :]


def to_linux(port: int, vhci: int) -> None:
    """One write to /dev/vhci must be one packet."""
    buffer = bytearray()
    while received := os.read(port, 1 << 16):
        buffer += received
        while buffer and (length := packet_length(buffer)) is not None and len(buffer) >= length:
            os.write(vhci, bytes(buffer[:length]))
            del buffer[:length]


if __name__ == "__main__":
    serial, bluetooth = os.open(sys.argv[1], os.O_RDWR), os.open("/dev/vhci", os.O_RDWR)
    os.write(bluetooth, CREATE_PRIMARY_CONTROLLER)
    threading.Thread(target=to_controller, args=(bluetooth, serial), daemon=True).start()
    to_linux(serial, bluetooth)
