"""`python -m firmware_interface.virtual`: its options; every family's sensor in that process, its driver in this."""

import asyncio
import contextlib
import socket
import subprocess
import sys

import numpy as np
import pytest
from bleak import BleakClient, BleakScanner

from firmware_interface.drivers import DRIVERS, Quantity
from firmware_interface.virtual.__main__ import _parser, main, virtual_sensors
from firmware_interface.virtual.radio import SoftwareRadio
from firmware_interface.virtual.swing import swinging_limb

COMMAND = (sys.executable, "-m", "firmware_interface.virtual")
DRIVER_OF = {driver.family.code: driver for driver in DRIVERS}
GRAVITY_M_S2 = 9.80665


@contextlib.asynccontextmanager
async def sensors_elsewhere(*arguments):
    """A radio that reaches sensors in another process."""
    process = await asyncio.create_subprocess_exec(*COMMAND, *arguments, stdout=asyncio.subprocess.PIPE)
    try:
        ready, host, port = (await process.stdout.readline()).split()
        assert ready == b"READY"
        async with SoftwareRadio.over_tcp(host.decode(), int(port)) as radio:
            yield radio
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def samples_of(driver_type, radio, heard, least):
    """Stream from the one sensor there is until so many samples have come; its driver."""
    device = await BleakScanner.find_device_by_filter(driver_type.matches, backend=radio.scanner_backend)
    assert device is not None, "no sensor of this family"
    enough = asyncio.Event()

    def listen(run):
        heard(run)
        if heard.received >= least:
            enough.set()

    async with BleakClient(device, backend=radio.client_backend) as client:
        driver = driver_type(client)
        await driver.start(0.0, 5, listen)
        await enough.wait()
        await driver.stop()
    return driver


@pytest.mark.parametrize("code", DRIVER_OF)
async def test_every_family_streams_from_another_process(code, new_listener):
    driver_type, heard = DRIVER_OF[code], new_listener()
    async with sensors_elsewhere("--family", code, "--sensors", "1") as radio:
        driver = await samples_of(driver_type, radio, heard, 20)
    assert (driver.decode_errors, heard.lost) == (0, 0)
    acc_m_s2 = np.concatenate([run.acc_m_s2 for run in heard.runs])
    if Quantity.ACCELERATION in driver_type.family.quantities:
        np.testing.assert_allclose(np.linalg.norm(acc_m_s2, axis=1), GRAVITY_M_S2, atol=0.1)


async def test_packets_are_lost_where_that_is_asked_for(new_listener):
    heard = new_listener()
    async with sensors_elsewhere("--family", "movesense", "--sensors", "1", "--queue-loss", "0.5") as radio:
        await samples_of(DRIVER_OF["movesense"], radio, heard, 100)
    assert heard.lost > 0


def test_drift_and_interval_reach_sensors_and_link():
    async def made(*arguments):
        link, (sensor,) = virtual_sensors(_parser().parse_args(["--sensors", "1", *arguments]))
        return link.connection_interval_s, sensor.reel.due(10_000, first_sample_at=0.0)

    assert asyncio.run(made()) == (0.0, 100.0)
    interval_s, due_s = asyncio.run(made("--connection-interval-ms", "30", "--drift-ppm", "-200"))
    assert interval_s == 0.03
    assert due_s == pytest.approx(100.0 / (1 - 200e-6), abs=1e-9)


@pytest.mark.parametrize(
    "arguments",
    [
        "--rate 0", "--rate nan", "--rate inf", "--rate fast", "--sensors -1", "--sensors 0", "--sensors 33",
        "--sensors 2.5", "--port 99999", "--port -1", "--queue-loss 1.1", "--connection-interval-ms -1",
        "--drift-ppm nan", "--family unknown",
    ],
)  # fmt: skip
def test_what_cannot_be_is_a_usage_error(arguments, capsys):
    option, value = arguments.split()
    with pytest.raises(SystemExit) as refused:
        main([option, value])
    assert refused.value.code == 2
    complaint = capsys.readouterr().err.splitlines()[-1]
    assert f"argument {option}: " in complaint
    assert f"'{value}'" in complaint


def test_a_port_that_is_taken_is_one_sentence():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused = subprocess.run(
            [*COMMAND, "--port", str(port)], check=False, capture_output=True, text=True, timeout=30
        )
    assert refused.returncode == 1
    (line,) = refused.stderr.splitlines()
    assert f"port {port} cannot be used (Address already in use): choose another." in line


def test_the_help_tells_what_ready_means(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "the line READY HOST PORT is printed" in told
    assert all(driver.family.code in told for driver in DRIVERS)


@pytest.mark.parametrize("rate_hz", [1.0, 12.3, 33.3, 59.5, 100.0, 104.0])
def test_the_limb_loops_without_a_seam(rate_hz):
    """Of a cosine x, x[n-1] + x[n+1] = 2 cos(w) x[n] holds everywhere, over the seam too."""
    limb = swinging_limb(rate_hz, phase_rad=1.0)
    rate_rad_s = limb.gyr_rad_s[:, 2]
    beside = np.roll(rate_rad_s, 1) + np.roll(rate_rad_s, -1)
    np.testing.assert_allclose(beside, 2 * np.cos(2 * np.pi / len(rate_rad_s)) * rate_rad_s, atol=1e-12)
    assert len(rate_rad_s) / rate_hz == pytest.approx(4.0, abs=0.5 / rate_hz)
