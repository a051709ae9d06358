"""Promises about the tree itself."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from check_lengths import LONGEST, too_long  # noqa: E402


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    return tmp_path


def test_a_long_file_is_named(repository: Path) -> None:
    (repository / "long.py").write_text("\n" * (LONGEST + 1))
    (repository / "short.py").write_text("\n" * LONGEST)
    assert too_long(repository) == [f"long.py has {LONGEST + 1} lines; divide it so that no part passes {LONGEST}."]


def test_a_vendored_file_does_not_count(repository: Path) -> None:
    (repository / "vendor").mkdir()
    (repository / "vendor" / "big.js").write_text("\n" * 1000)
    assert too_long(repository) == []


@pytest.mark.parametrize("lock", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda path: path.stem)
def test_locks_name_packages_versions_and_hashes_only(lock: Path) -> None:
    text = lock.read_text("utf-8")
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links|file:", text)
    pinned = re.findall(r"^[a-z0-9][\w.-]*(?:\[[\w,-]+\])?==\S+.*$", text, re.MULTILINE)
    assert pinned
    assert all(line.endswith("\\") for line in pinned), "a package without a hash"


def test_the_gateway_stays_small() -> None:
    names = set(re.findall(r"^([a-z0-9][\w.-]*)==", (ROOT / "requirements" / "gateway.txt").read_text("utf-8"), re.M))
    assert not names & {"kivy", "scikit-learn", "scipy", "torch", "pyarrow", "pandas", "fastapi", "bumble"}


def test_no_recording_is_committed() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    assert not [name for name in tracked if name.endswith((".npz", ".parquet", ".mat"))]
