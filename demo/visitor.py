"""The physiotherapist of the demo, who looks at what the clinic has."""

from __future__ import annotations

from uuid import UUID

import httpx2

from demo.clinic_notes import Login
from demo.errors import DemoError
from server.patients.words import PatientOverview, SessionView


class Visitor:
    """Somebody signed in, looking through the API."""

    def __init__(self, url: str, name: str, token: str) -> None:
        self.name = name
        self.headers = {"Authorization": f"Bearer {token}"}
        self._url = f"{url}/api/v1"

    @classmethod
    async def sign_in(cls, url: str, login: Login) -> Visitor:
        async with httpx2.AsyncClient(trust_env=False) as client:
            credentials = {"login": login.login, "password": login.password}
            answer = await client.post(f"{url}/api/v1/sign-in", json=credentials)
        if not answer.is_success:
            raise DemoError(
                f"The server does not accept the demo's own login ({answer.json()['detail']}); choose another --home."
            )
        return cls(url, answer.json()["name"], answer.json()["token"])

    async def patient(self, patient_id: str) -> PatientOverview:
        return PatientOverview.model_validate_json(await self._get(f"/patients/{patient_id}"))

    async def session(self, session_id: UUID) -> SessionView:
        return SessionView.model_validate_json(await self._get(f"/sessions/{session_id}"))

    async def _get(self, path: str) -> bytes:
        async with httpx2.AsyncClient(trust_env=False, headers=self.headers) as client:
            answer = await client.get(self._url + path)
        if not answer.is_success:
            raise DemoError(f"The server answered {answer.status_code} to {path}: {answer.text}")
        return answer.content
