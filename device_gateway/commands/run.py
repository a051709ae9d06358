"""`sinew gateway run`: the gateway of one patient's home, until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
from pathlib import Path
from typing import Any

from device_gateway.app import Gateway
from device_gateway.errors import GatewayError
from device_gateway.operations.configuration import Configuration, read_configuration
from device_gateway.operations.ending import forget_reason, keep_reason
from device_gateway.operations.health import Health
from device_gateway.operations.logs import configure_logs
from device_gateway.operations.notify import Notify
from device_gateway.operations.watchdog import ping_while_alive
from device_gateway.settings import parse_sensor

log = logging.getLogger(__name__)


def main(argv: list[str]) -> int:
    """Run until interrupted. Returns 0 after an orderly end, 1 where it cannot run; the reason is printed."""
    try:
        configuration = configured(argv)
    except GatewayError as trouble:
        return _complain(trouble)
    configure_logs(configuration.log_level, configuration.log_format)
    try:
        asyncio.run(_until_told_to_stop(configuration))
    except GatewayError as trouble:
        keep_reason(configuration.home, str(trouble))
        return _complain(trouble)
    return 0


def _complain(trouble: GatewayError) -> int:
    print(f"sinew gateway: {trouble}", file=sys.stderr)
    return 1


def configured(argv: list[str]) -> Configuration:
    """The settings file with the command line's options over it. Raises GatewayError."""
    options: dict[str, Any] = vars(_parser().parse_args(argv))
    path = options.pop("config", None)
    if "sensors" in options:
        options["sensors"] = dict(parse_sensor(text) for text in options["sensors"])
    return read_configuration(path, options)


async def _until_told_to_stop(configuration: Configuration) -> None:
    serving = asyncio.create_task(_serve(configuration, Notify()))
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, serving.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await serving


async def _serve(configuration: Configuration, notify: Notify) -> None:
    gateway = Gateway(configuration, sensors=configuration.sensors)
    health = Health(gateway.status)
    await gateway.start()
    watching = asyncio.create_task(ping_while_alive(notify, gateway.pulse, lambda: _line(gateway)), name="watchdog")
    try:
        await _serve_health(health, configuration)
        forget_reason(configuration.home)
        print(f"Live channel: {gateway.live_url or 'not yet, see above'}")
        print(f"Certificate SHA-256: {gateway.certificate_sha256}")
        print("The patient's phone finds both by itself. Stop with Ctrl+C.", flush=True)
        notify("READY=1", f"STATUS={_line(gateway)}")
        await asyncio.Event().wait()
    finally:
        notify("STOPPING=1")
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await health.close()
        await gateway.close()


async def _serve_health(health: Health, configuration: Configuration) -> None:
    """A patient exercises whether or not a monitor can look."""
    try:
        if configuration.health_port:
            await health.start(configuration.health_host, configuration.health_port)
    except GatewayError as trouble:
        log.error("%s", trouble)


def _line(gateway: Gateway) -> str:
    """For `systemctl status`."""
    conditions = gateway.conditions.now()
    return conditions[0].sentence if conditions else "All is well."


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sinew gateway run", description=__doc__, argument_default=argparse.SUPPRESS,
        epilog="What is not given here is read from the settings file; `sinew gateway config` explains all of it.",
    )  # fmt: skip
    parser.add_argument("--config", metavar="FILE", type=Path, help="settings file (default: /etc/sinew/gateway.toml)")
    parser.add_argument("--server", dest="server_url", metavar="URL", help="address of the clinic's server")
    parser.add_argument(
        "--claim", dest="claim_code", metavar="CODE", help="code from the clinic's Gateways page; needed the first time"
    )
    parser.add_argument("--home", metavar="DIR", type=_home, help="folder for what the gateway keeps")
    parser.add_argument("--host", help="address to listen on for phones (default: all)")
    parser.add_argument("--port", metavar="N", type=int, help="port to listen on (default: any free one)")
    parser.add_argument("--name", help="what the clinic calls this gateway")
    parser.add_argument(
        "--sensor",
        dest="sensors",
        metavar="ADDRESS=SEGMENT",
        action="append",
        help="a sensor and where it is worn, as C4:64:E3:00:00:01=right_thigh; once per sensor",
    )
    parser.add_argument("--health-port", metavar="N", type=int, help="port of /healthz and /metrics; 0: none")
    parser.add_argument("--log-level", help="debug, info, warning or error")
    parser.add_argument("--log-format", help="json, text or auto")
    return parser


def _home(text: str) -> Path:
    return Path(text).expanduser()
