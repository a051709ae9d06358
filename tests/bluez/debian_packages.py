"""What the virtual machine is made of: Debian packages, fetched with apt and unpacked into a folder, not installed."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

KERNEL = "linux-image-amd64"
PROGRAMS = ("qemu-system-x86", "busybox-static", "bluez", "dbus-daemon", "dbus-system-bus-common")
FETCH_TIMEOUT_S = 900


class UnavailableError(RuntimeError):
    """The virtual machine cannot be made here; the message says why."""


def unpacked(folder: Path, say: Callable[[str], None]) -> Path:
    """The folder that holds the current kernel and those programs that this machine lacks, like `/` holds the rest.

    Fetched once into `folder`. Raises UnavailableError.
    """
    root = folder / "root"
    if root.is_dir():
        return root
    if platform.system() != "Linux" or platform.machine() != "x86_64" or not shutil.which("apt-get"):
        raise UnavailableError("the virtual machine is made of Debian's packages for amd64: run this on such a machine")
    archives, unfinished = folder / "archives", folder / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    archives.mkdir(parents=True, exist_ok=True)
    packages = [_current_kernel(), *_missing_packages()]
    say(f"fetching {len(packages)} Debian packages, about 100 MB, into {folder}")
    _run("apt-get", "download", "-q", *packages, cwd=archives)
    _lay_out(unfinished)
    for archive in sorted(archives.glob("*.deb")):
        _unpack(archive, unfinished)
    unfinished.rename(root)
    shutil.rmtree(archives)
    return root


def program(root: Path, name: str) -> Path:
    """A program of the packages, or the machine's own where it has it."""
    for folder in ("usr/bin", "usr/sbin"):
        if (root / folder / name).exists():
            return root / folder / name
    return Path(shutil.which(name) or f"/usr/bin/{name}")


def _current_kernel() -> str:
    depends = re.search(r"Depends: (linux-image-\S+)", _run("apt-cache", "depends", KERNEL))
    if depends is None:
        raise UnavailableError(f"apt knows no {KERNEL}: is this Debian, and did `apt-get update` run?")
    return depends[1]


def _missing_packages() -> list[str]:
    """What apt would install new for the programs. What it would only bring up to date is here already."""
    plan = _run("apt-get", "--simulate", "--no-install-recommends", "install", *PROGRAMS)
    return [f"{name}={version}" for name, version in re.findall(r"^Inst (\S+) \((\S+)", plan, re.MULTILINE)]


def _lay_out(root: Path) -> None:
    """As on today's Debian, where /lib and /bin are links: packages made before that land in the right folders too."""
    for name in ("bin", "lib", "lib64", "sbin"):
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")


def _unpack(archive: Path, root: Path) -> None:
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", archive], stdout=subprocess.PIPE) as reading:
        subprocess.run(
            ["tar", "--extract", "--keep-directory-symlink", "--no-same-owner", "--directory", root],
            stdin=reading.stdout,
            check=True,
        )


def _run(*command: str, cwd: Path | None = None) -> str:
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=FETCH_TIMEOUT_S, check=True)
    except subprocess.CalledProcessError as error:
        said = (error.stderr.strip() or error.stdout.strip()).splitlines()
        raise UnavailableError(f"`{' '.join(command[:2])}` failed: {said[-1] if said else error}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"`{' '.join(command[:2])}` failed: {error}") from error
    return done.stdout
