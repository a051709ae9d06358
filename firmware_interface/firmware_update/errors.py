"""What can go wrong with a firmware update, each by name and with what to do about it."""

from __future__ import annotations

from ..errors import NoReplyError, SensorError, SensorRefusedError, WrongSensorError


class ImageError(SensorError):
    """The file is not a firmware image that may be sent: something else, cut short, altered or encrypted."""


class UnsignedImageError(ImageError):
    """The image carries no signature."""


class SignatureError(ImageError):
    """The image was not signed with the maker's key, or the key cannot be used."""


class NotNewerError(ImageError):
    """The sensor runs this version already, or a newer one."""


class NoUpdateServiceError(WrongSensorError):
    """The sensor does not offer firmware updates over Bluetooth."""


class UnfinishedUpdateError(SensorError):
    """An earlier update of this sensor still waits for its restart or for its confirmation."""


class InterruptedUpdateError(NoReplyError):
    """The link ended, or the sensor fell silent or received damaged bytes. Trying again goes on where it was."""


class FrameCutError(InterruptedUpdateError):
    """The sensor seems to understand only requests that fit into one Bluetooth write."""


class UpdateRefusedError(SensorRefusedError):
    """The sensor understood and said no. code: the name of its SMP return code."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class BootRefusedError(SensorError):
    """The sensor's bootloader threw the new firmware away, and the sensor runs the old one."""


class RevertedError(SensorError):
    """The sensor started the new firmware and went back to the old one."""


class NotRestartedError(SensorError):
    """The sensor does not restart although it said that it would."""


class NothingToRevertError(SensorError):
    """The firmware that the sensor runs is confirmed; there is no way back from it."""
