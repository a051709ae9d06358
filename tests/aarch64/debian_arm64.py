"""A Debian for aarch64 in a folder, its programs run by QEMU: what a Raspberry Pi installs, installed the same way.

Made by debootstrap. QEMU's user emulation executes its programs, of which the kernel is told in a user namespace of our
own (each has its binfmt_misc since Linux 6.7), so that nothing of the machine is changed and nothing stays.
"""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

PROJECT = Path(__file__).parents[2]
RELEASE = "bookworm"
PACKAGES = ("python3", "python3-venv", "python3-dev", "g++", "ca-certificates")
PYTHON = "3.11"
"""Of that release."""
ROOMS = ("analytics", "demo", "device_gateway", "firmware_interface", "mobile_app", "server")
BUILT = ("crcmod",)
BUILD_TOOLS = ("setuptools", "wheel", "packaging")
QEMU = "qemu-aarch64-static"
ENVIRONMENT = {
    "PATH": "/venv/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LC_ALL": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",
}
LARGEST_LINE_BYTES = 2**26
PIP = (sys.executable, "-m", "pip")
GLIBC_TAGS = ("manylinux2014_aarch64", *(f"manylinux_2_{minor}_aarch64" for minor in range(17, 37)))
"""That release has glibc 2.36."""
LEAST_LINUX = (6, 7)
_AARCH64_ELF = (
    r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
    r":\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"
)
"""What such a program begins with, and which bits of that matter (qemu, scripts/qemu-binfmt-conf.sh)."""
_ENTER = """
read -r _
set -e
elf=$1 qemu=$2 root=$3 wheels=$4 project=$5; shift 5
mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
printf '%s' ":aarch64:M::$elf:$qemu:F" > /proc/sys/fs/binfmt_misc/register
mkdir -p "$root/wheels" "$root/sinew"
mount --bind "$wheels" "$root/wheels"
mount --bind "$project" "$root/sinew"
mount -o remount,bind,ro "$root/sinew"
mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
exec chroot "$root" "$@"
"""


class UnavailableError(RuntimeError):
    """It cannot be made here; the message says why."""


