# mypy: allow-subclassing-any
"""What all screens have in common."""

from __future__ import annotations

from pathlib import Path

from kivy.lang import Builder
from kivy.properties import ObjectProperty
from kivy.uix.screenmanager import Screen

from mobile_app.widgets import common  # noqa: F401  the classes that kv files name


class Page(Screen):
    """A screen bound to a view model, which is given when the screen is made."""

    vm = ObjectProperty()
    phone = ObjectProperty()


def load_rules(screen_module: str) -> None:
    """Load the .kv file beside a screen's module; once, when the module is imported."""
    Builder.load_file(str(Path(screen_module).with_suffix(".kv")))
