# mypy: allow-subclassing-any
"""The screen after a session."""

from __future__ import annotations

from .page import Page, load_rules


class AfterScreen(Page):
    pass


load_rules(__file__)
