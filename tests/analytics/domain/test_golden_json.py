"""The wire form of the shared words, kept per release: a later release must still read every file here."""

import json
from pathlib import Path

import pytest

from analytics.domain.base import Word
from analytics.domain.live import AngleEvent, RepetitionEvent, Snapshot, parse_live_event
from analytics.domain.program import Assignment
from analytics.domain.recovery import Forecast, Proposal
from analytics.domain.session import Feedback, SessionReport

GOLDEN = Path(__file__).parent / "golden"
WORDS: dict[str, type[Word]] = {
    word.__name__: word
    for word in (Assignment, SessionReport, Feedback, Forecast, Proposal, Snapshot, AngleEvent, RepetitionEvent)
}


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*/*.json")), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_release_is_still_read_and_nothing_in_it_is_lost(path: Path) -> None:
    stored = json.loads(path.read_text("utf-8"))
    read = WORDS[path.stem].model_validate(stored)
    written = json.loads(read.model_dump_json())
    assert _as_far_as(stored, written) == stored


def _as_far_as(stored: object, written: object) -> object:
    """What is written, without the fields that a later release has added."""
    if isinstance(stored, dict) and isinstance(written, dict):
        return {key: _as_far_as(stored[key], value) for key, value in written.items() if key in stored}
    if isinstance(stored, list) and isinstance(written, list) and len(stored) == len(written):
        return [_as_far_as(one, other) for one, other in zip(stored, written, strict=True)]
    return written


def test_every_word_has_a_golden_file_in_this_release() -> None:
    assert {path.stem for path in (GOLDEN / "0.1").glob("*.json")} == set(WORDS)


def test_a_newer_release_may_add_fields() -> None:
    stored = json.loads((GOLDEN / "0.1" / "AngleEvent.json").read_text("utf-8"))
    event = parse_live_event(json.dumps(stored | {"shoulder_deg": 12}))
    assert isinstance(event, AngleEvent)
    assert event.flexion_deg == stored["flexion_deg"]


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="kind"):
        parse_live_event('{"kind": "weather", "sequence": 1}')
