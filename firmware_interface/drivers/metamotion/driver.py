"""MbientLab MetaMotion R, RL, C and S."""

from __future__ import annotations

from typing import NamedTuple

from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from ...driver_kit.driver import SensorDriver
from ...driver_kit.family import IMU, Family, Quantity, StreamSettings
from ...errors import SensorRefusedError, WrongSensorError
from . import commands
from .commands import (
    CHIPS,
    Chip,
    FusionData,
    FusionMode,
    ModuleInfo,
    decode_corrected_acc,
    decode_corrected_gyr,
    decode_corrected_mag,
    decode_euler,
    decode_gravity,
    decode_linear_acc,
    decode_module_info,
    decode_quaternion,
    encode_acc_config,
    encode_fusion_mode,
    encode_fusion_outputs,
    encode_gyr_config,
    encode_mag_rate,
    encode_mag_repetitions,
    encode_power,
    encode_read,
    encode_sampling,
    encode_subscribe,
)
from .decoder import MetaMotionDecoder, resolution

__all__ = [
    "FusionMode",
    "MetaMotionDecoder",
    "MetaMotionDriver",
    "decode_corrected_acc",
    "decode_corrected_gyr",
    "decode_corrected_mag",
    "decode_euler",
    "decode_gravity",
    "decode_linear_acc",
    "decode_module_info",
    "decode_quaternion",
    "encode_acc_config",
    "encode_fusion_mode",
    "encode_fusion_outputs",
    "encode_gyr_config",
    "encode_mag_rate",
    "encode_mag_repetitions",
    "encode_power",
    "encode_read",
    "encode_sampling",
    "encode_subscribe",
]

USUAL_RATE_HZ = 100.0
FUSION_RATE_HZ = 100.0
PACKED = 3
"""Samples in a packet of the packed streams."""
ACC_RANGE_G = 16
GYR_RANGE_DPS = 2000
"""The widest ranges, so that a kick is not clipped. Their steps, 0.5 mg and 0.06 °/s, are no coarser than the noise at
100 Hz: 1.4 mg and 0.06 °/s over the 40 Hz that pass, of 180 µg/√Hz and 0.007 °/s/√Hz (Bosch, BMI160 data sheet)."""
_FUSION_STREAMS = (FusionData.CORRECTED_ACC, FusionData.CORRECTED_GYR, FusionData.QUATERNION)


class Board(NamedTuple):
    """What a board says it is made of. packs: it has packed streams. fuses: it has sensor fusion."""

    chip: Chip
    packs: bool
    fuses: bool


