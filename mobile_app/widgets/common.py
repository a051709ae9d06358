# mypy: allow-subclassing-any
"""Text, cards, buttons, fields and sheets: the classes whose look stands in common.kv."""

from __future__ import annotations

from pathlib import Path

from kivy.input import MotionEvent
from kivy.lang import Builder
from kivy.properties import BooleanProperty, ColorProperty, NumericProperty, StringProperty
from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.floatlayout import FloatLayout
from kivy.uix.label import Label
from kivy.uix.textinput import TextInput

# Imported so that kv files find them by name.
from . import exercise_figure, live_plot, range_gauge, rating, sign  # noqa: F401
from .column import Column


class Words(Label):
    """Text that takes the height it needs."""

    size_sp = NumericProperty(16)


class Card(Column):
    ground = ColorProperty()


class PressButton(ButtonBehavior, Label):
    """A button of at least 48 dp (Material's least touch target), as all buttons here."""

    ground = ColorProperty()
    ink = ColorProperty()
    size_sp = NumericProperty(19)


class PlainInput(TextInput):
    """One line to type in, without a frame."""


class Field(BoxLayout):
    """The frame around a PlainInput. It is a widget of its own, since TextInput's cursor lies below what it draws."""

    focused = BooleanProperty(False)


class Notice(BoxLayout):
    """A sign and a sentence; takes no room when there is nothing to say."""

    text = StringProperty("")
    kind = StringProperty("info")
    size_sp = NumericProperty(16)
    bold = BooleanProperty(False)


class Sheet(FloatLayout):
    """Lies over a screen and takes every touch."""

    def begin(self) -> None:
        """Called before it is laid over: show nothing of the time before."""

    def on_touch_down(self, touch: MotionEvent) -> bool:
        super().on_touch_down(touch)
        return True


Builder.load_file(str(Path(__file__).with_name("common.kv")))  # once: a second time would apply every rule twice
