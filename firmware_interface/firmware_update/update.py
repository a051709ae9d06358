"""The conversation of a firmware update: look at what the sensor holds, do the next step, look again.

Nothing but the sensor itself is asked how far the update is. So whatever happens in between, a lost link, an empty
battery, a gateway that was killed, the next look finds the step that is due.
Source: MCUboot, docs/design.md "Image trailer" and "Image swapping"; Zephyr, "SMP Protocol", image management.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum

from ..errors import SensorRefusedError
from .errors import (
    BootRefusedError,
    FrameCutError,
    InterruptedUpdateError,
    NothingToRevertError,
    NotNewerError,
    NotRestartedError,
    RevertedError,
    UnfinishedUpdateError,
)
from .image import FirmwareImage
from .manager import ManagedSensor, Patience, Slots, managed_sensor
from .transport import Connect
from .version import Version

INTERRUPTIONS = 5
"""So often in a row, without a byte more at the sensor, an update may be interrupted before it is given up."""
PAUSE_S = 0.5
"""Between an interruption and the next attempt: a link that fails at once is likely to do so again."""
_RESTARTS = 2


class Step(StrEnum):
    """What an update does next."""

    UPLOAD = "upload"
    TEST = "mark for a trial start"
    RESTART = "restart"
    CONFIRM = "confirm"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an update is: within the upload, or a step that was done."""

    step: Step
    done_bytes: int
    total_bytes: int


async def update_firmware(
    image: FirmwareImage,
    connect: Connect,
    on_progress: Callable[[Progress], None] = lambda _: None,
    *,
    confirm: bool = True,
    patience: Patience = Patience(),  # noqa: B008 - frozen
) -> None:
    """Bring the image to the sensor, have it start, and confirm it, through as many links as it takes.

    The image must have been verified (`read_image`). confirm False leaves it on trial: the sensor's next restart takes
    it back, another `update_firmware` confirms it. Raises SensorError, the subclass telling what happened; before
    anything was sent NotNewerError, UnfinishedUpdateError or NoUpdateServiceError.
    """
    await _Update(image, connect, on_progress, confirm, patience).run()


async def revert_firmware(connect: Connect, *, patience: Patience = Patience()) -> Version:  # noqa: B008 - frozen
    """Have the sensor go back from firmware that is not confirmed, and tell what it runs then.

    An image that only waits for its trial start is started and taken back. Raises NothingToRevertError.
    """
    interruptions, restarts = _Interruptions(), 0
    while True:
        try:
            async with managed_sensor(connect, patience) as sensor:
                slots = await sensor.slots()
                if slots.settled and not restarts:
                    raise NothingToRevertError(
                        f"{sensor.name} runs {slots.version} for good, nothing can be reverted: update it with a newer "
                        "one."
                    )
                if slots.settled:
                    return slots.version
                if restarts > _RESTARTS:
                    raise _not_restarted(sensor.name)
                restarts += 1
                await sensor.restart()
        except InterruptedUpdateError as interruption:
            await interruptions.bear(interruption)


def next_step(image: FirmwareImage, slots: Slots, restarts: int, name: str) -> Step:
    """What is due, or the error that tells why nothing is. restarts: how often the sensor was told to restart."""
    if slots.running.hash == image.digest:
        return Step.DONE if slots.running.confirmed else Step.CONFIRM
    if image.version <= slots.version:
        raise NotNewerError(f"{name} runs {slots.version}: {image.version} is not newer, so it is not sent.")
    here = slots.other is not None and slots.other.hash == image.digest
    if here and slots.pending:
        if restarts == _RESTARTS:
            raise _not_restarted(name)
        return Step.RESTART
    if restarts and here:
        raise RevertedError(
            f"{name} went back to {slots.version}: it was restarted before {image.version} had been confirmed, by an "
            "empty battery or because the new firmware fails. Charge it and update again; if it goes back once more, "
            "tell its maker."
        )
    if restarts:
        raise BootRefusedError(
            f"{name} did not accept {image.version} and runs {slots.version}: its bootloader trusts another key. Ask "
            "its maker for the firmware of this very model."
        )
    if not slots.settled:
        raise UnfinishedUpdateError(
            f"{name} is in the middle of another firmware update: finish that one, or revert it, then try again."
        )
    return Step.TEST if here else Step.UPLOAD


class _Interruptions:
    """Those in a row."""

    def __init__(self) -> None:
        self._count = 0

    def forget(self) -> None:
        """There was progress."""
        self._count = 0

    async def bear(self, interruption: InterruptedUpdateError) -> None:
        """Wait a little before the next attempt, or raise the interruption where there were too many."""
        self._count += 1
        if self._count > INTERRUPTIONS:
            raise interruption
        await asyncio.sleep(PAUSE_S)


class _Update:
    def __init__(
        self,
        image: FirmwareImage,
        connect: Connect,
        on_progress: Callable[[Progress], None],
        confirm: bool,
        patience: Patience,
    ) -> None:
        self._image = image
        self._connect = connect
        self._on_progress = on_progress
        self._confirm = confirm
        self._patience = patience
        self._begun = False
        self._one_write_per_frame = False
        self._furthest = 0
        self._interruptions = _Interruptions()
        self._restarts = 0

    async def run(self) -> None:
        """Go on, link after link, until all is done."""
        done = False
        while not done:
            try:
                async with self._managed_sensor() as sensor:
                    done = await self._converse(sensor)
            except InterruptedUpdateError as interruption:
                self._one_write_per_frame |= isinstance(interruption, FrameCutError)
                await self._interruptions.bear(interruption)

    def _managed_sensor(self) -> AbstractAsyncContextManager[ManagedSensor]:
        return managed_sensor(self._connect, self._patience, one_write_per_frame=self._one_write_per_frame)

    async def _converse(self, sensor: ManagedSensor) -> bool:
        """As much as one link is good for. Tells whether the update is done."""
        last = None
        while True:
            step = next_step(self._image, await sensor.slots(), self._restarts, sensor.name)
            if step is last:
                raise SensorRefusedError(f"{sensor.name} agreed to {step} but did not: restart it, then update again.")
            if step is Step.DONE and not self._begun:
                raise NotNewerError(f"{sensor.name} runs {self._image.version} already: there is nothing to do.")
            if step is Step.DONE or (step is Step.CONFIRM and not self._confirm):
                return True
            last, self._begun = step, True
            await self._take(step, sensor)
            if step is Step.RESTART:
                return False

    async def _take(self, step: Step, sensor: ManagedSensor) -> None:
        match step:
            case Step.UPLOAD:
                await self._upload(sensor)
                return
            case Step.TEST:
                await sensor.test(self._image.digest)
            case Step.RESTART:
                self._restarts += 1
                await sensor.restart()
            case Step.CONFIRM:
                await sensor.confirm(self._image.digest)
        self._tell(step, len(self._image.data))

    async def _upload(self, sensor: ManagedSensor) -> None:
        async with contextlib.aclosing(sensor.upload(self._image.data)) as offsets:
            async for held in offsets:
                if held > self._furthest:
                    self._furthest = held
                    self._interruptions.forget()
                self._tell(Step.UPLOAD, held)

    def _tell(self, step: Step, done_bytes: int) -> None:
        self._on_progress(Progress(step, done_bytes, len(self._image.data)))


def _not_restarted(name: str) -> NotRestartedError:
    return NotRestartedError(f"{name} does not start what it was told to: switch it off and on, then try again.")