class DebianArm64:
    """`make` it, then `run` programs in it. `folder` keeps it for the next time."""

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._say = say
        self._root = folder / "root"
        self._wheels = folder / "wheels"

    def make(self) -> None:
        """Raises UnavailableError."""
        _check_machine()
        self._wheels.mkdir(parents=True, exist_ok=True)
        self._fetch_qemu()
        if not self._root.is_dir():
            self._bootstrap()
        requirements = _locked_requirements()
        installed = self._root / "installed.txt"
        if not installed.exists() or installed.read_text() != requirements:
            self._install(requirements)
            installed.write_text(requirements)
        self._install_sinew()

    def run(self, *command: str, timeout_s: float) -> str:
        """What a program in it prints; the project is at /sinew, read only. Raises AssertionError where it fails."""
        return self._enter(self._root, *command, timeout_s=timeout_s)

    async def launched(self, *command: str) -> asyncio.subprocess.Process:
        """Its Python, with its standard input and output in our hands."""
        argv = self._argv(self._root, "PYTHONPATH=/sinew/tests/support", "/venv/bin/python", *command)
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LARGEST_LINE_BYTES
        )
        assert process.stdin is not None
        _map_users(process.pid)
        process.stdin.write(b"\n")
        return process

    def _fetch_qemu(self) -> None:
        if not self._qemu.exists():
            self._say("fetching Debian's qemu-user-static, 60 MB")
            _fetched("apt-get", "download", "-q", "qemu-user-static", cwd=self._folder)
            (archive,) = self._folder.glob("qemu-user-static*.deb")
            _fetched("dpkg-deb", "-x", archive, self._folder / "qemu")
            archive.unlink()

    @property
    def _qemu(self) -> Path:
        return self._folder / "qemu" / "usr" / "bin" / QEMU

    def _bootstrap(self) -> None:
        unfinished = self._folder / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        self._say(f"making Debian {RELEASE} for aarch64 in {self._folder}: about 10 minutes, once")
        packages = ",".join(PACKAGES)
        _fetched(
            "debootstrap",
            "--foreign",
            "--arch=arm64",
            "--variant=minbase",
            f"--include={packages}",
            RELEASE,
            unfinished,
        )
        # In a user namespace no device files are made; debootstrap takes that from no one but LXC.
        self._enter(unfinished, "env", "container=lxc", "/debootstrap/debootstrap", "--second-stage", timeout_s=3600)
        unfinished.rename(self._root)

    def _install(self, requirements: str) -> None:
        """Wheels are fetched out here with their hashes, and installed in there by its own pip, without a network."""
        self._say("fetching wheels for aarch64 and installing them: about 6 minutes, once")
        shutil.rmtree(self._wheels)
        self._wheels.mkdir()
        for_aarch64 = [option for tag in GLIBC_TAGS for option in ("--platform", tag)]
        fetch = (*PIP, "download", "--no-deps", "--quiet", "--dest", self._wheels)
        (self._wheels / "requirements.txt").write_text(requirements)
        _resolved(
            *fetch, "--require-hashes", "--requirement", self._wheels / "requirements.txt", "--python-version", PYTHON,
            *for_aarch64, "--only-binary", ":all:", "--no-binary", ",".join(BUILT),
        )  # fmt: skip
        _resolved(*fetch, "--python-version", PYTHON, *for_aarch64, "--only-binary", ":all:", *BUILD_TOOLS)
        shutil.rmtree(self._root / "venv", ignore_errors=True)
        self.run("python3", "-m", "venv", "/venv", timeout_s=900)
        install = ("pip", "install", "--quiet", "--no-index", "--find-links", "/wheels", "--no-deps")
        self.run(*install, *BUILD_TOOLS, timeout_s=900)
        self.run(
            *install, "--require-hashes", "--no-build-isolation", "--requirement", "/wheels/requirements.txt",
            timeout_s=3600,
        )  # fmt: skip

    def _install_sinew(self) -> None:
        """As it stands now, as a release would be; made of a copy, since setuptools leaves things behind."""
        for before in self._wheels.glob("sinew-*.whl"):
            before.unlink()
        with tempfile.TemporaryDirectory() as copy:
            for name in ("pyproject.toml", "README.md", "LICENSE", "sinew.py"):
                shutil.copy(PROJECT / name, copy)
            for room in ROOMS:
                shutil.copytree(PROJECT / room, Path(copy) / room, ignore=shutil.ignore_patterns("__pycache__"))
            _resolved(*PIP, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", self._wheels, copy)
        (wheel,) = self._wheels.glob("sinew-*.whl")
        install = ("pip", "install", "--quiet", "--no-index", "--no-deps", "--force-reinstall")
        self.run(*install, f"/wheels/{wheel.name}", timeout_s=900)

    def _argv(self, root: Path, *command: str | Path) -> tuple[str | Path, ...]:
        variables = (f"{name}={value}" for name, value in ENVIRONMENT.items())
        return (
            *("unshare", "--user", "--mount", "--pid", "--fork", "--kill-child"),
            *("bash", "-c", _ENTER, "enter", _AARCH64_ELF, self._qemu, root, self._wheels, PROJECT),
            *("/usr/bin/env", "-i", *variables, *command),
        )

    def _enter(self, root: Path, *command: str | Path, timeout_s: float) -> str:
        process = subprocess.Popen(
            self._argv(root, *command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            _map_users(process.pid)
            output, errors = process.communicate("\n", timeout=timeout_s)
        finally:
            process.kill()
            process.wait()
        assert process.returncode == 0, (
            f"{' '.join(map(str, command[:4]))} ended with {process.returncode}:\n{errors[-4000:]}"
        )
        return output


def _check_machine() -> None:
    release = tuple(int(number) for number in platform.release().split(".")[:2] if number.isdigit())
    if platform.system() != "Linux" or release < LEAST_LINUX:
        raise UnavailableError(
            f"it takes Linux {'.'.join(map(str, LEAST_LINUX))} or later, for binfmt_misc of one's own"
        )
    if os.geteuid() != 0:
        raise UnavailableError("debootstrap must be run by root")
    for program in ("debootstrap", "unshare", "apt-get", "dpkg-deb"):
        if not shutil.which(program):
            raise UnavailableError(f"there is no {program} here: on Debian, apt install debootstrap util-linux")


def _map_users(pid: int) -> None:
    """Every user of ours is the same one in the namespace of this process, which waits for that."""
    ours = Path("/proc/self/ns/user").readlink()
    while Path(f"/proc/{pid}/ns/user").readlink() == ours:
        time.sleep(0.01)
    for kind in ("uid_map", "gid_map"):
        Path(f"/proc/{pid}/{kind}").write_text("0 0 65536")


def _locked_requirements() -> str:
    """What the lock says for such a machine, with hashes: the gateway, and the software radio for its Bluetooth."""
    return _resolved(
        sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--extra", "gateway", "--extra", "simulate",
        "--constraint", "requirements/all.txt", "--python-platform", "aarch64-manylinux_2_36",
        "--python-version", PYTHON, "--generate-hashes", "--no-header", "--no-annotate", "--quiet",
    )  # fmt: skip


def _fetched(*command: str | Path, cwd: Path | None = None) -> None:
    """Run what fetches from Debian. Raises UnavailableError where that is not possible."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or ["it did not say why"]
        raise UnavailableError(f"`{' '.join(map(str, command[:4]))}` failed: {said[-1]}")


def _resolved(*command: str | Path) -> str:
    """Run what must not fail where the index can be reached, and return what it prints."""
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout
