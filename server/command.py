"""`sinew server`: prepare the home folder, say the address, serve until told to stop."""

from __future__ import annotations

import argparse
import asyncio
import errno
import fcntl
import logging
import os
import shutil
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo

import uvicorn
from sqlalchemy.exc import DBAPIError

from server.app import create_app
from server.inspection import DatabaseDamagedError
from server.problems import StorageBusy, StorageFull
from server.releases import command as release
from server.settings import MEBIBYTE, Settings
from server.zone import UnknownZoneError, local_zone, zone_named


class StartError(RuntimeError):
    """The server cannot start; the message says why and what to do."""


def main(argv: list[str]) -> int:
    """Run the command; 0 after an orderly stop, 1 with one sentence on standard error when it cannot start."""
    if argv[:1] == ["release"]:
        return release.main(argv[1:])
    settings = _settings(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    os.umask(0o077)
    try:
        with _take(settings.home):
            check_disk(settings)
            with _listener(settings) as listener:
                asyncio.run(_serve(settings, listener))
    except (StartError, DatabaseDamagedError) as error:
        print(f"sinew server: {error}", file=sys.stderr)
        return 1
    except (DBAPIError, StorageFull, StorageBusy) as error:
        reason = error.orig if isinstance(error, DBAPIError) else error.title
        print(
            f"sinew server: The database in {settings.home} cannot be written ({reason}). Free some space, make it "
            "writable and end other programs that use it, or choose another --home.",
            file=sys.stderr,
        )
        return 1
    return 0


def _settings(argv: list[str]) -> Settings:
    parser = argparse.ArgumentParser(
        prog="sinew server",
        description="The clinic's server and dashboard.",
        epilog="Models and exercises for gateways: sinew server release --help.",
    )
    parser.add_argument("--home", type=Path, default=Path(".sinew/clinic"), help="folder that holds everything kept")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this computer only)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on; 0 takes a free one (default: 8000)")
    parser.add_argument(
        "--zone",
        type=_zone,
        default=local_zone(),
        help="the clinic's time zone, such as Europe/Berlin (default: this computer's)",
    )
    given = parser.parse_args(argv)
    return Settings(home=given.home, host=given.host, port=given.port, zone=given.zone)


def _zone(name: str) -> ZoneInfo:
    try:
        return zone_named(name)
    except UnknownZoneError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _take(home: Path) -> TextIO:
    """Make the home if need be, and lock it: a second server would write beside this one's single writer.

    The lock holds as long as the file it returns is open.
    """
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (home / "server.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise
    except BlockingIOError:
        raise StartError(f"Another server is already using {home}. Stop it, or choose another --home.") from None
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise StartError(f"The disk of {home} is full. Free some space, or choose another --home.") from error
        raise StartError(
            f"The folder {home} cannot be used ({error.strerror}). Make it writable, or choose another --home."
        ) from error
    return lock


def check_disk(settings: Settings) -> None:
    """Raises `StartError` on a disk that would be full before the first evening is over."""
    if shutil.disk_usage(settings.home).free < settings.least_free_bytes:
        raise StartError(
            f"The disk of {settings.home} has less than {settings.least_free_bytes // MEBIBYTE} MiB left. "
            "Free some space, or choose another --home."
        )


def _listener(settings: Settings) -> socket.socket:
    """Bound before anything else starts, so that a port in use is known at once."""
    if not 0 <= settings.port <= 65535:
        raise StartError(f"There is no port {settings.port}. Choose one from 1 to 65535 with --port.")
    try:
        return socket.create_server((settings.host, settings.port), backlog=2048)
    except OSError as error:
        where = f"port {settings.port} of {settings.host}"
        if error.errno == errno.EADDRINUSE:
            raise StartError(f"Another program is using {where}. Stop it, or choose another --port.") from error
        raise StartError(
            f"Listening on {where} is not possible ({error.strerror}). Choose another --host or --port."
        ) from error


class _Server(uvicorn.Server):
    """Stops when asked to. uvicorn's own would then end the whole process, before the database is closed."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


async def _serve(settings: Settings, listener: socket.socket) -> None:
    app = create_app(settings)
    # The lifespan is run here and not by uvicorn, which would report a damaged database with a traceback.
    async with app.router.lifespan_context(app):
        config = uvicorn.Config(
            app,
            lifespan="off",
            access_log=False,  # it would write addresses with patients' identifiers; middleware.RequestLog does not
            log_config=None,
            log_level="warning",
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=5,
        )
        host, port = listener.getsockname()[:2]
        print(f"Sinew server: http://{host}:{port}  (stop with Ctrl+C)", flush=True)
        await _Server(config).serve(sockets=[listener])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
