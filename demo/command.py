"""`sinew demo`: the whole system on this computer, with one patient exercising."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
from pathlib import Path

from analytics.signals.recording import RecordingError
from demo.errors import DemoError
from demo.result import DemoResult
from demo.run import DemoOptions, run_demo
from device_gateway.errors import GatewayError
from mobile_app.clients.gateway import GatewayError as LiveLineError
from server.inspection import DatabaseDamagedError

PORT = 8420
FASTEST = 50.0
ERRORS_WITH_A_SENTENCE = (DemoError, RecordingError, GatewayError, LiveLineError, DatabaseDamagedError)


def main(argv: list[str]) -> int:
    """Run the demo. Returns 0 after an orderly end, 1 after printing in one sentence what stood in the way."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    options = DemoOptions(
        home=arguments.home.expanduser(),
        port=arguments.port,
        recording=arguments.recording,
        speed=arguments.speed,
        headless=arguments.headless,
        open_browser=not arguments.headless and bool(os.environ.get("DISPLAY") or sys.platform in {"darwin", "win32"}),
    )
    try:
        result = asyncio.run(_until_told_to_end(options))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 0
    except (*ERRORS_WITH_A_SENTENCE, OSError, ExceptionGroup) as trouble:
        print(f"sinew demo: {_sentence(trouble, options.home)}", file=sys.stderr)
        return 1
    if result is not None:
        print(result.model_dump_json())
    return 0


async def _until_told_to_end(options: DemoOptions) -> DemoResult | None:
    """SIGTERM ends the demo as Ctrl+C does: with its server."""
    task = asyncio.current_task()
    assert task is not None
    with contextlib.suppress(NotImplementedError):  # Windows knows no such signal
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await run_demo(options)


def _sentence(trouble: BaseException, home: Path) -> str:
    """What to tell the person; whatever is not theirs to mend is raised again."""
    while isinstance(trouble, BaseExceptionGroup):
        trouble = trouble.exceptions[0]
    if isinstance(trouble, ERRORS_WITH_A_SENTENCE):
        return str(trouble)
    if isinstance(trouble, OSError) and trouble.filename is not None:
        return f"{home} cannot be used ({trouble.strerror}); choose another folder with --home."
    raise trouble


def _parser() -> argparse.ArgumentParser:
    data = Path(os.environ.get("XDG_DATA_HOME", "~/.local/share"))
    parser = argparse.ArgumentParser(prog="sinew demo", description=__doc__)
    parser.add_argument("--headless", action="store_true", help="no browser; one session; a JSON object as last line")
    parser.add_argument(
        "--recording", metavar="FILE.npz", type=Path, help="replay a real recording; else a simulated body"
    )
    parser.add_argument("--speed", metavar="N", type=_speed, default=1.0, help="times as fast as life (default 1)")
    parser.add_argument(
        "--port", metavar="N", type=int, default=PORT, help=f"the server's port (default {PORT}; 0: any)"
    )
    parser.add_argument(
        "--home", metavar="DIR", type=Path, default=data / "sinew" / "demo", help="where everything is kept"
    )
    return parser


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0.1 <= speed <= FASTEST:
        raise argparse.ArgumentTypeError(f"{text} is not a speed: give a number from 0.1 to {FASTEST:.0f}")
    return speed
