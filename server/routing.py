"""What every feature's routes have in common."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from server.problems import MEDIA_TYPE

API = "/api/v1"
PROBLEMS: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "A problem (RFC 9457)", "content": {MEDIA_TYPE: {}}},
    "5XX": {"description": "A problem (RFC 9457)", "content": {MEDIA_TYPE: {}}},
}


def api_router(feature: str) -> APIRouter:
    """A router whose routes carry their whole address, which the request log writes down."""
    return APIRouter(prefix=API, tags=[feature], responses=PROBLEMS)
