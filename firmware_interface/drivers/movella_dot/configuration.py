"""Configuration messages of a Movella DOT (§5.4): who it is, its filter profiles, back to factory settings.

Their acknowledgements hold the answer. Those of address, tag, serial number and factory settings do not say what they
answer, so that they can only be told apart by what was asked last.
"""

from __future__ import annotations

from enum import IntEnum

from ...errors import DecodeError
from .message import Topic, decode_message, encode_message


class ConfigId(IntEnum):
    ADDRESS = 0x01
    TAG = 0x02
    SERIAL = 0x03
    FACTORY_SETTINGS = 0x04
    FILTER_PROFILES = 0x05
    FILTER_PROFILE_NAME = 0x06


def encode_request_address() -> bytes:
    """Ask for its Bluetooth address."""
    return _encode(ConfigId.ADDRESS)


def encode_request_tag() -> bytes:
    """Ask for the name that its owner gave it."""
    return _encode(ConfigId.TAG)


def encode_request_serial() -> bytes:
    """Ask for its serial number."""
    return _encode(ConfigId.SERIAL)


def encode_factory_settings() -> bytes:
    """Forget all settings and the synchronisation; recordings stay."""
    return _encode(ConfigId.FACTORY_SETTINGS)


def encode_request_filter_profiles() -> bytes:
    """Ask which filter profiles there are."""
    return _encode(ConfigId.FILTER_PROFILES)


def encode_request_filter_profile_name(profile: int) -> bytes:
    """Ask what a filter profile is called."""
    return _encode(ConfigId.FILTER_PROFILE_NAME, bytes([profile]))


def decode_address(data: bytes) -> str:
    """As "D4:22:CD:AA:BB:CC": the one field that is big-endian. Raises DecodeError, as all here."""
    return _answer(data, 6).hex(":").upper()


def decode_tag(data: bytes) -> str:
    """The name."""
    return _answer(data).split(b"\0")[0].decode(errors="replace")


def decode_serial(data: bytes) -> int:
    """The serial number."""
    return int.from_bytes(_answer(data, 8), "little")


def decode_factory_settings_result(data: bytes) -> bool:
    """Whether both the settings and the magnetic field mapping are as the factory left them."""
    return not any(_answer(data, 8)[:2])


def decode_filter_profiles(data: bytes) -> list[int]:
    """The indices of the filter profiles."""
    answer = _answer(data)
    if len(answer) < 2 or answer[0] != ConfigId.FILTER_PROFILES or answer[1] != len(answer) - 2:
        raise DecodeError(f"{answer.hex(' ')} is no list of filter profiles.")
    return list(answer[2:])


def decode_filter_profile_name(data: bytes) -> str:
    """What a filter profile is called; "reserved" where there is none of this index."""
    answer = _answer(data)
    if not answer or answer[0] != ConfigId.FILTER_PROFILE_NAME:
        raise DecodeError(f"{answer.hex(' ')} is no name of a filter profile.")
    return answer[1:].split(b"\0")[0].decode("ascii", errors="replace")


def _encode(kind: ConfigId, content: bytes = b"") -> bytes:
    return encode_message(Topic.CONFIGURATION, bytes([kind]) + content)


def _answer(data: bytes, length: int | None = None) -> bytes:
    message = decode_message(data)
    if message.topic != Topic.CONFIGURATION or length not in (None, len(message.data)):
        raise DecodeError(f"The sensor told {message.data.hex(' ')}, which is no answer to what was asked.")
    return message.data
