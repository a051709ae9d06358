"""What a gateway installs on a small computer: wheels for aarch64, a stated build or two, and nothing heavy."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PLATFORM = "aarch64-manylinux_2_28"
"""glibc 2.28 is Debian 10's; Raspberry Pi OS of today is Debian 12 or 13."""
PYTHONS = ("3.11", "3.12", "3.13")
ONE_QUICKLY = [PYTHONS[0], *(pytest.param(python, marks=pytest.mark.long) for python in PYTHONS[1:])]
BUILT = {"crcmod"}
"""Without a wheel for aarch64, so pip builds it: `apt install g++ python3-dev` first (docs/small-computers.md)."""
TOO_HEAVY = {"kivy", "scikit-learn", "torch", "scipy", "pyarrow", "pandas"}
UNREACHABLE = re.compile(
    r"failed to fetch|error sending request|dns error|connection (refused|reset)|timed out|NameResolution", re.I
)
RUNS_WITHOUT = {"kivy", "sklearn", "torch", "scipy", "pyarrow", "pandas", "sqlalchemy", "fastapi", "bumble", "vqf"}
OTHER_ROOMS = {"demo", "server", "mobile_app"}


def asked(*command: str) -> str:
    """What this package tool answers. Skips where the index is out of reach; fails where it refuses."""
    done = subprocess.run((sys.executable, "-m", *command), cwd=PROJECT, capture_output=True, text=True, check=False)
    if done.returncode and "No solution found" not in done.stderr and (why := UNREACHABLE.search(done.stderr)):
        pytest.skip(f"the package index cannot be asked now ({why[0]}): run this where it can be reached")
    assert done.returncode == 0, done.stderr
    return done.stdout


def pins(text: str) -> dict[str, set[str]]:
    """The versions of each name that requirements in this text allow."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([a-z0-9-]+)==([^\s;\\]+)", text, re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


def locked() -> dict[str, set[str]]:
    return pins((PROJECT / "requirements/gateway.txt").read_text())


@pytest.mark.parametrize("python", ONE_QUICKLY)
def test_the_locked_versions_have_wheels_for_aarch64_but_for_the_stated_builds(python: str) -> None:
    builds = (option for name in BUILT for option in ("--no-binary", name))
    resolved = pins(
        asked(
            "uv", "pip", "compile", "pyproject.toml", "--extra", "gateway", "--constraint", "requirements/gateway.txt",
            "--python-platform", PLATFORM, "--python-version", python, "--only-binary", ":all:", *builds,
            "--no-header", "--no-annotate", "--quiet",
        )
    )  # fmt: skip
    lock = locked()
    assert {name for name, versions in resolved.items() if not versions <= lock.get(name, set())} == set()
    assert resolved.keys() & TOO_HEAVY == set()
    assert resolved.keys() >= BUILT, "one of these is no longer needed: state it no more"


@pytest.mark.parametrize("name", sorted(BUILT))
def test_what_is_stated_to_need_a_build_has_no_wheel_yet(name: str) -> None:
    (version,) = locked()[name]
    command = (
        sys.executable, "-m", "uv", "pip", "compile", "-", "--no-deps", "--python-platform", PLATFORM,
        "--python-version", "3.11", "--only-binary", ":all:", "--quiet",
    )  # fmt: skip
    done = subprocess.run(command, input=f"{name}=={version}", cwd=PROJECT, capture_output=True, text=True, check=False)
    if why := UNREACHABLE.search(done.stderr):
        pytest.skip(f"the package index cannot be asked now ({why[0]}): run this where it can be reached")
    assert "no usable wheels" in done.stderr


@pytest.mark.long
@pytest.mark.parametrize("python", PYTHONS)
def test_pip_too_accepts_the_locked_versions(python: str, tmp_path: Path) -> None:
    """uv overlooks a package that declares itself too old for this Python; pip, which a Pi has, does not."""
    requirements = tmp_path / "wheels.txt"
    lock = (PROJECT / "requirements/gateway.txt").read_text().replace("\\\n", " ")
    lines = (line.partition(" --hash")[0] for line in lock.splitlines() if re.match(r"[a-z]", line))
    requirements.write_text("\n".join(line for line in lines if line.partition("==")[0] not in BUILT))
    glibc = (option for minor in range(17, 29) for option in ("--platform", f"manylinux_2_{minor}_aarch64"))
    asked(
        "pip", "install", "--dry-run", "--ignore-installed", "--no-deps", "--quiet", "--target", str(tmp_path),
        "--python-version", python, "--platform", "manylinux2014_aarch64", *glibc, "--only-binary", ":all:",
        "--requirement", str(requirements),
    )  # fmt: skip


def test_nothing_heavy_is_locked() -> None:
    assert locked().keys() & TOO_HEAVY == set()


def test_a_gateway_imports_nothing_heavy_and_no_other_room() -> None:
    program = "import sys, device_gateway.app; print(*{name.partition('.')[0] for name in sys.modules})"
    imported = set(
        subprocess.run(
            (sys.executable, "-c", program), cwd=PROJECT, capture_output=True, text=True, check=True
        ).stdout.split()
    )
    assert "device_gateway" in imported
    assert imported & (RUNS_WITHOUT | OTHER_ROOMS) == set()
