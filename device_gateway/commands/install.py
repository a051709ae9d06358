"""`sinew gateway install`: make it a service of this computer that starts by itself, is shut in and is watched over."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from device_gateway.errors import GatewayError
from device_gateway.operations.installation import Installation
from device_gateway.settings import parse_sensor


def main(argv: list[str]) -> int:
    """Returns 0 when done, 1 where it cannot be; the reason is printed."""
    options = _parser().parse_args(argv)
    try:
        given = {"server_url": options.server, "claim_code": options.claim, "name": options.name}
        given["sensors"] = dict(parse_sensor(text) for text in options.sensor) or None
        wanted = Installation(options.root, {key: value for key, value in given.items() if value is not None})
        if options.dry_run:
            _show(wanted)
        else:
            for step in wanted.remove() if options.remove else wanted.install():
                print(step, flush=True)
    except GatewayError as trouble:
        print(f"sinew gateway: {trouble}", file=sys.stderr)
        return 1
    return 0


def _show(wanted: Installation) -> None:
    """Print what would be written; to standard error, what stands in the way."""
    for hindrance in wanted.hindrances():
        print(f"sinew gateway: {hindrance}", file=sys.stderr)
    if not wanted.settings_path.exists():
        print(f"# {wanted.settings_path}\n{wanted.settings}")
    print(f"# {wanted.unit_path}\n{wanted.unit}", end="")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sinew gateway install", description=__doc__)
    task = parser.add_mutually_exclusive_group()
    task.add_argument("--dry-run", action="store_true", help="print what would be written, and write nothing")
    task.add_argument("--remove", action="store_true", help="stop it and take the service away; what it recorded stays")
    parser.add_argument(
        "--root", metavar="DIR", type=Path, default=Path("/"), help="into the image of a system, which is not running"
    )
    first = parser.add_argument_group("for the settings file, where there is none yet")
    first.add_argument("--server", metavar="URL", help="address of the clinic's server")
    first.add_argument("--claim", metavar="CODE", help="code from the clinic's Gateways page")
    first.add_argument("--name", help="what the clinic calls this gateway; name no person in it")
    first.add_argument(
        "--sensor", metavar="ADDRESS=SEGMENT", action="append", default=[], help="a sensor and where it is worn"
    )
    return parser
