"""The virtual machine: Debian's kernel in QEMU without hardware help, with the host's files and two serial ports."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

from debian_packages import program
from initramfs import write_initramfs

PROJECT = Path(__file__).parents[2]
GUEST = Path(__file__).parent / "guest"
DATA_FOLDERS = ("usr/share/qemu", "usr/share/seabios", "usr/lib/ipxe/qemu")


async def run(root: Path, out: Path, ports: dict[str, int], say: Callable[[str], None], timeout_s: float) -> None:
    """Boot, let the guest's `start.sh` do its work, and wait for the end. Raises TimeoutError.

    root: the unpacked packages. out: the guest's /out. ports: each serial port's name and the TCP port it leads to.
    """
    initramfs = out / "initramfs"
    settings = {"PROJECT": str(PROJECT), "PYTHON": sys.executable}
    write_initramfs(initramfs, root, program(root, "busybox"), GUEST / "init", settings)
    libraries = root / "usr/lib/x86_64-linux-gnu"
    machine = await asyncio.create_subprocess_exec(
        *_command(root, out, initramfs, ports),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "LD_LIBRARY_PATH": str(libraries)},
    )
    try:
        async with asyncio.timeout(timeout_s):
            assert machine.stdout is not None
            async for line in machine.stdout:
                say(line.decode(errors="replace").rstrip())
            await machine.wait()
    finally:
        if machine.returncode is None:
            machine.kill()
            await machine.communicate()


def _command(root: Path, out: Path, initramfs: Path, ports: dict[str, int]) -> list[str]:
    command = [
        str(program(root, "qemu-system-x86_64")),
        *(option for folder in DATA_FOLDERS if (root / folder).is_dir() for option in ("-L", str(root / folder))),
        # With `-cpu max` the emulator fails one of the kernel's own tests of its ciphers.
        *("-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "Nehalem", "-smp", "2", "-m", "2048"),
        *("-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio"),
        *("-kernel", str(next(root.glob("boot/vmlinuz-*"))), "-initrd", str(initramfs)),
        *("-append", "console=ttyS0 quiet loglevel=1 panic=-1"),
        *_shared("host", Path("/"), ",readonly=on,multidevs=remap"),
        *_shared("packages", root, ",readonly=on"),
        *_shared("out", out, ""),
        *("-device", "virtio-serial"),
    ]
    for name, port in ports.items():
        command += ["-chardev", f"socket,id={name},host=127.0.0.1,port={port}"]
        command += ["-device", f"virtserialport,chardev={name},name={name}"]
    return command


def _shared(name: str, folder: Path, options: str) -> tuple[str, str]:
    return "-virtfs", f"local,path={folder},mount_tag={name},security_model=none{options}"
