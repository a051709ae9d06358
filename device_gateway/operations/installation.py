"""Makes a service of the gateway, and undoes it. Doing either twice is harmless."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from device_gateway.errors import GatewayError

from .configuration import FILE, HOME, commented_file, read_configuration
from .unit import SERVICE, unit

PYTHONS = ((3, 11), (3, 13))
"""For which LiteRT has wheels."""
HIDDEN = tuple(map(Path, ("/home", "/root", "/run/user", "/tmp", "/var/tmp")))  # noqa: S108 - looked at, not written
"""What the unit's ProtectHome and PrivateTmp hide."""


@dataclass(frozen=True, slots=True)
class Installation:
    """root: `/`, or the folder that an operating system's image is unpacked in, where nothing is started.

    given: settings for a first file. Where there is a file it stays as it is.
    """

    root: Path = Path("/")
    given: Mapping[str, Any] | None = None

    @property
    def unit_path(self) -> Path:
        return self.root / "etc/systemd/system" / SERVICE

    @property
    def settings_path(self) -> Path:
        return self.root / FILE.relative_to("/")

    @property
    def unit(self) -> str:
        groups = self.root / "etc/group"
        has_group = groups.is_file() and any(
            line.startswith("bluetooth:") for line in groups.read_text("utf-8").splitlines()
        )
        return unit(Path(sys.executable), bluetooth_group=has_group)

    @property
    def settings(self) -> str:
        return commented_file(self.given or {})

    def hindrances(self) -> Iterator[str]:
        """Why it cannot be done here, one sentence each with what to do."""
        if sys.maxsize <= 2**32:
            yield "This is a 32-bit system, which the gateway does not run on: install a 64-bit one."
        if not PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]:
            yield "The gateway needs Python 3.11, 3.12 or 3.13: install it with one of these."
        for path in {Path(sys.executable), Path(sys.base_prefix), Path(__file__)}:
            if self.root == Path("/") and any(path.is_relative_to(hidden) for hidden in HIDDEN):
                yield f"A service does not see {path}: install Sinew in /opt/sinew and run it from there."
                break
        if not (self.root / "usr/share/dbus-1/system-services/org.bluez.service").exists():
            yield "BlueZ, which speaks to Bluetooth, is not installed: sudo apt install bluez."
        if self.root == Path("/") and os.geteuid() != 0:
            yield "Only root may install a service: give the same command with sudo."
        if not self.settings_path.exists() and not (self.given or {}).get("server_url"):
            yield "The gateway must know its clinic: give the address of its server with --server."

    def install(self) -> Iterator[str]:
        """Do it, and tell each step. Raises GatewayError."""
        for hindrance in self.hindrances():
            raise GatewayError(hindrance)
        if self.settings_path.exists():
            read_configuration(self.settings_path)
            yield f"{self.settings_path} stays as it is."
        else:
            _write(self.settings_path, self.settings)
            read_configuration(self.settings_path)
            yield f"{self.settings_path} is written: name the sensors in it."
        _write(self.unit_path, self.unit)
        yield f"{self.unit_path} is written."
        self._systemctl("enable", SERVICE)
        if self.root == Path("/"):
            self._systemctl("daemon-reload")
            self._systemctl("restart", "--no-block", SERVICE)
            yield "The gateway starts, now and with the computer: ask how it is with `sudo sinew gateway status`."
            if not _counts_memory():
                yield "This kernel does not limit memory: add cgroup_enable=memory to /boot/firmware/cmdline.txt."

    def remove(self) -> Iterator[str]:
        """Undo it, and tell each step. What was recorded and set stays. Raises GatewayError."""
        if self.root == Path("/") and os.geteuid() != 0:
            raise GatewayError("Only root may remove a service: give the same command with sudo.")
        if self.unit_path.exists():
            self._systemctl("disable", *(["--now"] if self.root == Path("/") else []), SERVICE)
            self.unit_path.unlink()
            yield f"{self.unit_path} is removed."
        yield f"What the gateway recorded stays in {HOME}, its settings in {FILE}: delete them if you mean to."

    def _systemctl(self, *words: str) -> None:
        where = [] if self.root == Path("/") else [f"--root={self.root}"]
        try:
            subprocess.run(["systemctl", "--quiet", *where, *words], check=True, capture_output=True, text=True)  # noqa: S603, S607 - root's own PATH
        except FileNotFoundError as missing:
            raise GatewayError("This system has no systemd: run `sinew gateway run` by your own means.") from missing
        except subprocess.CalledProcessError as refusal:
            said = refusal.stderr.strip().splitlines()
            raise GatewayError(
                f"systemd does not {words[0]} the gateway ({said[0] if said else refusal.returncode}): mend that and "
                "give the same command again."
            ) from refusal


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.new")
        unfinished.write_text(text, "utf-8")
        unfinished.chmod(0o644)
        unfinished.replace(path)
    except OSError as trouble:
        raise GatewayError(f"{path} cannot be written ({trouble.strerror}): mend that and try again.") from trouble


def _counts_memory() -> bool:
    """Raspberry Pi OS starts its kernel with cgroup_disable=memory, and then MemoryMax= is of no effect."""
    controllers = Path("/sys/fs/cgroup/cgroup.controllers")
    return not controllers.exists() or "memory" in controllers.read_text("utf-8").split()
