# mypy: allow-subclassing-any
"""The window: one screen at a time, as the phone says."""

from __future__ import annotations

from kivy.app import App
from kivy.core.window import Window
from kivy.uix.screenmanager import NoTransition, ScreenManager

from .phone import Phone
from .screens.after import AfterScreen
from .screens.exercise import ExerciseScreen
from .screens.sign_in import SignInScreen
from .screens.today import TodayScreen


def build_screens(phone: Phone) -> ScreenManager:
    """All screens, the one that the phone shows in front."""
    manager = ScreenManager(transition=NoTransition())
    manager.add_widget(SignInScreen(name="sign_in", vm=phone.sign_in, phone=phone))
    manager.add_widget(TodayScreen(name="today", vm=phone.today, phone=phone))
    manager.add_widget(ExerciseScreen(name="exercise", vm=phone.exercise, phone=phone))
    manager.add_widget(AfterScreen(name="after", vm=phone.after, phone=phone))
    manager.current = phone.screen
    phone.bind(screen=lambda _, screen: setattr(manager, "current", screen))
    return manager


class PatientApp(App):
    title = "Sinew"
    use_kivy_settings = False

    def __init__(self, phone: Phone) -> None:
        super().__init__()
        self._phone = phone

    def build(self) -> ScreenManager:
        Window.softinput_mode = "below_target"  # an on-screen keyboard pushes a field up rather than hide it
        return build_screens(self._phone)

    def on_start(self) -> None:
        self._phone.start()

    def on_stop(self) -> None:
        self._phone.stop()
