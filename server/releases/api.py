"""Releases over HTTP."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import Path, Response

from analytics.domain.release import ReleaseList
from server.access import policy
from server.access.api import CurrentCaller
from server.access.policy import Action
from server.clinic import ThisClinic
from server.problems import NotFound
from server.routing import api_router

from . import shelf

router = api_router("releases")


@router.get("/gateway/releases")
async def get_releases(caller: CurrentCaller, clinic: ThisClinic) -> ReleaseList:
    """Which models and exercises there are for gateways, and by whose keys they are signed."""
    policy.require_own(caller, Action.READ_RELEASES)
    return await asyncio.to_thread(shelf.offered, clinic.settings.releases_path)


@router.get("/gateway/releases/{sha256}")
async def get_release(
    sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$")], caller: CurrentCaller, clinic: ThisClinic
) -> Response:
    """The content with this digest."""
    policy.require_own(caller, Action.READ_RELEASES)
    content = await asyncio.to_thread(shelf.content_of, clinic.settings.releases_path, sha256)
    if content is None:
        raise NotFound("This release is not offered any more; ask for the list again.")
    return Response(content, media_type="application/octet-stream")
