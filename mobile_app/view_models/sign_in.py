# mypy: allow-subclassing-any
"""Signing in: two fields, one button, one sentence when it fails."""

from __future__ import annotations

from collections.abc import Callable

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, StringProperty

from mobile_app.account import Account
from mobile_app.clients.clinic import Clinic, ClinicError
from mobile_app.tasks import Tasks


class SignInViewModel(EventDispatcher):
    login = StringProperty("")
    password = StringProperty("")
    message = StringProperty("", doc="what went wrong and what to do")
    notice = StringProperty("", doc="why the patient is asked to sign in")
    busy = BooleanProperty(False)

    def __init__(self, clinic: Clinic, tasks: Tasks, on_signed_in: Callable[[Account], None]) -> None:
        super().__init__()
        self._clinic = clinic
        self._tasks = tasks
        self._on_signed_in = on_signed_in

    def submit(self) -> None:
        if self.busy:
            return
        if not self.login.strip() or not self.password:
            self.message = "Please type your login and your password."
            return
        self.busy, self.message = True, ""
        self._tasks.start(self._sign_in())

    async def _sign_in(self) -> None:
        try:
            signed_in = await self._clinic.sign_in(self.login.strip(), self.password)
        except ClinicError as error:
            self.message = str(error)
            return
        finally:
            self.busy = False
        if signed_in.patient_id is None:
            self.message = "This login is not a patient's. Clinicians use the clinic's web page."
            return
        self.password = ""
        self.notice = ""
        self._on_signed_in(Account(patient_id=signed_in.patient_id, name=signed_in.name, token=signed_in.token))
