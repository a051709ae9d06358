"""`sinew gateway status`: what is well with the gateway on this computer, and what to do, in ten lines."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from device_gateway.errors import GatewayError, NotRunningError
from device_gateway.live.control import ask
from device_gateway.operations.configuration import Configuration, read_configuration
from device_gateway.operations.ending import reason
from device_gateway.operations.status import GatewayStatus, describe, with_state
from device_gateway.operations.stored import stored_in

from .home import add_home_options


def main(argv: list[str]) -> int:
    """Returns 0 where all is well, 1 where there is something to do, 2 where the gateway does not run."""
    parser = argparse.ArgumentParser(prog="sinew gateway status", description=__doc__)
    add_home_options(parser)
    parser.add_argument("--json", action="store_true", help="the same as one JSON object")
    options = parser.parse_args(argv)
    try:
        status = status_in(_configuration(options.config, options.home))
    except GatewayError as trouble:
        print(f"sinew gateway: {trouble}", file=sys.stderr)
        return 2
    print(status.model_dump_json() if options.json else "\n".join(describe(status)))
    return status.verdict


def _configuration(path: Path | None, home: Path | None) -> Configuration:
    if home is None:
        return read_configuration(path)
    return Configuration(home=home.expanduser(), server_url="the clinic")


def status_in(configuration: Configuration) -> GatewayStatus:
    """What the running gateway says of itself; of one that does not run, what its file tells. Raises GatewayError."""
    try:
        return GatewayStatus.model_validate(ask(configuration.home, "status"))
    except NotRunningError:
        stored = stored_in(configuration.home)
    return GatewayStatus(
        server_url=configuration.server_url, now=datetime.now(UTC), running_s=None, stored=stored,
        ended=reason(configuration.home),
        sensors=with_state(configuration.sensors.values(), ()),
    )  # fmt: skip
