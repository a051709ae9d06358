"""Movesense sensors over GSP, the "GATT SensorData Protocol" of its DataLogger app and of its sample firmware."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Sequence
from functools import partial
from typing import Literal

from bleak import BleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from ...driver_kit.family import IMU, Family, Quantity, StreamSettings
from ...errors import NoReplyError, SensorRefusedError, WrongSensorError
from .commands import GspDriver
from .decoder import ACC_RANGES_G, GYR_RANGES_DPS, STREAM_REFERENCE, MovesenseDecoder, resolution
from .payloads import decode_heart_rate, decode_temperature
from .protocol import (
    ADVERTISED_UUID,
    COMMAND_UUID,
    DATA_UUID,
    FIRST_HALF_BYTES,
    RESTART_MODE,
    SERVICE_UUID,
    LogEntry,
    LoggerState,
    decode_hello,
    decode_log_chunk,
    decode_log_entries,
    decode_number,
    decode_result,
    decode_time,
    encode_clear_logbook,
    encode_fetch_log,
    encode_get,
    encode_hello,
    encode_put_datalogger_config,
    encode_put_datalogger_state,
    encode_put_system_mode,
    encode_put_utc_time,
    encode_subscribe,
    encode_unsubscribe,
)

__all__ = [  # the driver, and what of the protocol it leaves to others
    "MovesenseDriver",
    "decode_heart_rate",
    "decode_hello",
    "decode_log_chunk",
    "decode_result",
    "decode_temperature",
    "encode_get",
    "encode_hello",
    "encode_subscribe",
    "encode_unsubscribe",
]

USUAL_RATE_HZ = 104.0


class MovesenseDriver(GspDriver):
    """stream: what `start` asks for; "IMU9" is "IMU6" with the magnetometer, and half as much again to send.

    Recordings are made in the sensor's own memory, with or without a connection.
    """

    family = Family(
        code="movesense",
        name="Movesense",
        maker="Movesense",
        quantities=(*IMU, Quantity.MAGNETIC_FIELD),
        rates_hz=(13.0, 26.0, 52.0, 104.0, 208.0, 416.0, 833.0, 1666.0),
        acc_ranges_g=ACC_RANGES_G,
        gyr_ranges_dps=GYR_RANGES_DPS,
        timestamps="ms since its start, 32 bit, first sample of each packet",
        sequence=None,
        synchronisation=None,
        cannot=(
            "be set to another range over this protocol: it keeps what it has, usually 8 g and 2000 °/s",
            "send its magnetic field unasked, which is half as much again to send",
            "number its packets: what was lost is told by its clock, in whole packets",
            "stream without the maker's DataLogger or GATT SensorData firmware",
        ),
        source="movesense.com/docs/esw/gatt_sensordata_protocol",
    )
    service = SERVICE_UUID
    characteristics = (DATA_UUID, COMMAND_UUID)
    least_payload_bytes = 2 + FIRST_HALF_BYTES
    stream: Literal["IMU6", "IMU9"] = "IMU6"

    def __init__(self, client: BleakClient, decoder: MovesenseDecoder | None = None) -> None:
        super().__init__(client, decoder)
        self._streaming: tuple[str, StreamSettings] | None = None

    @classmethod
    def matches(cls, device: BLEDevice, advertisement: AdvertisementData) -> bool:
        """Firmware from before Movesense had a UUID of its own is known by its name only."""
        name, uuids = advertisement.local_name or device.name or "", advertisement.service_uuids
        return ADVERTISED_UUID in uuids or SERVICE_UUID in uuids or name.startswith("Movesense ")

    @classmethod
    def new_decoder(cls) -> MovesenseDecoder:
        return MovesenseDecoder()

    async def battery_percent(self) -> int:
        """By the battery service, or where there is none by its own resource. Raises SensorError in its kinds."""
        with contextlib.suppress(WrongSensorError):
            return await super().battery_percent()
        percent = await self._get("/System/Energy/Level", decode_number)
        if percent > 100:
            raise WrongSensorError(f"{self._name} tells a battery level of {percent} %; update its firmware.")
        return percent

    async def set_clock(self, unix_us: int) -> None:
        """Set the sensor's UTC clock [µs since 1970], which its recordings tell; the samples' clock stays as it is."""
        await self._command(partial(encode_put_utc_time, unix_us=unix_us), "PUT_UTCTIME", bytes)

    async def recording(self) -> bool:
        """Whether it is recording."""
        return await self._get("/Mem/DataLogger/State", decode_number) == LoggerState.LOGGING

    async def configure_recording(self, paths: Sequence[str]) -> None:
        """Say what to record, as ["/Meas/IMU9/104", "/Time/Detailed"]; the latter ties its clock to UTC.

        Raises SensorRefusedError while it records.
        """
        await self._command(partial(encode_put_datalogger_config, paths=paths), "PUT_DATALOGGER_CONFIG", bytes)

    async def start_recording(self) -> None:
        """Record, connected or not, until it is stopped or its memory is full."""
        await self._set_logger(LoggerState.LOGGING)

    async def stop_recording(self) -> None:
        """Close the recording, so that it can be fetched."""
        await self._set_logger(LoggerState.READY)

    async def recordings(self) -> tuple[LogEntry, ...]:
        """The first recordings in memory, as many as one notification tells: nine. Raises SensorRefusedError."""
        return await self._get("/Mem/Logbook/Entries", decode_log_entries)

    async def fetch_recording(self, log_id: int) -> AsyncGenerator[bytes, None]:
        """A recording's bytes in their order: an SBEM file, which the maker's sbem2json reads.

        Raises SensorRefusedError where there is none of this number or it is still recording, NoReplyError where a part
        does not come.
        """
        fetching = self._log_chunks(partial(encode_fetch_log, log_id=log_id), f"FETCH_LOG {log_id}")
        had = 0
        async with contextlib.aclosing(fetching) as chunks:
            async for chunk in chunks:
                if chunk.offset != had:
                    raise NoReplyError(f"{self._name} left out a part after byte {had} of a recording; fetch it again.")
                had += len(chunk.content)
                if chunk.content:
                    yield chunk.content

    async def erase_recordings(self) -> None:
        """Erase all recordings. Raises SensorRefusedError while it records."""
        await self._command(encode_clear_logbook, "CLEAR_LOGBOOK", bytes)

    async def restart(self) -> None:
        """Have its firmware begin anew; the connection ends."""
        await self._command(partial(encode_put_system_mode, mode=RESTART_MODE), "PUT_SYSTEMMODE", bytes)

    async def _begin(self, rate_hz: float, batch: int) -> StreamSettings:
        rate_hz = self.family.nearest_rate_hz(rate_hz, USUAL_RATE_HZ)
        path = f"/Meas/{self.stream}/{rate_hz:g}"
        if self._streaming and self._streaming[0] == path:
            return self._streaming[1]
        await self._end()
        clock_ms = None if self._old else (await self._get("/Time/Detailed", decode_time)).since_start_ms
        ranges = await self._range("Acc", ACC_RANGES_G), await self._range("Gyro", GYR_RANGES_DPS)
        continues = self.decoder.begin(self.stream, rate_hz, clock_ms, *ranges)
        await self._subscribe_to(path, STREAM_REFERENCE)
        settings = StreamSettings(rate_hz, resolution(*ranges), continues)
        self._streaming = path, settings
        return settings

    async def _end(self) -> None:
        """What the sensor had sent arrives before its answer."""
        if self._streaming is not None:
            self._streaming = None
            await self._unsubscribe_from(STREAM_REFERENCE)
            self.decoder.end()

    async def _range(self, sensor: str, known: Sequence[float]) -> float | None:
        """The full scale that is set, or None where it does not tell."""
        if self._old:
            return None
        with contextlib.suppress(SensorRefusedError, NoReplyError):
            told = await self._get(f"/Meas/{sensor}/Config", decode_number)
            return float(told) if told in known else None
        return None

    async def _set_logger(self, state: LoggerState) -> None:
        await self._command(partial(encode_put_datalogger_state, state=state), "PUT_DATALOGGER_STATE", bytes)
