"""What the kernel finds first: busybox, the modules it needs in the order it needs them, and the guest's `init`."""

from __future__ import annotations

import gzip
import lzma
import re
import shlex
from pathlib import Path

HOST_MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay", "virtio_console")
BLUETOOTH_MODULES = ("bluetooth", "hci_vhci", "uhid")
# Without drbg the kernel has no LE Secure Connections, and says so only in its log.
PAIRING_MODULES = (
    *("cmac", "ecb", "ccm", "ctr", "drbg", "hmac", "sha256_generic", "sha512_generic", "ecdh_generic"),
    *("algif_hash", "algif_skcipher"),
)


def write_initramfs(path: Path, root: Path, busybox: Path, init: Path, settings: dict[str, str]) -> None:
    """Write the archive. `init` is a script for busybox, which reads `settings` from the file of that name."""
    modules = _in_order(next(root.glob("usr/lib/modules/*")))
    archive = _Archive()
    for folder in ("bin", "dev", "modules", "proc", "sys"):
        archive.add(folder, b"", 0o40755)
    archive.add("bin/busybox", busybox.read_bytes(), 0o100755)
    archive.add("init", init.read_bytes(), 0o100755)
    archive.add("settings", "".join(f"{k}={shlex.quote(v)}\n" for k, v in settings.items()).encode(), 0o100644)
    for number, (name, module) in enumerate(modules.items()):
        archive.add(f"modules/{number:02} {name}".replace(" ", "_"), module, 0o100644)
    path.write_bytes(gzip.compress(archive.finished(), 1))


def _in_order(folder: Path) -> dict[str, bytes]:
    """The modules and all they depend on, each after those it needs. What is built into the kernel is left out."""
    files = {_name(path): path for path in folder.rglob("*.ko*")}
    built_in = {_name(Path(line)) for line in (folder / "modules.builtin").read_text().splitlines()}
    loaded: dict[str, bytes] = {}

    def load(name: str) -> None:
        if name in loaded or name in built_in:
            return
        path = files[name]
        module = lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
        depends = re.search(rb"\0depends=([^\0]*)\0", module)
        for needed in depends[1].decode().split(",") if depends and depends[1] else []:
            load(needed.replace("-", "_"))
        loaded[name] = module

    for name in (*HOST_MODULES, *PAIRING_MODULES, *BLUETOOTH_MODULES):
        load(name)
    return loaded


def _name(path: Path) -> str:
    return path.name.split(".")[0].replace("-", "_")


class _Archive:
    """A cpio archive in the kernel's "new ASCII" format (Linux, Documentation/driver-api/early-userspace)."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._count = 0

    def add(self, name: str, content: bytes, mode: int) -> None:
        self._count += 1
        inode, links, size, named = self._count, 1, len(content), len(name) + 1
        fields = (inode, mode, 0, 0, links, 0, size, 0, 0, 0, 0, named, 0)
        self._bytes += b"070701" + "".join(f"{field:08x}" for field in fields).encode() + name.encode() + b"\0"
        self._pad()
        self._bytes += content
        self._pad()

    def finished(self) -> bytes:
        self.add("TRAILER!!!", b"", 0)
        return bytes(self._bytes)

    def _pad(self) -> None:
        self._bytes += b"\0" * (-len(self._bytes) % 4)
