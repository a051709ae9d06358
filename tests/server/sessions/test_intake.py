"""From the opening to the report over HTTP: every PUT may be repeated, and nothing stored is ever changed."""

import asyncio
import base64
import hashlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from server.sessions.ranges import gaps, ranges
from server.sessions.records import ChunkRecord


async def stored_chunks(api) -> list[tuple[int, bytes, bytes, int]]:
    async with api.database.reading() as db:
        rows = await db.execute(
            select(ChunkRecord.number, ChunkRecord.data, ChunkRecord.sha256, ChunkRecord.samples).order_by(
                ChunkRecord.number
            )
        )
        return [tuple(row) for row in rows]


async def opened(api, number: int = 1):
    opening = api.make.opening(number)
    assert (await api.put_word(f"sessions/{opening.id}", opening)).status_code == 201
    return opening


def problem(answer) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()
    assert {"type", "title", "status", "detail"} <= set(said)
    assert said["status"] == answer.status_code
    return answer.status_code, said["type"]


async def test_an_opening_is_stored_once(api, make) -> None:
    opening = make.opening()
    path = f"sessions/{opening.id}"
    assert [(await api.put_word(path, opening)).status_code for _ in range(2)] == [201, 200]
    other = await api.put_word(path, make.opening(program_version=2))
    assert problem(other) == (409, "conflict")


async def test_a_session_on_a_version_that_there_never_was_is_refused(api, make) -> None:
    for version in (0, 2, -1):
        opening = make.opening(program_version=version)
        answer = await api.put_word(f"sessions/{opening.id}", opening)
        assert problem(answer) == (422, "invalid-request")
        assert answer.json()["detail"].startswith(f"There is no version {version} of this patient's program; fetch")
    assert (await api.put_word(f"sessions/{make.opening().id}", make.opening())).status_code == 201


async def test_unknown_fields_are_tolerated(api, make) -> None:
    opening = make.opening()
    newer = opening.model_dump(mode="json") | {"left_handed": True}
    assert (await api("PUT", f"sessions/{opening.id}", "gateway", json=newer)).status_code == 201


async def test_an_opening_for_another_patient_or_another_address_is_refused(api, make) -> None:
    foreign = make.opening(patient_id="p2")
    assert problem(await api.put_word(f"sessions/{foreign.id}", foreign)) == (404, "not-found")
    assert problem(await api.put_word(f"sessions/{make.opening(2).id}", make.opening(1))) == (400, "bad-request")
    naive = make.opening().model_copy(update={"started_at": make.now.replace(tzinfo=None)})
    assert problem(await api.put_word(f"sessions/{naive.id}", naive)) == (422, "invalid-request")


async def test_a_chunk_is_stored_byte_for_byte_and_once(api, make) -> None:
    opening, chunk = await opened(api), make.chunk(1, samples=40)
    statuses = [(await api.put_chunk(opening.id, 0, chunk)).status_code for _ in range(3)]
    assert statuses == [201, 200, 200]
    assert await stored_chunks(api) == [(0, chunk, hashlib.sha256(chunk).digest(), 80)]


async def test_other_bytes_under_the_same_number_are_refused_and_the_first_stay(api, make) -> None:
    opening, first = await opened(api), make.chunk(1)
    await api.put_chunk(opening.id, 0, first)
    assert problem(await api.put_chunk(opening.id, 0, make.chunk(2))) == (409, "chunk-differs")
    assert [row[1] for row in await stored_chunks(api)] == [first]


@pytest.mark.parametrize(
    ("digest", "expected"),
    [
        (None, "digest-missing"),
        ("", "digest-missing"),
        ("sha-512=:AAAA:", "digest-missing"),
        ("md5-sha-256=:AAAA:", "digest-missing"),
        ("sha-256=:AAAA:", "digest-wrong"),
        ("sha-256=:A:", "digest-wrong"),
        (f"sha-256=:{base64.b64encode(bytes(32)).decode()}:", "digest-wrong"),
    ],
)
async def test_a_chunk_without_its_right_digest_is_not_stored(api, make, digest: str | None, expected: str) -> None:
    opening = await opened(api)
    headers = {} if digest is None else {"Content-Digest": digest}
    answer = await api("PUT", f"sessions/{opening.id}/chunks/0", "gateway", content=make.chunk(), headers=headers)
    assert problem(answer) == (400, expected)
    assert await stored_chunks(api) == []


