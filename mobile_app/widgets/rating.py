# mypy: allow-subclassing-any
"""Zero to ten as eleven big buttons, with words at the ends.

A plain numeric rating in words of our own: the Borg scales' wording is licensed and not used.
"""

from __future__ import annotations

from kivy.properties import BooleanProperty, ListProperty, NumericProperty, StringProperty
from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.label import Label

NONE_CHOSEN = -1


class RatingButton(ButtonBehavior, Label):
    number = NumericProperty(0)
    chosen = BooleanProperty(False)


class Rating(BoxLayout):
    """`value` is -1 until a number was pressed; 'on_choice' is dispatched with it."""

    value = NumericProperty(NONE_CHOSEN)
    low_words = StringProperty("")
    high_words = StringProperty("")
    buttons = ListProperty([])

    __events__ = ("on_choice",)

    def on_kv_post(self, _: object) -> None:
        for number in range(11):
            button = RatingButton(number=number)
            button.bind(on_release=self._press)
            self.buttons.append(button)
            row = self.ids.upper if number <= 5 else self.ids.lower
            row.add_widget(button)
        self._show_choice()

    def on_value(self, *_: object) -> None:
        self._show_choice()

    def _show_choice(self) -> None:
        for button in self.buttons:
            button.chosen = button.number == self.value

    def _press(self, button: RatingButton) -> None:
        self.value = button.number
        self.dispatch("on_choice", button.number)

    def on_choice(self, number: int) -> None:
        """For those who bind."""
