"""A phone without its window, and what its patient does with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

from patient_scenes import PASSWORD, until

from analytics.domain.live import Command
from mobile_app.account import MemoryTokens
from mobile_app.clients.clinic import Clinic
from mobile_app.clients.follow import Link
from mobile_app.phone import Phone
from mobile_app.store import Store


class Pocket:
    """A phone that can be taken out again after the app has ended: the store's folder stays."""

    def __init__(self, folder, clinic_url) -> None:
        self.folder, self.url = folder, clinic_url
        self.later = timedelta()

    async def __aenter__(self) -> Phone:
        self.store = Store.open(self.folder, now=datetime.now(UTC))
        self.clinic = await Clinic(self.url, timeout_s=5).__aenter__()
        self.phone = Phone(
            self.store, self.clinic, MemoryTokens(), now=lambda: datetime.now(UTC) + self.later, random=Random(1)
        )
        self.phone.start()
        return self.phone

    async def __aexit__(self, *_) -> None:
        await self.phone.close()
        await self.clinic.__aexit__(None, None, None)
        self.store.close()
        assert self.phone.tasks.failures == []


async def sign_in(phone: Phone, login: str = "maria") -> None:
    phone.sign_in.login, phone.sign_in.password = login, PASSWORD
    phone.sign_in.submit()
    await until(lambda: phone.screen == "today")


async def begin_exercise(phone: Phone) -> None:
    await until(lambda: phone.today.can_start)
    phone.start_exercise()
    await until(lambda: phone.exercise.link is Link.CONNECTED)


def answer_well(phone: Phone) -> None:
    """Every question before exercising: no red flag, a pain of 1, swollen as before."""
    asked = phone.exercise.check_in
    while asked.stage:
        if asked.stage == "pain":
            asked.rate(1)
        else:
            asked.choose(next(option for option in asked.options if option.startswith("No")))


async def heard(home_gateway) -> list[Command]:
    await until(lambda: home_gateway.commands)
    return home_gateway.commands
