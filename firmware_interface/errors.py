"""What can go wrong with a sensor, each by name and with what to do about it."""

from __future__ import annotations


class SensorError(RuntimeError):
    """Something about one sensor; the other sensors go on."""


class UnknownSensorError(SensorError):
    """No driver knows this device."""


class WrongSensorError(SensorError):
    """The device advertises what it does not have: a look-alike, or firmware that is not finished."""


class FirmwareTooOldError(SensorError):
    """The sensor's firmware lacks what its driver needs; the maker has a newer one."""


class NarrowLinkError(SensorError):
    """The largest packet of this connection (ATT MTU) does not hold one of the sensor's."""


class SensorRefusedError(SensorError):
    """The sensor understood and said no."""


class NoReplyError(SensorError):
    """The sensor is connected but did not answer on its control point."""


class DecodeError(ValueError):
    """A notification is not what the protocol says. It is left out; the stream goes on with the next."""
