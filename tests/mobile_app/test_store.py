"""What the phone has heard stays, whatever happens."""

import signal
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from patient_scenes import NOW, PATIENT, SESSION, assignment, repetition, report

from analytics.domain.base import uuid7
from analytics.domain.check_in import CheckIn
from analytics.domain.live import Command
from analytics.domain.session import Feedback
from mobile_app.store import SCHEMAS, Store, StoreError


def feedback(pain: int = 3) -> Feedback:
    return Feedback(id=uuid7(), session_id=SESSION, pain=pain, effort=5, given_at=NOW)


@pytest.fixture
def phone_store(tmp_path):
    store = Store.open(tmp_path, now=NOW)
    yield store
    store.close()


def test_an_assignment_comes_back_as_it_was(phone_store):
    assert phone_store.assignment(PATIENT) is None
    phone_store.save_assignment(assignment(), now=NOW)
    newer = assignment(limit=False)
    phone_store.save_assignment(newer, now=NOW)
    assert phone_store.assignment(PATIENT) == newer


def test_repetitions_come_back_in_order_and_once(phone_store):
    for number in (1, 3, 2, 3):
        phone_store.save_repetition(PATIENT, SESSION, repetition(number), now=NOW)
    saved = phone_store.session(SESSION)
    assert [r.number for r in saved.repetitions] == [1, 2, 3]
    assert saved.report is None


def test_a_report_brings_what_was_missed(phone_store):
    phone_store.save_repetition(PATIENT, SESSION, repetition(1), now=NOW)
    phone_store.save_report(report(4), now=NOW)
    saved = phone_store.session(SESSION)
    assert saved.repetitions == report(4).repetitions
    assert saved.report == report(4)


def test_feedback_waits_until_it_is_sent(phone_store):
    first, second = feedback(1), feedback(2)
    for one in (first, second, first):
        phone_store.queue_feedback(PATIENT, one)
    assert phone_store.waiting_feedback(PATIENT) == [first, second]
    assert phone_store.waiting_feedback("somebody else") == []
    phone_store.mark_sent(first.id, now=NOW)
    phone_store.mark_refused(second.id, "another answer is stored")
    assert phone_store.waiting_feedback(PATIENT) == []
    assert phone_store.feedback_outcome(first.id) == (True, None)
    assert phone_store.feedback_outcome(second.id) == (False, "another answer is stored")


def test_urgent_words_wait_until_they_are_settled(phone_store):
    said = [Command(command="hurts"), Command(command="start", check_in=CheckIn(pain_now=9, given_at=NOW))]
    phone_store.keep_urgent(PATIENT, SESSION, said[0])
    phone_store.keep_urgent(PATIENT, None, said[1])
    owed = phone_store.untold(PATIENT)
    assert [(words.session_id, words.command) for words in owed] == [(SESSION, said[0]), (None, said[1])]
    assert phone_store.untold("somebody else") == []
    phone_store.settle_urgent(owed[0], now=NOW)
    assert phone_store.untold(PATIENT) == owed[1:]


def test_what_an_app_of_before_has_saved_is_taken_over(tmp_path):
    with sqlite3.connect(tmp_path / "sinew.db") as db:
        db.executescript(f"{SCHEMAS[0]} PRAGMA user_version = 1;")
        db.execute(
            "INSERT INTO outbox (id, patient_id, session_id, body) VALUES (?, ?, ?, ?)",
            ("1", PATIENT, str(SESSION), feedback(4).model_dump_json()),
        )
    db.close()
    for _ in range(2):
        store = Store.open(tmp_path, now=NOW)
        store.keep_urgent(PATIENT, SESSION, Command(command="hurts"))
        assert [one.pain for one in store.waiting_feedback(PATIENT)] == [4]
        store.close()


def test_a_session_is_asked_about_once_and_not_for_ever(phone_store):
    phone_store.save_report(report(4), now=NOW)
    assert phone_store.session_without_feedback(PATIENT, since=NOW - timedelta(hours=1)) == SESSION
    assert phone_store.session_without_feedback(PATIENT, since=NOW + timedelta(hours=1)) is None
    assert phone_store.session_without_feedback("somebody else", since=NOW - timedelta(hours=1)) is None
    phone_store.queue_feedback(PATIENT, feedback())
    assert phone_store.session_without_feedback(PATIENT, since=NOW - timedelta(hours=1)) is None


