"""/healthz and /metrics as a monitor asks for them, over a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from analytics.domain.exercise import Segment
from analytics.domain.live import SensorState
from analytics.domain.session import SensorRecord
from device_gateway.conditions import Conditions, Trouble
from device_gateway.errors import GatewayError
from device_gateway.operations.health import Health
from device_gateway.operations.status import GatewayStatus
from device_gateway.operations.stored import Stored

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
RECORD = SensorRecord(
    address="C4:64:E3:00:00:01", name="IMU", segment=Segment.RIGHT_THIGH, samples_received=1000, samples_lost=7,
    rate_hz=100, clock_skew_ppm=3.0, clock_residual_ms=2.0, clock_uncertainty_ms=4.5, connections=3,
)  # fmt: skip
STORED = Stored(
    store_bytes=4200, free_bytes=20_000, sessions_waiting=2, chunks_waiting=9, waiting_since=NOW,
    recorded_bytes=4000, program_version=4,
)  # fmt: skip
SENSORS = (SensorState(segment=Segment.RIGHT_THIGH, name="IMU", connected=True, battery_percent=80),)
ONLY_WAITS = {
    Trouble.DISK_NEARLY_FULL, Trouble.CLINIC_UNREACHABLE, Trouble.MODEL_REFUSED, Trouble.PROGRAM_REFUSED,
    Trouble.SENSORS_APART,
}  # fmt: skip
"""With these a patient exercises and is recorded as ever."""


class Monitored:
    """A gateway's status that a test may change, and who asks for it."""

    def __init__(self) -> None:
        self.register = Conditions()
        self.health = Health(self.status)
        self.port = 0

    async def status(self) -> GatewayStatus:
        return GatewayStatus(
            server_url="https://clinic.example", now=NOW, running_s=60.0, listeners=2, days_left=30, records=(RECORD,),
            stored=STORED, sensors=SENSORS, conditions=self.register.now(),
        )  # fmt: skip

    async def get(self, path: str) -> httpx2.Response:
        async with httpx2.AsyncClient(trust_env=False) as client:
            return await client.get(f"http://127.0.0.1:{self.port}{path}")


@pytest.fixture
async def monitored() -> AsyncIterator[Monitored]:
    made = Monitored()
    made.port = await made.health.start("127.0.0.1", 0)
    yield made
    await made.health.close()


async def test_it_is_fit(monitored: Monitored) -> None:
    answer = await monitored.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("trouble", Trouble)
async def test_it_is_unfit_where_a_patient_or_the_record_is_at_risk(monitored: Monitored, trouble: Trouble) -> None:
    monitored.register.set(trouble, "Do something.")
    answer = await monitored.get("/healthz")
    if trouble not in ONLY_WAITS:
        assert answer.status_code == 503
        assert answer.json() == {
            "status": "unfit",
            "conditions": [{"code": trouble.value, "sentence": "Do something."}],
        }
    else:
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_the_figures_are_what_the_status_says(monitored: Monitored) -> None:
    monitored.register.set(Trouble.DISK_FULL, "Full.")
    answer = await monitored.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    figures = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    expected = {
        ("sinew_running_seconds",): 60,
        ("sinew_listeners",): 2,
        ("sinew_store_bytes",): 4200,
        ("sinew_disk_free_bytes",): 20_000,
        ("sinew_chunk_bytes",): 4000,
        ("sinew_days_left",): 30,
        ("sinew_upload_sessions_waiting",): 2,
        ("sinew_upload_chunks_waiting",): 9,
        ("sinew_condition", "disk.full"): 1,
        ("sinew_condition", "bluetooth.off"): 0,
        ("sinew_sensor_connected", "right_thigh"): 1,
        ("sinew_sensor_battery_percent", "right_thigh"): 80,
        ("sinew_samples_received_total", "right_thigh"): 1000,
        ("sinew_samples_lost_total", "right_thigh"): 7,
        ("sinew_reconnects_total", "right_thigh"): 2,
        ("sinew_clock_uncertainty_ms", "right_thigh"): 4.5,
    }
    assert {name: figures.get(name) for name in expected} == expected
    assert figures[("process_resident_memory_bytes",)] > 10e6
    assert {labels[1] for labels in figures if labels[0] == "sinew_condition"} == {code.value for code in Trouble}
    assert "C4:64" not in answer.text


async def test_there_is_nothing_else(monitored: Monitored) -> None:
    assert (await monitored.get("/")).status_code == 404


async def test_two_cannot_have_one_port(monitored: Monitored) -> None:
    with pytest.raises(GatewayError, match=r"choose another with --health-port, or 0 to do without"):
        await Health(monitored.status).start("127.0.0.1", monitored.port)
