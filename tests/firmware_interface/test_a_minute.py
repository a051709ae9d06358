"""A minute with five sensors of a family at 100 Hz, or the nearest that it does: not one sample is lost or changed."""

import asyncio
import contextlib

import numpy as np
import pytest
from bleak import BleakClient
from notifications import limb

from firmware_interface.drivers import DRIVERS
from firmware_interface.virtual.families import FIRMWARES
from firmware_interface.virtual.gate import StartGate

DRIVER_OF = {driver.family.code: driver for driver in DRIVERS}
PACKET_S = 0.05


@pytest.mark.long
@pytest.mark.parametrize("code", DRIVER_OF)
async def test_five_sensors_for_a_minute_lose_nothing(code, make_sensor, software_radio, new_listener):
    gate = StartGate()
    sensors = [
        await make_sensor(limb(100.0, 60.0, seed), firmware=FIRMWARES[code], gate=gate, clock_drift_ppm=10.0 * seed)
        for seed in range(5)
    ]
    async with contextlib.AsyncExitStack() as stack:
        running = []
        for sensor in sensors:
            client = BleakClient(sensor.address, backend=software_radio.client_backend)
            driver, heard = DRIVER_OF[code](await stack.enter_async_context(client)), new_listener()
            running.append((sensor, driver, heard, await driver.start(100.0, round(100 * PACKET_S), heard)))
        await asyncio.gather(*(asyncio.wait_for(sensor.finished.wait(), 100) for sensor in sensors))
        for sensor, driver, heard, stream in running:
            await driver.stop()
            assert (sensor.dropped, heard.lost, driver.decode_errors) == (0, 0, 0)
            taken = len(sensor.reel.playback.time_s)
            assert taken >= 60 * stream.rate_hz - 1
            # What is paired, or sent in full packets only, may miss the very last.
            assert taken - 0.5 * stream.rate_hz <= heard.received <= taken
            acc = np.concatenate([run.acc_m_s2 for run in heard.runs])
            measured = sensor.reel.playback.acc_m_s2
            shift = next(k for k in range(50) if np.abs(measured[k : k + 20] - acc[:20]).max() < 0.05)
            assert np.abs(measured[shift : shift + len(acc)] - acc).max() <= 1.01 * stream.resolution.acc_m_s2
            if driver.family.has_imu:
                gyr = np.concatenate([run.gyr_rad_s for run in heard.runs])
                turned = sensor.reel.playback.gyr_rad_s[shift : shift + len(gyr)]
                assert np.abs(turned - gyr).max() <= 2.01 * stream.resolution.gyr_rad_s
            assert np.abs(np.diff(heard.times_us) - 1e6 / stream.rate_hz).max() <= 1500
