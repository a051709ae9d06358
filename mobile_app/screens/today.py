# mypy: allow-subclassing-any
"""The screen for what is due today."""

from __future__ import annotations

from kivy.properties import ListProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from mobile_app.widgets.column import Column

from .page import Page, load_rules


class Fact(BoxLayout):
    """A big figure with what it counts below."""

    figure = StringProperty("")
    unit = StringProperty("")


class Step(BoxLayout):
    """One numbered line of instructions."""

    number = StringProperty("")
    text = StringProperty("")


class Steps(Column):
    """Instructions, a numbered line each."""

    lines = ListProperty([])

    def on_lines(self, _: Steps, lines: list[str]) -> None:
        self.clear_widgets()
        for number, line in enumerate(lines, 1):
            self.add_widget(Step(number=f"{number}.", text=line))


class TodayScreen(Page):
    pass


load_rules(__file__)
