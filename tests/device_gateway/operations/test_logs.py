"""Log lines: structured, spare, and silent about what libraries carry."""

from __future__ import annotations

import io
import json
import logging

import pytest

from device_gateway.operations.logs import QUIET, Sparing, configure_logs, room

pytestmark = pytest.mark.usefixtures("logging_as_before")


def test_a_line_is_one_object() -> None:
    written = io.StringIO()
    configure_logs("info", "json", written)
    logging.getLogger("device_gateway.links.link").warning("%s sensor: %s", "right_thigh", "gone", extra={"session": 7})
    logging.getLogger("device_gateway.links.link").debug("too small to tell")
    line = json.loads(written.getvalue())
    assert set(line) == {"time", "level", "room", "event", "session"}
    assert (line["level"], line["room"], line["session"]) == ("warning", "links", 7)
    assert line["event"] == "right_thigh sensor: gone"
    assert line["time"].endswith("Z")
    assert line["time"][10] == "T"


def test_a_fault_is_told_with_its_place_in_the_same_line() -> None:
    written = io.StringIO()
    configure_logs("info", "json", written)
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        logging.getLogger("device_gateway.storage").exception("Recording met a fault.")
    line = json.loads(written.getvalue())
    assert "ZeroDivisionError" in line["fault"]


@pytest.mark.parametrize(
    ("form", "environment", "is_json"),
    [("auto", {"JOURNAL_STREAM": "8:1"}, True), ("auto", {}, False), ("text", {"JOURNAL_STREAM": "8:1"}, False)],
)
def test_the_journal_is_given_objects_and_a_person_text(form: str, environment: dict[str, str], is_json: bool) -> None:
    written = io.StringIO()
    configure_logs("info", form, written, environment)
    logging.getLogger("device_gateway.uplink").warning("Uploads wait.")
    assert written.getvalue().startswith("{") is is_json


@pytest.mark.parametrize("library", QUIET)
def test_libraries_do_not_tell_what_they_carry(library: str) -> None:
    written = io.StringIO()
    configure_logs("debug", "json", written)
    logging.getLogger(library).debug("< TEXT 'Well done!'")
    logging.getLogger(f"{library}.deeper").info("Authorization: Bearer …")
    assert written.getvalue() == ""


def test_a_fault_that_recurs_is_told_once_a_minute_and_counted() -> None:
    now_s = 0.0
    sparing, told = Sparing(lambda: now_s), []
    for second in range(180):
        now_s = float(second)
        record = logging.LogRecord("uplink", logging.WARNING, "", 0, "Uploads wait: %s", ("no answer",), None)
        if sparing.filter(record):
            told.append((second, record.getMessage()))
    assert told == [
        (0, "Uploads wait: no answer"),
        (60, "Uploads wait: no answer (and 59 times since it was last written)"),
        (120, "Uploads wait: no answer (and 59 times since it was last written)"),
    ]


def test_what_is_remembered_of_sentences_does_not_grow_for_ever() -> None:
    sparing = Sparing(lambda: 0.0)
    for number in range(5000):
        assert sparing.filter(logging.LogRecord("links", logging.WARNING, "", 0, f"Sentence {number}", (), None))
    assert len(sparing._said) <= 1000


@pytest.mark.parametrize(
    ("logger", "told"),
    [
        ("device_gateway.links.link", "links"),
        ("device_gateway.app", "app"),
        ("device_gateway", "device_gateway"),
        ("bleak.backends.bluezdbus.scanner", "bleak"),
    ],
)
def test_the_room_is_the_part_that_speaks(logger: str, told: str) -> None:
    assert room(logger) == told