async def test_other_digests_may_stand_beside_the_one_that_counts(api, make) -> None:
    opening, chunk = await opened(api), make.chunk()
    both = {"Content-Digest": "sha-512=:AAAA:, " + make.digest(chunk)["Content-Digest"]}
    path = f"sessions/{opening.id}/chunks/0"
    assert (await api("PUT", path, "gateway", content=chunk, headers=both)).status_code == 201


@pytest.mark.parametrize("damage", ["empty", "text", "cut", "flipped"])
async def test_bytes_that_are_no_chunk_are_not_stored(api, make, damage: str) -> None:
    opening, chunk = await opened(api), make.chunk()
    flipped = bytearray(chunk)
    flipped[-3] ^= 0xFF
    data = {"empty": b"", "text": b"hello", "cut": chunk[:-9], "flipped": bytes(flipped)}[damage]
    assert problem(await api.put_chunk(opening.id, 0, data)) == (422, "not-a-chunk")
    assert await stored_chunks(api) == []


async def test_a_chunk_beyond_the_limit_is_refused(start_clinic, make) -> None:
    async with start_clinic(largest_chunk_bytes=100) as api:
        opening = await opened(api)
        assert problem(await api.put_chunk(opening.id, 0, make.chunk())) == (413, "body-too-large")


@pytest.mark.parametrize("number", [-1, 1_000_001, "one"])
async def test_a_chunk_number_is_a_small_number(api, make, number: object) -> None:
    opening = await opened(api)
    assert problem(await api.put_chunk(opening.id, number, make.chunk())) == (422, "invalid-request")


async def test_a_chunk_needs_an_open_session_of_the_gateways_own_patient(api, make) -> None:
    session_id = make.opening().id
    unknown = await api.put_chunk(session_id, 0, make.chunk())
    await opened(api)
    foreign = await api.put_chunk(session_id, 0, make.chunk(), who="other_gateway")
    assert problem(unknown) == problem(foreign) == (404, "not-found")
    assert unknown.json() == foreign.json(), "another patient's session must look like none"
    assert await stored_chunks(api) == []


async def test_what_has_arrived_is_told_in_ranges(api, make) -> None:
    opening = await opened(api)
    path = f"sessions/{opening.id}/chunks"
    assert (await api("GET", path, "gateway")).json() == {"received": []}
    for number in (0, 1, 2, 7, 5):
        await api.put_chunk(opening.id, number, make.chunk(number))
    assert (await api("GET", path, "gateway")).json() == {"received": [[0, 2], [5, 5], [7, 7]]}
    assert problem(await api("GET", path, "other_gateway")) == (404, "not-found")


async def test_a_report_waits_for_its_chunks_and_names_the_missing(api, make) -> None:
    opening, chunks = await opened(api), tuple(make.chunk(n) for n in range(5))
    report = make.report(1, chunks)
    path = f"sessions/{opening.id}/report"
    for number in (1, 3):
        await api.put_chunk(opening.id, number, chunks[number])
    early = await api.put_word(path, report)
    assert problem(early) == (409, "chunks-missing")
    assert early.json()["missing"] == [[0, 0], [2, 2], [4, 4]]
    assert problem(await api("GET", f"sessions/{opening.id}", "physiotherapist")) == (404, "not-found")
    for number in (0, 2, 4):
        await api.put_chunk(opening.id, number, chunks[number])
    assert [(await api.put_word(path, report)).status_code for _ in range(2)] == [201, 200]
    view = (await api("GET", f"sessions/{opening.id}", "physiotherapist")).json()
    assert view["report"] == report.model_dump(mode="json")
    assert view["samples_stored"] == 5 * 100
    assert (view["exercise_name"], view["feedback"]) == ("Seated knee extension", None)


@pytest.mark.parametrize("count", [1_000_002, 10**15, 10**300])
async def test_a_report_of_more_chunks_than_there_are_numbers_is_refused_at_once(api, make, count: int) -> None:
    opening = await opened(api)
    report = make.report().model_copy(update={"chunk_count": count})
    path = f"sessions/{opening.id}/report"
    answer = await asyncio.wait_for(api.put_word(path, report), 5)
    assert problem(answer) == (422, "invalid-request")
    assert answer.json()["detail"] == (
        "The report counts more chunks than a session can have, which is 1000001; count the chunks again."
    )
    assert (await api.put_word(path, make.report())).status_code == 201


