"""Raw samples as they arrive: each chunk stored once, byte for byte, however often it is sent."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import re
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.signals.chunk import ChunkError, decode_chunk
from server.access.words import Caller
from server.problems import BadRequest, Conflict, Problem

from .ranges import ranges
from .records import ChunkRecord
from .service import own_session

_SHA_256 = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/]+=*):")
"""The member of RFC 9530's Content-Digest that is read; others may stand beside it."""

MOST_CHUNKS = 1_000_001
"""How many chunks a session can have, numbered from 0: far more than any exercising lasts."""


class DigestMissing(BadRequest):
    type, title = "digest-missing", "The chunk comes without its digest"


class DigestWrong(BadRequest):
    type, title = "digest-wrong", "The chunk was changed on its way"


class NotAChunk(Problem):
    status, type, title = 422, "not-a-chunk", "These bytes are not a chunk"


class ChunkDiffers(Conflict):
    type, title = "chunk-differs", "Other bytes are stored under this number"


class SessionClosed(Conflict):
    type, title = "session-closed", "The session is closed"


class CheckedChunk(NamedTuple):
    """Bytes that are what was sent and that can be read."""

    data: bytes
    sha256: bytes
    samples: int


async def check_chunk(data: bytes, content_digest: str | None) -> CheckedChunk:
    """Hold a body against its Content-Digest and decode it, off the event loop.

    Raises `DigestMissing` or `DigestWrong` (400) and `NotAChunk` (422).
    """
    named = _SHA_256.search(content_digest or "")
    if named is None:
        raise DigestMissing("Send the header Content-Digest with sha-256 of the chunk's bytes (RFC 9530).")
    sha256 = hashlib.sha256(data).digest()
    try:
        same = base64.b64decode(named[1], validate=True) == sha256
    except binascii.Error:
        same = False
    if not same:
        raise DigestWrong("The bytes that arrived do not have the digest in Content-Digest; send the chunk again.")
    try:
        blocks = await asyncio.to_thread(decode_chunk, data)
    except ChunkError as error:
        raise NotAChunk(str(error)) from error
    return CheckedChunk(data, sha256, sum(len(block.samples) for block in blocks))


async def store_chunk(db: AsyncSession, caller: Caller, session_id: UUID, number: int, chunk: CheckedChunk) -> bool:
    """Store a chunk; True the first time, False for the same bytes again.

    Raises `ChunkDiffers` for other bytes, `SessionClosed` for a new chunk after the report, `NotFound` for no session
    of this gateway's patient.
    """
    session = await own_session(db, caller, session_id)
    stored = await db.scalar(
        select(ChunkRecord.sha256).where(ChunkRecord.session_id == session_id, ChunkRecord.number == number)
    )
    if stored is not None:
        if stored != chunk.sha256:
            raise ChunkDiffers(f"Other bytes are stored as chunk {number} of this session; what is stored stays.")
        return False
    if session.ended_at is not None:
        raise SessionClosed("The report of this session is stored and counts its chunks; this one is not among them.")
    db.add(
        ChunkRecord(session_id=session_id, number=number, sha256=chunk.sha256, samples=chunk.samples, data=chunk.data)
    )
    await db.flush()
    return True


async def received(db: AsyncSession, caller: Caller, session_id: UUID) -> list[list[int]]:
    """Which chunks are stored, as [first, last] ranges: where an interrupted upload goes on."""
    await own_session(db, caller, session_id)
    numbers = select(ChunkRecord.number).where(ChunkRecord.session_id == session_id).order_by(ChunkRecord.number)
    return ranges(await db.scalars(numbers))
