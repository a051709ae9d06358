"""Resolves pyproject.toml into the hash-locked files under requirements/: names, versions and hashes, nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
EVERYTHING = ("gateway", "server", "mobile", "simulate", "dev")
LOCKS = {
    "all.txt": ("pyproject.toml", EVERYTHING),
    "gateway.txt": ("pyproject.toml", ("gateway",)),
    "server.txt": ("pyproject.toml", ("server",)),
    "mobile.txt": ("pyproject.toml", ("mobile",)),
    "bootstrap.txt": ("requirements/bootstrap.in", ()),
}


def lock(name: str, source: str, extras: tuple[str, ...]) -> None:
    """Write requirements/`name` from `source` with these extras."""
    arguments = ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-header", "--no-emit-index-url"]
    for extra in extras:
        arguments += ["--extra", extra]
    command = [sys.executable, "-m", "uv", "pip", "compile", source, *arguments, "--quiet"]
    subprocess.run([*command, "--output-file", f"requirements/{name}"], cwd=ROOT, check=True)
    print(f"requirements/{name}")


if __name__ == "__main__":
    for name, (source, extras) in LOCKS.items():
        lock(name, source, extras)
