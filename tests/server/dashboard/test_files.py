"""What the strict content security policy needs of the files, and that the code of others is what it says it is."""

from __future__ import annotations

import hashlib
import re

import pytest

from server.dashboard.rendering import HERE, STATIC

TEMPLATES = sorted((HERE / "templates").glob("*.html"))
OURS = [*TEMPLATES, *sorted(STATIC.glob("*.*"))]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_hold_nothing_inline(path) -> None:
    html = path.read_text("utf-8")
    assert not re.findall(r"\sstyle=|\son\w+=|hx-on|javascript:|<style", html)
    for script in re.findall(r"<script[^>]*>", html):
        assert "src=" in script or 'type="application/json"' in script
    assert "|safe" not in html.replace(" ", "")


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_nothing_is_asked_of_another_host(path) -> None:
    addresses = re.findall(r"(?:https?:)?//[\w.-]+\.\w+[^\s\"']*", path.read_text("utf-8"))
    assert set(addresses) <= {"http://www.w3.org/2000/svg"}


def test_code_of_others_is_unchanged_and_licensed() -> None:
    said = (STATIC / "vendor" / "LICENSES.md").read_text("utf-8")
    files = sorted(path for path in (STATIC / "vendor").iterdir() if path.suffix in {".js", ".css"})
    assert len(files) == 3
    for path in files:
        listed = re.search(rf"sha256 {re.escape(path.name)}\s+([0-9a-f]{{64}})", said)
        assert listed, path.name
        assert hashlib.sha256(path.read_bytes()).hexdigest() == listed[1]


def test_javascript_of_ours_stays_small() -> None:
    assert sum(len(path.read_text("utf-8").splitlines()) for path in STATIC.glob("*.js")) <= 1000
