"""GATT characteristics of virtual sensors, in a line each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bumble import att
from bumble.core import UUID
from bumble.device import Connection
from bumble.gatt import Characteristic, CharacteristicValue

GattCharacteristic = Characteristic[bytes]
_Properties = Characteristic.Properties


def notifying(uuid: str, *, indicate: bool = False) -> GattCharacteristic:
    """A characteristic that is subscribed to, for notifications or for indications."""
    kind = _Properties.INDICATE if indicate else _Properties.NOTIFY
    return Characteristic(UUID(uuid), kind, Characteristic.READABLE, CharacteristicValue(read=_refuse_read))


def writable(
    uuid: str, on_write: Callable[[bytes], None], *, read: Callable[[], bytes] | None = None, **kinds: bool
) -> GattCharacteristic:
    """A characteristic that is written, and read where `read` is given.

    kinds: notify, indicate, write_without_response, each True where it does that as well.

    `on_write` refuses by raising bumble's att.ATT_Error.
    """
    properties, permissions = _Properties.WRITE, Characteristic.WRITEABLE
    if read is not None:
        properties, permissions = properties | _Properties.READ, permissions | Characteristic.READABLE
    for kind, wanted in kinds.items():
        if wanted:
            properties |= getattr(_Properties, kind.upper())
    reader = _refuse_read if read is None else _reader(read)
    value = CharacteristicValue(read=reader, write=lambda _, data: on_write(bytes(data)))
    return Characteristic(UUID(uuid), properties, permissions, value)


def readable(uuid: str, read: Callable[[], bytes], *, notify: bool = False) -> GattCharacteristic:
    """A characteristic that is read, and where wanted tells its changes."""
    properties = _Properties.READ | (_Properties.NOTIFY if notify else _Properties(0))
    return Characteristic(UUID(uuid), properties, Characteristic.READABLE, CharacteristicValue(read=_reader(read)))


def _reader(read: Callable[[], bytes]) -> Callable[[Any], bytes]:
    return lambda _: read()


def _refuse_read(_connection: Connection) -> bytes:
    """bumble leaves a reader without an answer unless it is told what to say."""
    raise att.ATT_Error(att.ErrorCode.READ_NOT_PERMITTED)