CHILD = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from patient_scenes import NOW, PATIENT, SESSION, repetition
from analytics.domain.session import Feedback
from mobile_app.store import Store
store = Store.open(Path(sys.argv[1]), now=NOW)
store.queue_feedback(PATIENT, Feedback(id=SESSION, session_id=SESSION, pain=7, effort=2, given_at=NOW))
number = 0
while True:
    number += 1
    store.save_repetition(PATIENT, SESSION, repetition(number), now=NOW)
    print(number, flush=True)
"""


def test_kill_9_loses_nothing_that_was_saved(tmp_path):
    command = [sys.executable, "-c", CHILD, str(tmp_path), str(Path(__file__).parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        for _ in range(25):
            child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        said = [int(line) for line in child.stdout.read().split()]
    assert child.returncode == -signal.SIGKILL
    last = said[-1] if said else 25
    store = Store.open(tmp_path, now=NOW)
    numbers = [r.number for r in store.session(SESSION).repetitions]
    assert numbers[:last] == list(range(1, last + 1))
    assert [one.pain for one in store.waiting_feedback(PATIENT)] == [7]
    assert store.set_aside is None
    store.close()


def test_every_write_is_on_the_disk_when_it_returns(phone_store):
    assert phone_store._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert phone_store._db.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


@pytest.mark.parametrize("damage", ["not a database at all" * 100, "a page in the middle"])
def test_a_damaged_database_is_set_aside_with_its_bytes(tmp_path, damage):
    path = tmp_path / "sinew.db"
    store = Store.open(tmp_path, now=NOW)
    for number in range(1, 200):
        store.save_repetition(PATIENT, SESSION, repetition(number), now=NOW)
    store.close()
    spoilt = bytearray(path.read_bytes())
    if damage.startswith("not"):
        spoilt = bytearray(damage.encode())
    else:
        spoilt[4096:12288] = b"\x5a" * 8192
    path.write_bytes(spoilt)

    again = Store.open(tmp_path, now=NOW)
    assert again.set_aside is not None
    assert again.set_aside.read_bytes() == bytes(spoilt)
    assert again.session(SESSION) is None
    again.queue_feedback(PATIENT, feedback())
    again.close()
    third = Store.open(tmp_path, now=NOW)
    assert third.set_aside is None
    assert len(third.waiting_feedback(PATIENT)) == 1
    third.close()


def test_a_second_damage_does_not_overwrite_the_first(tmp_path):
    for text in (b"first" * 1000, b"second" * 1000):
        (tmp_path / "sinew.db").write_bytes(text)
        Store.open(tmp_path, now=NOW).close()
    kept = sorted(path.read_bytes()[:5] for path in tmp_path.glob("sinew.db.damaged-*"))
    assert kept == [b"first", b"secon"]


def test_a_newer_apps_data_is_left_alone(tmp_path):
    with sqlite3.connect(tmp_path / "sinew.db") as db:
        db.execute("CREATE TABLE future (x)")
        db.execute("PRAGMA user_version = 99")
    db.close()
    before = (tmp_path / "sinew.db").read_bytes()
    with pytest.raises(StoreError, match="newer version"):
        Store.open(tmp_path, now=NOW)
    assert (tmp_path / "sinew.db").read_bytes() == before
    assert not list(tmp_path.glob("*damaged*"))


def fill(store):
    for number in range(2, 500):
        store.save_repetition(PATIENT, SESSION, repetition(number), now=NOW)


def test_a_full_disk_is_said_and_leaves_what_was_saved(phone_store):
    phone_store.save_repetition(PATIENT, SESSION, repetition(1), now=NOW)
    pages = phone_store._db.execute("PRAGMA page_count").fetchone()[0]
    phone_store._db.execute(f"PRAGMA max_page_count = {pages}")  # SQLite answers SQLITE_FULL beyond
    with pytest.raises(StoreError, match="Free some space"):
        fill(phone_store)
    phone_store._db.execute("PRAGMA max_page_count = 100000")
    saved = len(phone_store.session(SESSION).repetitions)
    phone_store.save_repetition(PATIENT, SESSION, repetition(saved + 1), now=NOW)
    assert len(phone_store.session(SESSION).repetitions) == saved + 1


def test_a_home_that_cannot_be_used_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="Make the folder writable"):
        Store.open(tmp_path / "file", now=NOW)
