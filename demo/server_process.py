"""The clinic's server as a child process, as an operator would start it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from io import FileIO
from pathlib import Path

import httpx2

from demo.errors import DemoError


class ServerProcess:
    """`sinew server`, started, asked whether it is well, and ended by its own process id."""

    def __init__(self, home: Path, port: int) -> None:
        self.home = home
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("the server was not started")
        return self._process.pid

    async def start(self, patience_s: float = 30.0) -> None:
        """Start it and wait until it answers. Raises DemoError with the server's own sentence where it will not."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        log = self.log.open("ab", buffering=0)
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sinew", "server", "--home", str(self.home), "--port", str(self.port)),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        errors = asyncio.create_task(self._collect_errors(log))
        async with httpx2.AsyncClient(base_url=self.url, trust_env=False) as client:
            for _ in range(int(patience_s / 0.05)):
                if self._process.returncode is not None:
                    raise DemoError(await errors or "The server stopped as soon as it was started and did not say why.")
                with contextlib.suppress(httpx2.TransportError):
                    if (await client.get("/healthz")).is_success:
                        return
                await asyncio.sleep(0.05)
        await self.stop()
        raise DemoError(f"The server did not answer at {self.url} within {patience_s:.0f} s; its log is {self.log}.")

    @property
    def log(self) -> Path:
        return self.home / "server.log"

    async def _collect_errors(self, log: FileIO) -> str:
        """Keep what the server writes in its log file, and remember the last line: that is its reason for ending.

        A full disk keeps nothing, but the server must not wait for a reader.
        """
        assert self._process is not None
        assert self._process.stderr is not None
        last = ""
        with log:
            async for line in self._process.stderr:
                with contextlib.suppress(OSError):
                    log.write(line)
                last = line.decode("utf-8", "replace").strip() or last
        return last

    async def stop(self) -> None:
        """Ask it to end, as a service manager would; insist after ten seconds."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), 10)
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """Pull the plug: SIGKILL, no goodbye."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
