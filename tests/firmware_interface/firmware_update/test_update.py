"""A firmware update over real ATT and GATT, with all that may come in between."""

import asyncio
from itertools import pairwise

import pytest
from bleak.exc import BleakError
from cryptography.hazmat.primitives.asymmetric import ed25519
from firmware_maker import Maker
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_interface.errors import NoReplyError
from firmware_interface.firmware_update import (
    Step,
    read_image,
    read_public_key,
    revert_firmware,
    update,
    update_firmware,
)
from firmware_interface.firmware_update.errors import (
    BootRefusedError,
    InterruptedUpdateError,
    NothingToRevertError,
    NotNewerError,
    RevertedError,
    UnfinishedUpdateError,
)
from firmware_interface.firmware_update.manager import Patience
from firmware_interface.firmware_update.update import INTERRUPTIONS

FRAMES_BYTES = 2475  # what the virtual sensor takes at once
CONNECT_BYTES = 400  # connecting, discovering, and looking at the slots


class Told:
    """Collects progress, and does something when a step was done."""

    def __init__(self, **reactions):
        self.progress = []
        self._reactions = {Step[name.upper()]: reaction for name, reaction in reactions.items()}

    def __call__(self, progress):
        self.progress.append(progress)
        if reaction := self._reactions.get(progress.step):
            reaction()

    @property
    def steps(self):
        steps = [progress.step for progress in self.progress]
        return [step for step, before in zip(steps, [None, *steps], strict=False) if step is not before]

    @property
    def uploaded(self):
        return [progress.done_bytes for progress in self.progress if progress.step is Step.UPLOAD]


async def test_a_whole_update(world):
    image, told = world.image("1.4.0"), Told()
    await update_firmware(image, world.connect, told)
    assert told.steps == [Step.UPLOAD, Step.TEST, Step.RESTART, Step.CONFIRM]
    assert told.uploaded == sorted(set(told.uploaded))
    assert told.uploaded[-1] == len(image.data) == world.bootloader.written_bytes
    assert (world.running, world.bootloader.confirmed, world.sensor.boots, world.connects) == ("1.4.0", True, 1, 2)
    world.bootloader.boot()
    assert world.running == "1.4.0", "for good"


@given(cuts=st.lists(st.integers(1, 22_000), max_size=3, unique=True).map(sorted))
@settings(max_examples=12)
def test_a_lost_link_loses_no_byte_of_the_upload(new_world, cuts):
    async def update():
        async with new_world() as world:
            image = world.image("1.4.0")
            world.link.cuts = list(cuts)
            await update_firmware(image, world.connect)
            return world, image

    world, image = asyncio.run(update())
    assert (world.running, world.bootloader.confirmed) == ("1.4.0", True)
    assert world.link.cuts == []
    assert world.bootloader.written_bytes == len(image.data), "no byte was written twice"
    again = (2 + len(cuts)) * (CONNECT_BYTES + 2 * FRAMES_BYTES)
    assert world.link.sent_bytes < 1.05 * len(image.data) + again


async def test_power_lost_during_the_upload_starts_it_over(world):
    image = world.image("1.4.0")
    cuts = iter([world.sensor.restart])
    told = Told(upload=lambda: next(cuts, lambda: None)() if told.uploaded[-1] > 10_000 else None)
    await update_firmware(image, world.connect, told)
    assert world.running == "1.4.0"
    assert told.uploaded != sorted(told.uploaded)
    assert world.bootloader.written_bytes > len(image.data)


async def test_power_lost_before_the_restart_is_the_restart(world):
    told = Told(test=world.sensor.restart)
    await update_firmware(world.image("1.4.0"), world.connect, told)
    assert told.steps == [Step.UPLOAD, Step.TEST, Step.CONFIRM]
    assert (world.running, world.bootloader.confirmed, world.sensor.boots) == ("1.4.0", True, 1)


async def test_power_lost_before_the_confirmation_reverts_and_is_said(world):
    restarted = []

    def lose_power_again():
        restarted.append(world.running)
        world.sensor.restart()

    with pytest.raises(RevertedError, match=r"went back to 1\.3\.2.*before 1\.4\.0 had been confirmed"):
        await update_firmware(world.image("1.4.0"), world.connect, Told(restart=lose_power_again))
    assert restarted == ["1.4.0"]
    assert (world.running, world.bootloader.confirmed) == ("1.3.2", True)


