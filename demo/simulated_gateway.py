"""`sinew gateway --simulate`: a patient's home with virtual sensors, for a server that runs elsewhere."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from analytics.domain.exercise import Side
from analytics.exercises.catalogue import exercise as exercise_named
from demo.body import SensorKind, Trouble
from demo.command_line import add_playback_arguments, run_to_the_end
from demo.errors import DemoError
from demo.home import exercise_once, patient_home, upload
from demo.motion import recorded_motion, simulated_motion
from demo.ports import check_port
from firmware_interface.drivers import DRIVERS

UPLOAD_PATIENCE_S = 600.0


def main(argv: list[str]) -> int:
    """Do the asked number of sessions and upload them. Returns 0 when everything is at the clinic."""
    arguments = _parser().parse_args(argv)
    return run_to_the_end("sinew gateway", lambda: _run(arguments), arguments.home)


async def _run(arguments: argparse.Namespace) -> int:
    check_port(arguments.port)
    family = next(driver.family for driver in DRIVERS if driver.family.code == arguments.family)
    if family.measures_rate and arguments.speed != 1:
        raise DemoError(f"The rate of an {family.name} is measured by the clock on the wall: leave --speed out.")
    exercise, side = exercise_named("knee.extension.seated"), Side(arguments.side)
    motion = recorded_motion(arguments.recording, exercise) if arguments.recording else None
    rng = np.random.default_rng()
    async with patient_home(
        arguments.home.expanduser(), arguments.server, arguments.claim,
        exercise=exercise, side=side, speed=arguments.speed, port=arguments.port, sensors=_sensors(arguments),
    ) as (gateway, body):  # fmt: skip
        for _ in range(arguments.sessions):
            played = motion or simulated_motion(exercise, 12, 70.0, rng)
            report, _listener = await exercise_once(gateway, body, played, arguments.speed, _say)
            print(
                f"Session {report.id}: {len(report.repetitions)} repetitions, {body.samples_sent} samples", flush=True
            )
        await upload(gateway, UPLOAD_PATIENCE_S)
    return 0


def _sensors(arguments: argparse.Namespace) -> SensorKind:
    return SensorKind(
        arguments.family,
        arguments.drift_ppm,
        arguments.queue_loss,
        arguments.queue_packets,
        arguments.connection_interval_ms / 1000,
        tuple(arguments.trouble),
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sinew gateway --simulate", description=__doc__)
    parser.add_argument("--simulate", action="store_true", required=True, help="virtual sensors in place of Bluetooth")
    parser.add_argument("--server", metavar="URL", required=True, help="address of the clinic's server")
    parser.add_argument(
        "--claim", metavar="CODE", help="claim code from the clinic's Gateways page; needed the first time"
    )
    parser.add_argument("--home", metavar="DIR", type=Path, required=True, help="folder for what the gateway keeps")
    parser.add_argument(
        "--port", metavar="N", type=int, default=0, help="port of the live channel (default: any free one)"
    )
    add_playback_arguments(parser)
    parser.add_argument("--side", choices=list(Side), default=Side.RIGHT, help="the side that the program prescribes")
    families = [driver.family.code for driver in DRIVERS if driver.family.has_imu]
    worn = parser.add_argument_group("the sensors, and what befalls them")
    worn.add_argument(
        "--family",
        choices=families,
        metavar="FAMILY",
        default=SensorKind().family,
        help=f"which are worn: {', '.join(families)} (default open_imu)",
    )
    worn.add_argument(
        "--drift-ppm", metavar="N", type=_between(0, 1000), default=0.0, help="their clocks drift so far apart (0)"
    )
    worn.add_argument(
        "--queue-packets", metavar="N", type=_whole(1, 1000), default=32, help="their transmit queues hold so many (32)"
    )
    worn.add_argument(
        "--queue-loss", metavar="SHARE", type=_between(0, 0.9), default=0.0, help="share of packets lost in them (0)"
    )
    worn.add_argument(
        "--connection-interval-ms",
        metavar="N",
        type=_between(0, 4000),
        default=0.0,
        help="the radio carries packets so often (0: at once)",
    )
    worn.add_argument(
        "--trouble",
        metavar="KIND@SECONDS",
        type=_trouble,
        action="append",
        default=[],
        help="the distal sensor is away for 3 s, does a reboot, or will die, so long after the first sample: away@5",
    )
    parser.add_argument("--sessions", metavar="N", type=int, default=1, help="how many sessions (default 1)")
    return parser


def _between(least: float, most: float) -> Callable[[str], float]:
    def number(text: str) -> float:
        value = float(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text} is not between {least:g} and {most:g}")
        return value

    return number


def _whole(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text} is not between {least} and {most}")
        return value

    return number


def _trouble(text: str) -> Trouble:
    match text.split("@"):
        case ["away" | "reboot" | "die" as kind, after] if after.replace(".", "", 1).isdigit():
            return Trouble(kind, float(after))
    raise argparse.ArgumentTypeError(f"{text} is not away@SECONDS, reboot@SECONDS or die@SECONDS")