class MetaMotionDriver(SensorDriver[MetaMotionDecoder]):
    """Which chip a board has is asked of it. Its own sensor fusion runs only where `use_fusion` has said so."""

    family = Family(
        code="metamotion",
        name="MetaMotion R, RL, C, S",
        maker="MbientLab",
        quantities=(*IMU, Quantity.ORIENTATION),
        rates_hz=tuple(commands.RATE_CODES),
        acc_ranges_g=(ACC_RANGE_G,),
        gyr_ranges_dps=(GYR_RANGE_DPS,),
        timestamps=None,
        sequence=None,
        synchronisation=None,
        cannot=(
            "tell how many samples were lost",
            "tell when a sample was taken: only its arrival is known",
            "send its own orientation unasked, or at another rate than 100 Hz",
            "send its magnetometer's readings: they go into its own orientation only",
        ),
        source="github.com/mbientlab/MetaWear-API and MetaWear-SDK-Cpp",
    )
    service = commands.SERVICE_UUID
    characteristics = (commands.NOTIFY_UUID, commands.COMMAND_UUID)

    _fusion: FusionMode | None = None
    _board: Board | None = None

    @classmethod
    def matches(cls, device: BLEDevice, advertisement: AdvertisementData) -> bool:
        return commands.SERVICE_UUID in advertisement.service_uuids

    @classmethod
    def new_decoder(cls) -> MetaMotionDecoder:
        return MetaMotionDecoder()

    def use_fusion(self, mode: FusionMode | None) -> None:
        """From the next start on, send corrected readings and orientation at 100 Hz; None for plain readings again."""
        self._fusion = mode

    async def _begin(self, rate_hz: float, batch: int) -> StreamSettings:
        await self._listen(commands.NOTIFY_UUID)
        self._board = board = await self._ask_board()
        await self._end()
        rate_hz = FUSION_RATE_HZ if self._fusion else self.family.nearest_rate_hz(rate_hz, USUAL_RATE_HZ)
        if self._fusion:
            await self._command(encode_fusion_mode(self._fusion, ACC_RANGE_G, GYR_RANGE_DPS))
        await self._configure(encode_acc_config(board.chip.name, rate_hz, ACC_RANGE_G), "its accelerometer's setting")
        await self._configure(encode_gyr_config(rate_hz, GYR_RANGE_DPS), "its gyroscope's setting")
        self._forget_early()  # what was still under way of an earlier stream has come before these answers
        self.decoder.begin(rate_hz, board.chip.name, ACC_RANGE_G, GYR_RANGE_DPS, fusion=self._fusion is not None)
        if self._fusion:
            await self._command(*_start_of_fusion(self._fusion))
        else:
            # The maker tells to use packed streams beyond 100 Hz ("High Frequency Streaming").
            await self._command(*_start(board.chip, packed=board.packs and (batch >= PACKED or rate_hz > 100)))
        return StreamSettings(rate_hz, resolution(ACC_RANGE_G, GYR_RANGE_DPS), timestamped=False)

    async def _end(self) -> None:
        if self._board is not None:
            await self._command(*(_STOP_OF_FUSION if self._board.fuses else ()), *_stop(self._board.chip))

    async def _ask_board(self) -> Board:
        acc, gyr, fusion = [
            await self._ask_module(module) for module in (commands.ACCELEROMETER, commands.GYROSCOPE, commands.FUSION)
        ]
        if self._fusion and not fusion.present:
            raise SensorRefusedError(f"{self._name} has no sensor fusion; start it without.")
        for chip in CHIPS.values():
            if (acc.implementation, gyr.implementation) == (chip.acc_implementation, chip.gyr_implementation):
                packs = min(acc.revision, gyr.revision) >= chip.packs_from_revision
                return Board(chip, packs, fusion.present)
        raise WrongSensorError(
            f"{self._name} has no accelerometer and gyroscope that Sinew knows (BMI160 or BMI270); "
            "use a MetaMotion R, RL, C or S."
        )

    async def _ask_module(self, module: int) -> ModuleInfo:
        def answer(data: bytes) -> ModuleInfo | None:
            info = decode_module_info(data)
            return info if info is not None and info.module == module else None

        return await self._ask(commands.COMMAND_UUID, encode_read(module), answer, f"what its module {module:02x} is")

    async def _configure(self, setting: bytes, what: str) -> None:
        """Write a setting and read it back: a board answers no write, and a wrong range would scale every sample."""
        await self._write(commands.COMMAND_UUID, setting, what)
        question = encode_read(*setting[:2])

        def answer(data: bytes) -> bytes | None:
            return data[2:] if data[:2] == question else None

        if await self._ask(commands.COMMAND_UUID, question, answer, what) != setting[2:]:
            raise SensorRefusedError(f"{self._name} did not take {what}; restart it.")

    async def _command(self, *sequence: bytes) -> None:
        for command in sequence:
            await self._write(commands.COMMAND_UUID, command, f"the command {command.hex()}")

    def _on_data(self, characteristic: BleakGATTCharacteristic, data: bytearray) -> None:
        """Answers come on the same characteristic as samples."""
        if len(data) >= 2 and data[1] & commands.READ:
            self._on_reply(characteristic, data)
        else:
            super()._on_data(characteristic, data)


def _start(chip: Chip, *, packed: bool) -> list[bytes]:
    acc, gyr = (chip.packed_acc, chip.packed_gyr) if packed else (commands.ACC_DATA, chip.gyr_data)
    return [
        encode_subscribe(commands.ACCELEROMETER, acc, on=True),
        encode_subscribe(commands.GYROSCOPE, gyr, on=True),
        *_start_of_sensors(commands.ACCELEROMETER, commands.GYROSCOPE),
    ]


def _stop(chip: Chip) -> list[bytes]:
    """Only what the chip has: the other's packed stream is an interrupt's setting on this one."""
    return [
        *_stop_of_sensors(commands.ACCELEROMETER, commands.GYROSCOPE),
        *(
            encode_subscribe(commands.ACCELEROMETER, stream, on=False)
            for stream in (commands.ACC_DATA, chip.packed_acc)
        ),
        *(encode_subscribe(commands.GYROSCOPE, stream, on=False) for stream in (chip.gyr_data, chip.packed_gyr)),
    ]


def _start_of_fusion(mode: FusionMode) -> list[bytes]:
    """Its sensors first, then the fusion (API specification, "Full start sequence")."""
    with_mag = mode is FusionMode.NDOF
    return [
        *([encode_mag_repetitions(xy=9, z=15), encode_mag_rate(25.0)] if with_mag else ()),
        *(encode_subscribe(commands.FUSION, stream, on=True) for stream in _FUSION_STREAMS),
        *_start_of_sensors(commands.ACCELEROMETER, commands.GYROSCOPE, *([commands.MAGNETOMETER] if with_mag else ())),
        encode_fusion_outputs(sum(stream.output for stream in _FUSION_STREAMS)),
        encode_power(commands.FUSION, on=True),
    ]


def _start_of_sensors(*modules: int) -> list[bytes]:
    return [encode_sampling(module, on=True) for module in modules] + [
        encode_power(module, on=True) for module in modules
    ]


def _stop_of_sensors(*modules: int) -> list[bytes]:
    return [encode_power(module, on=False) for module in modules] + [
        encode_sampling(module, on=False) for module in modules
    ]


_STOP_OF_FUSION = [
    encode_power(commands.FUSION, on=False),
    encode_fusion_outputs(0),
    *_stop_of_sensors(commands.MAGNETOMETER),
    *(encode_subscribe(commands.FUSION, stream, on=False) for stream in _FUSION_STREAMS),
]