async def test_after_a_revert_the_update_may_be_tried_again_without_an_upload(world):
    with pytest.raises(RevertedError):
        await update_firmware(world.image("1.4.0"), world.connect, Told(restart=world.sensor.restart))
    told = Told()
    await update_firmware(world.image("1.4.0"), world.connect, told)
    assert told.steps == [Step.TEST, Step.RESTART, Step.CONFIRM]
    assert world.running == "1.4.0"


async def test_new_firmware_that_hangs_is_gone_after_another_restart(world):
    def hang():
        world.link.out_of_range(world.sensor.controller)

    with pytest.raises(NoReplyError, match="not found within 0 s: switch it off and on"):
        await update_firmware(world.image("1.4.0"), world.connect, Told(restart=hang), patience=Patience(return_s=0.4))
    assert (world.running, world.bootloader.confirmed) == ("1.4.0", False)
    world.bootloader.boot()
    assert world.running == "1.3.2"


async def test_a_link_lost_before_the_confirmation_reverts_nothing(world):
    await update_firmware(world.image("1.4.0"), world.connect, Told(restart=world.sensor.go_missing))
    assert (world.running, world.bootloader.confirmed) == ("1.4.0", True)


async def test_a_gateway_that_was_killed_at_any_step_goes_on_there(world):
    for begun in (Step.UPLOAD, Step.TEST, Step.RESTART):

        def kill(progress, begun=begun):
            if progress.step is begun:
                raise ProcessLookupError

        with pytest.raises(ProcessLookupError):
            await update_firmware(world.image("1.4.0"), world.connect, kill)
    told = Told()
    await update_firmware(world.image("1.4.0"), world.connect, told)
    assert told.steps == [Step.CONFIRM]
    assert world.bootloader.written_bytes == len(world.image("1.4.0").data)


@pytest.mark.parametrize("version", ["1.3.2", "1.3.1", "0.9.9+7"])
async def test_firmware_that_is_not_newer_is_not_sent(world, version):
    with pytest.raises(NotNewerError, match=rf"runs 1\.3\.2: {version.replace('+', '.')} is not newer"):
        await update_firmware(world.image(version, program_bytes=64), world.connect)
    assert world.bootloader.written_bytes == 0


async def test_firmware_that_runs_already_is_not_sent(world):
    with pytest.raises(NotNewerError, match=r"runs 1\.3\.2 already"):
        await update_firmware(world.image("1.3.2"), world.connect)
    assert world.bootloader.written_bytes == 0


async def test_what_the_bootloader_does_not_trust_is_told(world):
    stranger = Maker(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)))
    image = read_image(stranger.image("1.4.0"), read_public_key(stranger.public_pem))
    with pytest.raises(BootRefusedError, match=r"did not accept 1\.4\.0 and runs 1\.3\.2"):
        await update_firmware(image, world.connect)
    assert (world.running, len(world.bootloader.states())) == ("1.3.2", 1)


async def test_another_update_under_way_is_left_alone(world):
    await update_firmware(world.image("1.4.0"), world.connect, confirm=False)
    assert (world.running, world.bootloader.confirmed) == ("1.4.0", False)
    with pytest.raises(UnfinishedUpdateError, match="finish that one, or revert it"):
        await update_firmware(world.image("1.5.0"), world.connect)


async def test_firmware_on_trial_is_reverted(world):
    await update_firmware(world.image("1.4.0"), world.connect, confirm=False)
    assert await revert_firmware(world.connect) == (1, 3, 2, 0)
    assert (world.running, world.bootloader.confirmed) == ("1.3.2", True)


async def test_firmware_on_trial_is_confirmed_by_the_same_update(world):
    await update_firmware(world.image("1.4.0"), world.connect, confirm=False)
    await update_firmware(world.image("1.4.0"), world.connect)
    assert (world.running, world.bootloader.confirmed) == ("1.4.0", True)


