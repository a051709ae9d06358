"""`sinew gateway`: run the gateway of one patient's home."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
from pathlib import Path

from .app import Gateway
from .errors import GatewayError
from .settings import GatewaySettings, parse_sensor


def main(argv: list[str]) -> int:
    """Run until interrupted. Returns 0 after an orderly end, 1 where it cannot run; the reason is printed."""
    options = _parser().parse_args(argv)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        sensors = dict(parse_sensor(text) for text in options.sensor)
        settings = GatewaySettings(
            home=options.home.expanduser(),
            server_url=options.server,
            claim_code=options.claim,
            name=options.name,
            host=options.host,
            port=options.port,
        )
        asyncio.run(_serve(Gateway(settings, sensors=sensors)))
    except GatewayError as trouble:
        print(f"sinew gateway: {trouble}", file=sys.stderr)
        return 1
    return 0


async def _serve(gateway: Gateway) -> None:
    def announce() -> None:
        print(f"Live channel: {gateway.live_url}")
        print(f"Certificate SHA-256: {gateway.certificate_sha256}")
        print("The patient's phone finds both by itself. Stop with Ctrl+C.", flush=True)

    serving = asyncio.create_task(gateway.run(announce))
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, serving.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await serving


_ELSEWHERE = """With virtual sensors: sinew gateway --simulate --help.
A sensor's firmware: sinew gateway --update-firmware FILE --help, or --revert-firmware --help."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sinew gateway",
        description=__doc__,
        epilog=_ELSEWHERE,
    )
    parser.add_argument("--server", metavar="URL", required=True, help="address of the clinic's server")
    parser.add_argument(
        "--claim", metavar="CODE", help="claim code from the clinic's Gateways page; needed the first time"
    )
    parser.add_argument("--home", metavar="DIR", type=Path, required=True, help="folder for what the gateway keeps")
    parser.add_argument("--host", default="0.0.0.0", help="address to listen on for phones (default: all)")  # noqa: S104 - a phone must reach it; TLS and a token guard it
    parser.add_argument("--port", metavar="N", type=int, default=0, help="port to listen on (default: any free one)")
    parser.add_argument("--name", default="Sinew gateway", help="what the clinic calls this gateway")
    parser.add_argument(
        "--sensor",
        metavar="ADDRESS=SEGMENT",
        action="append",
        default=[],
        help="a sensor and where it is worn, as C4:64:E3:00:00:01=right_thigh; once per sensor",
    )
    return parser
