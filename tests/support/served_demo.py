"""`sinew demo` in a process of its own, as a newcomer runs it."""

from __future__ import annotations

import re
import subprocess
import threading
import time
from pathlib import Path
from types import TracebackType

from running import SINEW


class ServedDemo:
    """A running demo: where it is, who may sign in, and what it has told. `with ServedDemo(home) as demo:`"""

    def __init__(self, home: Path, speed: float = 8) -> None:
        command = [*SINEW, "demo", "--speed", str(speed), "--port", "0", "--home", str(home)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.progress: list[str] = []
        self._reader = threading.Thread(target=self._read_progress, daemon=True)
        self._reader.start()
        assert self.process.stdout is not None
        self.printed = ""
        for line in self.process.stdout:
            self.printed += line
            if "Ctrl+C" in line:
                break
        assert "Ctrl+C" in self.printed, f"the demo did not start: {self.printed}{self.progress}"
        self.url = re.findall(r"http://127\.0\.0\.1:\d+", self.printed)[0]

    def login(self, role: str) -> dict[str, str]:
        login, password = re.findall(rf"{role}\s+(\S+)\s+(\S+)", self.printed)[0]
        return {"login": login, "password": password}

    def await_progress(self, words: str, patience_s: float = 90.0) -> str:
        """Wait for a line of progress with these words."""
        deadline = time.monotonic() + patience_s
        while not (found := [line for line in self.progress if words in line]):
            assert time.monotonic() < deadline, self.progress
            time.sleep(0.1)
        return found[0]

    def _read_progress(self) -> None:
        """Somebody has to read it, or the demo would wait for its listener."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.progress.append(line)

    def __enter__(self) -> ServedDemo:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        self.process.wait(30)
        self._reader.join(10)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
