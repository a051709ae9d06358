"""The front door: `sinew COMMAND …` finds the room that does the work and steps aside."""

from __future__ import annotations

import importlib
import sys
from typing import NamedTuple


class Room(NamedTuple):
    """A module with `main(argv) -> int`, the extra that brings what it needs, and what it is for."""

    module: str
    extra: str
    purpose: str


ROOMS = {
    "demo": Room(
        "demo.command", "gateway,server,simulate", "a whole clinic with one patient exercising, on this computer"
    ),
    "server": Room("server.command", "server", "the clinic's server and dashboard"),
    "gateway": Room(
        "device_gateway.command", "gateway", "the gateway in a patient's home (--simulate: with virtual sensors)"
    ),
    "exercises": Room("analytics.exercises.command", "gateway", "list, check and draw exercises; write your own"),
    "app": Room("mobile_app.command", "mobile", "the patient's app"),
    "evaluate": Room("analytics.evaluation.command", "gateway", "how well the methods do on recordings you name"),
    "train": Room("analytics.training.command", "train", "train the models that run on the gateway"),
}
GATEWAY_BY_OPTION = {
    "--simulate": Room("demo.simulated_gateway", "gateway,server,simulate", ""),
    "--update-firmware": Room("device_gateway.commands.firmware", "gateway", ""),
    "--revert-firmware": Room("device_gateway.commands.firmware", "gateway", ""),
}
"""What `sinew gateway` does instead of running a home."""


def usage() -> str:
    """The list of commands."""
    lines = [f"  {name:9} {room.purpose}" for name, room in ROOMS.items()]
    return "\n".join(["usage: sinew COMMAND [options]      (sinew COMMAND --help says more)", "", *lines])


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    if not arguments or arguments[0] in {"-h", "--help"}:
        print(usage())
        return 0 if arguments else 2
    command, *rest = arguments
    if command not in ROOMS:
        print(f"sinew: there is no command '{command}'.\n\n{usage()}", file=sys.stderr)
        return 2
    options = {argument.split("=")[0] for argument in rest} if command == "gateway" else set()
    room = next((room for option, room in GATEWAY_BY_OPTION.items() if option in options), ROOMS[command])
    try:
        module = importlib.import_module(room.module)
    except ModuleNotFoundError as missing:
        print(
            f"sinew {command}: the package '{missing.name}' is not installed. "
            f"Install what this command needs with: pip install 'sinew[{room.extra}]'",
            file=sys.stderr,
        )
        return 1
    code: int = module.main(rest)
    return code


if __name__ == "__main__":
    sys.exit(main())
