"""What the demo's two commands have in common: how they end, and how a playback is asked for."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from analytics.signals.recording import RecordingError
from demo.errors import DemoError
from device_gateway.errors import GatewayError
from mobile_app.clients.gateway import GatewayError as LiveLineError
from server.command import StartError
from server.inspection import DatabaseDamagedError
from server.problems import StorageBusy, StorageFull

FASTEST = 50.0
INTERRUPTED = 130
"""A shell's own exit code after Ctrl+C: whoever waits for a result must not take its absence for success."""
ERRORS_WITH_A_SENTENCE = (DemoError, RecordingError, GatewayError, LiveLineError, StartError, DatabaseDamagedError)


def run_to_the_end(
    command: str, work: Callable[[], Awaitable[int]], home: Path, *, interrupted: int = INTERRUPTED
) -> int:
    """Run `work` and return its exit code, or 1 after saying in one sentence what failed.

    After Ctrl+C, SIGTERM, or when nobody reads the output any more, it is `interrupted`.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        return asyncio.run(_until_told_to_end(work))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return interrupted
    except Exception as trouble:
        cause = _first(trouble)
        if isinstance(cause, BrokenPipeError):
            _write_to_nobody()
            return interrupted
        if (sentence := _sentence(cause, home)) is None:
            raise
        print(f"{command}: {sentence}", file=sys.stderr)
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


def _first(trouble: BaseException) -> BaseException:
    while isinstance(trouble, BaseExceptionGroup):
        trouble = trouble.exceptions[0]
    return trouble


def _write_to_nobody() -> None:
    """So that Python's last flush on the way out does not complain of the same broken pipe."""
    nobody = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nobody, stream.fileno())


def _sentence(trouble: BaseException, home: Path) -> str | None:
    """What to tell the person; None for what is not theirs to mend."""
    match trouble:
        case _ if isinstance(trouble, ERRORS_WITH_A_SENTENCE):
            return str(trouble)
        case StorageFull() | OSError(errno=errno.ENOSPC):
            return f"The disk of {home} is full: free some space, or choose another folder with --home."
        case StorageBusy():
            return f"Another program uses the database in {home}: end it, or choose another folder with --home."
        case DBAPIError():
            return f"The database in {home} cannot be used ({trouble.orig}); choose another folder with --home."
        case OSError(filename=str() | Path()):
            return f"{home} cannot be used ({trouble.strerror}); choose another folder with --home."
        case _:
            return None


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0.1 <= speed <= FASTEST:
        raise argparse.ArgumentTypeError(f"{text} is not a speed: give a number from 0.1 to {FASTEST:.0f}")
    return speed