async def test_firmware_that_waits_for_its_trial_is_reverted(world):
    def give_up(progress):
        if progress.step is Step.TEST:
            raise ProcessLookupError

    with pytest.raises(ProcessLookupError):
        await update_firmware(world.image("1.4.0"), world.connect, give_up)
    assert world.bootloader.pending
    assert await revert_firmware(world.connect) == (1, 3, 2, 0)
    assert world.sensor.boots == 2


async def test_what_is_confirmed_cannot_be_reverted(world):
    with pytest.raises(NothingToRevertError, match=r"runs 1\.3\.2 for good"):
        await revert_firmware(world.connect)
    assert world.sensor.boots == 0


async def test_a_sensor_that_takes_one_write_at_a_time(new_world):
    async with new_world(reassembles=False) as world:
        await update_firmware(world.image("1.4.0"), world.connect)
        assert world.running == "1.4.0"
        assert world.bootloader.written_bytes == len(world.image("1.4.0").data)


@pytest.mark.parametrize("reassembles", [True, False])
async def test_a_link_that_ends_between_answer_and_request(new_world, reassembles):
    async with new_world(reassembles=reassembles) as world:
        ends = []

        async def connect(on_gone):
            ends.append(on_gone)
            return await world.connect(on_gone)

        told = Told(upload=lambda: ends[-1]() if len(told.uploaded) in (2, 5) else None)
        await update_firmware(world.image("1.4.0"), connect, told)
        assert world.running == "1.4.0"
        assert world.bootloader.written_bytes == len(world.image("1.4.0").data)


async def test_an_update_that_is_interrupted_again_and_again_is_given_up(world):
    async def connect(on_gone):
        client = await world.connect(on_gone)
        world.link.cuts = [world.link.sent_bytes + 700]  # in the midst of a frame
        return client

    with pytest.raises(InterruptedUpdateError, match="lost the link: bring it closer, then try again"):
        await update_firmware(world.image("1.4.0"), connect)
    assert (world.running, world.connects) == ("1.3.2", 1 + INTERRUPTIONS)


async def test_after_an_interruption_it_waits_before_the_next_attempt(world, monkeypatch):
    monkeypatch.setattr(update, "PAUSE_S", 0.1)
    loop, attempts = asyncio.get_running_loop(), []

    async def connect(_):
        attempts.append(loop.time())
        raise BleakError("no such luck")

    with pytest.raises(InterruptedUpdateError, match="could not be connected"):
        await update_firmware(world.image("1.4.0"), connect)
    with pytest.raises(InterruptedUpdateError, match="could not be connected"):
        await revert_firmware(connect)
    assert len(attempts) == 2 * (1 + INTERRUPTIONS)
    pauses = [later - earlier for earlier, later in pairwise(attempts)]
    del pauses[INTERRUPTIONS]  # between the update and the revert
    assert min(pauses) > 0.09


@pytest.mark.parametrize("sent_bytes", range(100, 500, 50))
async def test_a_revert_outlives_lost_links_wherever_they_are_lost(world, sent_bytes):
    await update_firmware(world.image("1.4.0"), world.connect, confirm=False)
    lost = iter(range(INTERRUPTIONS))

    async def connect(on_gone):
        if next(lost, None) is not None:
            world.link.cuts = [world.link.sent_bytes + sent_bytes]
        return await world.connect(on_gone)

    assert await revert_firmware(connect) == (1, 3, 2, 0)
    assert (world.running, world.bootloader.confirmed) == ("1.3.2", True)


async def test_a_revert_that_is_interrupted_again_and_again_is_given_up(world):
    await update_firmware(world.image("1.4.0"), world.connect, confirm=False)

    async def connect(on_gone):
        world.link.cuts = [world.link.sent_bytes + 100]
        return await world.connect(on_gone)

    connects = world.connects
    with pytest.raises(InterruptedUpdateError, match="bring it closer"):
        await revert_firmware(connect)
    assert world.connects == connects + 1 + INTERRUPTIONS
    assert (world.running, world.bootloader.confirmed) == ("1.4.0", False)


async def test_a_sensor_that_is_not_there(world):
    async def never(_):
        await asyncio.Event().wait()

    with pytest.raises(NoReplyError, match="not found within 0 s: switch it off and on"):
        await update_firmware(world.image("1.4.0"), never, patience=Patience(return_s=0.01))