async def test_what_is_missing_of_very_many_chunks_is_told_without_counting_them(api, make) -> None:
    opening = await opened(api)
    for number in (0, 500_000, 1_000_000):
        await api.put_chunk(opening.id, number, make.chunk(number))
    report = make.report().model_copy(update={"chunk_count": 1_000_001})
    answer = await api.put_word(f"sessions/{opening.id}/report", report)
    assert problem(answer) == (409, "chunks-missing")
    assert answer.json()["missing"] == [[1, 499_999], [500_001, 999_999]]


async def test_a_report_that_does_not_fit_the_stored_chunks_is_refused(api, make) -> None:
    opening, chunks = await opened(api), (make.chunk(1), make.chunk(2))
    path = f"sessions/{opening.id}/report"
    for number, chunk in enumerate(chunks):
        await api.put_chunk(opening.id, number, chunk)
    swapped = make.report(1, chunks[::-1])
    fewer = make.report(1, chunks[:1])
    for report in (swapped, fewer):
        assert problem(await api.put_word(path, report)) == (409, "chunks-differ")
    upper = make.report(1, chunks)
    upper = upper.model_copy(update={"chunks_sha256": upper.chunks_sha256.upper()})
    assert (await api.put_word(path, upper)).status_code == 201


async def test_a_stored_report_closes_the_session(api, make) -> None:
    chunk = make.chunk(1)
    report, first = await api.put_session(1, chunks=(chunk,))
    assert first.status_code == 201
    assert (await api.put_chunk(report.id, 0, chunk)).status_code == 200
    assert problem(await api.put_chunk(report.id, 0, make.chunk(2))) == (409, "chunk-differs")
    assert problem(await api.put_chunk(report.id, 1, make.chunk(2))) == (409, "session-closed")
    other = await api.put_word(f"sessions/{report.id}/report", make.report(1, (chunk,), count=29))
    assert problem(other) == (409, "report-differs")
    assert len(await stored_chunks(api)) == 1


async def test_a_report_must_begin_as_the_session_was_opened(api, make) -> None:
    opening = await opened(api)
    path = f"sessions/{opening.id}/report"
    changed = make.report(opening=make.opening(program_version=9))
    assert problem(await api.put_word(path, changed)) == (409, "report-differs")
    assert problem(await api.put_word(path, make.report(), who="other_gateway")) == (404, "not-found")
    assert problem(await api.put_word(f"sessions/{make.opening(2).id}/report", make.report(2))) == (404, "not-found")


async def test_a_report_with_a_figure_that_is_no_number_is_refused_and_can_be_mended(api, make) -> None:
    opening = await opened(api)
    path, headers = f"sessions/{opening.id}/report", {"Content-Type": "application/json"}
    good = make.report().model_dump_json()
    bad = good.replace('"peak_velocity_deg_s":80.0', '"peak_velocity_deg_s":NaN', 1)
    assert bad != good
    answer = await api("PUT", path, "gateway", content=bad, headers=headers)
    assert problem(answer) == (422, "invalid-request")
    assert (await api("PUT", path, "gateway", content=good, headers=headers)).status_code == 201


async def test_many_uploads_at_once_store_each_chunk_once(api, make) -> None:
    opening, chunks = await opened(api), [make.chunk(n) for n in range(8)]
    uploads = [api.put_chunk(opening.id, n, chunk) for _ in range(3) for n, chunk in enumerate(chunks)]
    statuses = [answer.status_code for answer in await asyncio.gather(*uploads)]
    assert sorted(statuses) == [200] * 16 + [201] * 8
    async with api.database.reading() as db:
        assert await db.scalar(select(func.count()).select_from(ChunkRecord)) == 8


@given(st.sets(st.integers(0, 300)))
def test_ranges_hold_exactly_the_numbers_and_nothing_adjacent(numbers: set[int]) -> None:
    found = ranges(sorted(numbers))
    assert {n for first, last in found for n in range(first, last + 1)} == numbers
    assert all(a[1] + 1 < b[0] for a, b in itertools.pairwise(found))


@given(st.sets(st.integers(0, 40)), st.integers(0, 40))
def test_gaps_are_the_ranges_of_the_numbers_that_are_not_there(numbers: set[int], count: int) -> None:
    assert gaps(sorted(numbers), count) == ranges(number for number in range(count) if number not in numbers)


def test_gaps_take_no_longer_for_a_longer_session() -> None:
    assert gaps([3], 10**18) == [[0, 2], [4, 10**18 - 1]]
