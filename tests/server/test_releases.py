"""Signing models and exercises, and handing them to gateways."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from analytics.domain.release import ReleaseList, split_release
from server.releases.command import main

EXERCISE = b'code = "knee.flexion.lying"\n'


@pytest.fixture
def publisher(tmp_path: Path):
    """Signs a file's bytes as the exercise knee.flexion.lying, into the folder it is given."""
    key, file = tmp_path / "publisher.pem", tmp_path / "knee.flexion.lying.toml"
    assert main(["new-key", str(key)]) == 0

    def publish(version: int, folder: Path, content: bytes = EXERCISE) -> int:
        file.write_bytes(content)
        options = ["--kind", "exercise", "--version", str(version), "--key", str(key), "--into", str(folder)]
        return main(["sign", str(file), *options])

    return publish


async def test_a_gateway_finds_the_two_newest_versions_and_the_publishers_key(api, publisher) -> None:
    folder = api.app.state.clinic.settings.releases_path
    for version in (1, 3, 2):
        assert publisher(version, folder, EXERCISE + b"# %d" % version) == 0
    offered = ReleaseList.model_validate_json((await api("GET", "gateway/releases", "gateway")).content)
    assert [release.version for release in offered.releases] == [3, 2]
    assert offered.keys == (offered.releases[0].key,)
    content = await api("GET", f"gateway/releases/{offered.releases[0].sha256}", "gateway")
    assert content.content == EXERCISE + b"# 3"


async def test_a_file_that_is_not_whole_is_left_out(api, publisher) -> None:
    folder = api.app.state.clinic.settings.releases_path
    publisher(1, folder)
    publisher(2, folder, EXERCISE + b"# longer")
    whole, spoilt = sorted(folder.glob("*.release"))
    spoilt.write_bytes(spoilt.read_bytes()[:-1])
    (folder / "notes.release").write_text("not a release")
    offered = ReleaseList.model_validate_json((await api("GET", "gateway/releases", "gateway")).content)
    release, _ = split_release(whole.read_bytes())
    assert offered.releases == (release,)
    whole.write_bytes(whole.read_bytes().replace(b"lying", b"prone", 2))
    offered = ReleaseList.model_validate_json((await api("GET", "gateway/releases", "gateway")).content)
    assert offered.releases == ()


async def test_what_is_not_offered_is_not_there(api) -> None:
    answer = await api("GET", f"gateway/releases/{hashlib.sha256(b'x').hexdigest()}", "gateway")
    assert (answer.status_code, answer.json()["detail"]) == (
        404,
        "This release is not offered any more; ask for the list again.",
    )


def test_the_private_key_is_its_owners_and_never_overwritten(tmp_path: Path, capsys) -> None:
    key = tmp_path / "publisher.pem"
    assert main(["new-key", str(key)]) == 0
    assert key.stat().st_mode & 0o077 == 0
    assert main(["new-key", str(key)]) == 1
    assert "exists" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("key", "says"), [(b"junk", "holds no private key"), (None, "No such file")], ids=["junk", "absent"]
)
def test_what_cannot_be_signed_with_is_said(tmp_path: Path, capsys, key: bytes | None, says: str) -> None:
    file = tmp_path / "knee.toml"
    file.write_bytes(EXERCISE)
    if key is not None:
        (tmp_path / "key").write_bytes(key)
    options = ["--kind", "exercise", "--version", "1", "--key", str(tmp_path / "key"), "--into", str(tmp_path)]
    assert main(["sign", str(file), *options]) == 1
    assert says in capsys.readouterr().err


def test_a_version_that_is_none_is_said(tmp_path: Path, publisher, capsys) -> None:
    assert publisher(0, tmp_path) == 1
    assert "version" in capsys.readouterr().err
