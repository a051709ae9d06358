"""What the routes of the pages have in common."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Form, Request
from fastapi.responses import RedirectResponse

from server.access.api import PageCaller
from server.access.words import Caller

Text = Annotated[str, Form(max_length=1000)]


async def _signed_in(request: Request, caller: PageCaller) -> Caller:
    """Who reads the page, also for the frame around it and around an error."""
    request.state.reader = caller
    return caller


PageReader = Annotated[Caller, Depends(_signed_in)]


def see_other(address: str) -> RedirectResponse:
    """To the page that shows what has come of a form, so that loading it again does not send the form again."""
    return RedirectResponse(address, 303)
