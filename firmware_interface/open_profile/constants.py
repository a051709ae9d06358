"""Constants of the open Sinew profile, made by tools/open_profile.py from definition.toml: change them there."""

from __future__ import annotations

from enum import IntEnum

SERVICE_UUID = "f83d0001-6b9d-48d0-b1a0-f2353a30c45a"
DATA_UUID = "f83d0002-6b9d-48d0-b1a0-f2353a30c45a"
CONTROL_UUID = "f83d0003-6b9d-48d0-b1a0-f2353a30c45a"

VERSION = 1
ACC_RANGES_G = (2, 4, 8, 16)
GYR_RANGES_DPS = (250, 500, 1000, 2000)
NO_MAG_READING = -32768


class Flag(IntEnum):
    """In the high four bits of a packet's first byte."""

    NINE_AXES = 0x10  # each sample has nine readings; otherwise six
    RESENT = 0x20  # the packet repeats samples that RESEND asked for


class Opcode(IntEnum):
    """What a gateway may ask."""

    START = 0x01  # sample and send
    STOP = 0x02  # send what has been taken, then end the stream
    RANGES = 0x03  # set the ranges of the next stream
    IDENTIFY = 0x04  # blink or vibrate, so that a person finds this sensor
    TIME = 0x05  # tell the clock
    RESEND = 0x06  # send samples again


class Status(IntEnum):
    """How a sensor answers."""

    OK = 0x00  # worked
    UNKNOWN_OPCODE = 0x01  # the sensor does not have this command
    BAD_PARAMETER = 0x02  # a value or the length is wrong
    NOT_SUBSCRIBED = 0x03  # subscribe to data first
    BUSY = 0x04  # not now: STOP first, or wait for the end of the last RESEND


# Fields in letters of the struct module. Where one may be left out, a second form has it.
PACKET_FIELDS = "BBHI"
COMMAND_FIELDS: dict[int, tuple[str, ...]] = {
    Opcode.START: ("IB", "IBB"),
    Opcode.STOP: ("",),
    Opcode.RANGES: ("BH",),
    Opcode.IDENTIFY: ("B",),
    Opcode.TIME: ("I",),
    Opcode.RESEND: ("HH",),
}
ANSWER_FIELDS: dict[int, tuple[str, ...]] = {
    Opcode.START: ("IBHHQ", "IBHHQH"),
    Opcode.STOP: ("",),
    Opcode.RANGES: ("BH",),
    Opcode.IDENTIFY: ("",),
    Opcode.TIME: ("IQI",),
    Opcode.RESEND: ("HH",),
}
