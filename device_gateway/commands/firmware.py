"""`sinew gateway --update-firmware FILE`: bring new firmware to a sensor; `--revert-firmware` takes a trial back."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections.abc import Callable
from pathlib import Path

from bleak import BleakClient

from device_gateway.errors import GatewayError
from device_gateway.links.radio import Central
from device_gateway.settings import DEVICE_ADDRESS
from firmware_interface.errors import SensorError
from firmware_interface.firmware_update import (
    Progress,
    Step,
    read_image,
    read_public_key,
    revert_firmware,
    update_firmware,
)
from firmware_interface.firmware_update.image import IMAGE_LIMIT_BYTES

_DONE = {
    Step.TEST: "Marked for a trial start.",
    Step.RESTART: "Restarted. The sensor exchanges its firmware, which may take a minute.",
    Step.CONFIRM: "Confirmed.",
}


def main(argv: list[str]) -> int:
    """Update one sensor, or revert it. Returns 0 when done, 1 where that is not possible; the reason is printed."""
    options = _parsed(argv)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        asyncio.run(run(options, Central(None)))
    except (GatewayError, SensorError) as trouble:
        print(f"sinew gateway: {trouble}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("sinew gateway: stopped; the same command goes on where it was.", file=sys.stderr)
        return 130
    return 0


async def run(options: argparse.Namespace, central: Central) -> None:
    """Do what the options say. Raises GatewayError and SensorError."""
    address = options.sensor.strip().upper()
    if not DEVICE_ADDRESS.fullmatch(address):
        raise GatewayError(f"'{options.sensor}' is no Bluetooth address: write it as C4:64:E3:00:00:01.")

    async def connect(on_gone: Callable[[], None]) -> BleakClient:
        print("Looking for the sensor …", flush=True)
        return await central.connect(await central.find(address), on_gone)

    if options.revert_firmware:
        print(f"The sensor {address} runs {await revert_firmware(connect)} again.")
        return
    image = read_image(_read(options.update_firmware), read_public_key(_read(options.public_key)))
    print(f"{options.update_firmware.name}: version {image.version}, {len(image.data)} bytes, signed by its maker.")
    await update_firmware(image, connect, _Printer(), confirm=not options.trial)
    if options.trial:
        print(f"The sensor {address} tries {image.version}: its next restart takes it back.")
        print("To keep it, give this command again without --trial.")
    else:
        print(f"The sensor {address} runs {image.version}.")


class _Printer:
    """Prints progress, an upload in tens of per cent."""

    def __init__(self) -> None:
        self._tenths = 0

    def __call__(self, progress: Progress) -> None:
        if progress.step in _DONE:
            print(_DONE[progress.step], flush=True)
            return
        tenths = 10 * progress.done_bytes // progress.total_bytes
        if tenths != self._tenths:
            self._tenths = tenths
            print(f"Uploaded {10 * tenths} %.", flush=True)


def _read(path: Path) -> bytes:
    try:
        with path.expanduser().open("rb") as file:
            data = file.read(IMAGE_LIMIT_BYTES + 1)
    except OSError as error:
        raise GatewayError(f"{path} cannot be read ({error.strerror}): check the name of the file.") from error
    if len(data) > IMAGE_LIMIT_BYTES:
        raise GatewayError(f"{path} is too large for firmware of a sensor: check the name of the file.")
    return data


_USAGE = """sinew gateway --update-firmware FILE --public-key FILE --sensor ADDRESS [--trial]
       sinew gateway --revert-firmware --sensor ADDRESS"""


def _parsed(argv: list[str]) -> argparse.Namespace:
    parser = _parser()
    if not {"-h", "--help"}.isdisjoint(argv):  # `--update-firmware --help` wants help, not a file of that name
        argv = ["--help"]
    options = parser.parse_args(argv)
    if options.update_firmware and not options.public_key:
        parser.error("firmware is checked before it is sent: give the maker's public key with --public-key FILE")
    if options.revert_firmware and (options.public_key or options.trial):
        parser.error("--public-key and --trial go with --update-firmware only: leave them out")
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sinew gateway", usage=_USAGE, description="Bring new firmware to a sensor, or take a trial back."
    )
    task = parser.add_mutually_exclusive_group(required=True)
    task.add_argument("--update-firmware", metavar="FILE", type=Path, help="the signed image (*.signed.bin) to send")
    task.add_argument("--revert-firmware", action="store_true", help="go back from firmware that is on trial")
    parser.add_argument("--sensor", metavar="ADDRESS", required=True, help="which sensor, as C4:64:E3:00:00:01")
    parser.add_argument("--public-key", metavar="FILE", type=Path, help="the public key of the sensor's maker (PEM)")
    parser.add_argument("--trial", action="store_true", help="do not confirm: the sensor's next restart takes it back")
    return parser
