"""What the demo's two commands have in common: how they end, and how a playback is asked for."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from analytics.signals.recording import RecordingError
from demo.errors import DemoError
from device_gateway.errors import GatewayError
from mobile_app.clients.gateway import GatewayError as LiveLineError
from server.inspection import DatabaseDamagedError

FASTEST = 50.0
ERRORS_WITH_A_SENTENCE = (DemoError, RecordingError, GatewayError, LiveLineError, DatabaseDamagedError)


def run_to_the_end(command: str, work: Callable[[], Awaitable[int]], home: Path) -> int:
    """Run `work` and return its exit code: 0 after Ctrl+C or SIGTERM, 1 after saying in one sentence what failed."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        return asyncio.run(_until_told_to_end(work))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 0
    except (*ERRORS_WITH_A_SENTENCE, OSError, ExceptionGroup) as trouble:
        print(f"{command}: {_sentence(trouble, home)}", file=sys.stderr)
        return 1


def add_playback_arguments(parser: argparse.ArgumentParser) -> None:
    """What the virtual sensors play, and how fast."""
    parser.add_argument(
        "--recording", metavar="FILE.npz", type=Path, help="replay a real recording; else a simulated body"
    )
    parser.add_argument("--speed", metavar="N", type=_speed, default=1.0, help="times as fast as life (default 1)")


async def _until_told_to_end(work: Callable[[], Awaitable[int]]) -> int:
    task = asyncio.current_task()
    assert task is not None
    with contextlib.suppress(NotImplementedError):  # Windows knows no such signal
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await work()


def _sentence(trouble: BaseException, home: Path) -> str:
    """What to tell the person; whatever is not theirs to mend is raised again."""
    while isinstance(trouble, BaseExceptionGroup):
        trouble = trouble.exceptions[0]
    if isinstance(trouble, ERRORS_WITH_A_SENTENCE):
        return str(trouble)
    if isinstance(trouble, OSError) and trouble.filename is not None:
        return f"{home} cannot be used ({trouble.strerror}); choose another folder with --home."
    raise trouble


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0.1 <= speed <= FASTEST:
        raise argparse.ArgumentTypeError(f"{text} is not a speed: give a number from 0.1 to {FASTEST:.0f}")
    return speed
