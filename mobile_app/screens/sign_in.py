# mypy: allow-subclassing-any
"""The screen for signing in."""

from __future__ import annotations

from kivy.properties import BooleanProperty

from .page import Page, load_rules


class SignInScreen(Page):
    password_shown = BooleanProperty(False)


load_rules(__file__)
