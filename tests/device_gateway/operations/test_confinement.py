"""A whole session, traced, needs nothing that the unit forbids: no system call, no kind of socket, no writable code."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from device_gateway.operations.unit import unit

UNIT = unit(Path(sys.executable), bluetooth_group=False)
CONFINED = """
import ctypes, os, sys
PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 65, 1
if ctypes.CDLL(None).prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0):
    sys.exit(77)
os.execv(sys.executable, [sys.executable, "-m", "sinew", *sys.argv[1:]])
"""
"""As MemoryDenyWriteExecute= does it since systemd 253: prctl(2), Linux 6.3."""


def settings(name: str) -> list[str]:
    return [word for line in re.findall(rf"^{name}=(.*)$", UNIT, re.MULTILINE) for word in line.split()]


def system_calls(group: str, groups: dict[str, list[str]]) -> set[str]:
    """All in a group of systemd's, which may hold other groups."""
    parts = (system_calls(name, groups) if name.startswith("@") else {name} for name in groups[group])
    return set().union(*parts)


def refused_system_calls() -> set[str]:
    """Every one that systemd knows, but for those that the unit lets through."""
    command = ["systemd-analyze", "syscall-filter", "--no-pager"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    groups: dict[str, list[str]] = {}
    for line in told.splitlines():
        if line.startswith("@"):
            groups[group := line.strip()] = []
        elif line.startswith("    ") and not line.lstrip().startswith("#"):
            groups[group].append(line.strip())
    allowed, *denied = settings("SystemCallFilter")
    denied[0] = denied[0].removeprefix("~")
    passing = system_calls(allowed, groups) - set().union(*(system_calls(name, groups) for name in denied))
    return system_calls("@known", groups) - passing


@pytest.mark.long
@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not on this computer")
@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd's tools are not on this computer")
def test_a_session_needs_nothing_that_is_forbidden(tmp_path: Path, shared_clinic) -> None:
    """strace answers EPERM to what the filter would, and writes down which kinds of socket are asked for."""
    trace = tmp_path / "trace"
    refused = ",".join(f"?{name}" for name in sorted(refused_system_calls()))
    code = asyncio.run(shared_clinic.claim_code())
    done = subprocess.run(
        [
            "strace", "--follow-forks", "--seccomp-bpf", "--output", trace,
            "-e", f"trace=socket,{refused}", "-e", f"inject={refused}:error=EPERM", "-e", "signal=none",
            sys.executable, "-c", CONFINED, "gateway", "--simulate", "--server", shared_clinic.url, "--claim", code,
            "--home", tmp_path / "home", "--speed", "10",
        ],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    if done.returncode == 77:
        pytest.skip("this kernel knows no PR_SET_MDWE (Linux 6.3)")
    assert done.returncode == 0, done.stderr
    assert re.search(r"Session \S+: [1-9]\d* repetitions", done.stdout)
    families = set(re.findall(r"socket\((AF_\w+)", trace.read_text("utf-8", "replace")))
    assert {"AF_UNIX", "AF_INET"} <= families <= set(settings("RestrictAddressFamilies"))
