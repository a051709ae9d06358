"""How a sensor sat last time is remembered, and somebody is told where it sits otherwise today."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import numpy as np

from analytics.domain.exercise import Segment, Side
from analytics.domain.live import CueEvent
from analytics.domain.program import Dose
from analytics.domain.session import SensorRecord, SessionOpening
from analytics.signals.samples import ImuSamples
from analytics.simulation.body import repeat, rest, simulate
from analytics.simulation.body.catalogue import MOVEMENT_OF
from device_gateway.live.hub import LiveHub
from device_gateway.session.earlier import MOST_WORN, EarlierSessions
from device_gateway.session.scoring import exercise_session

SHANK, ADDRESS = Segment.RIGHT_SHANK, "AA:BB:CC:DD:EE:02"
CODE, AT = "knee.curl.prone", datetime(2026, 3, 2, 9, tzinfo=UTC)


class Heard(LiveHub):
    """Nobody listens but this test."""

    def __init__(self) -> None:
        super().__init__()
        self.cues: list[str] = []

    def publish(self, event) -> None:
        if isinstance(event, CueEvent):
            self.cues.append(event.cue.text)


def done(last_up=None, *, upside_down=False):
    """A session of one shank sensor: its report, and what was said."""
    movement = MOVEMENT_OF[CODE]
    rng = np.random.default_rng(3)
    body = simulate(
        [rest(3.0, movement.position), repeat(movement, 3, rng), rest(2.0, movement.position)], [SHANK], rng
    )
    acc, gyr = body.sensors[SHANK]
    turned = np.array([1.0, -1.0, -1.0]) if upside_down else np.ones(3)
    opening = SessionOpening(
        id=UUID(int=1), patient_id="p", program_version=1, exercise=CODE, side=Side.RIGHT, started_at=AT
    )
    hub = Heard()
    dose = Dose(sets=1, repetitions=10, target_excursion_deg=60.0)
    session = exercise_session(opening, dose, None, hub, worn=[SHANK], last_up=last_up)
    for first in range(0, len(body.time_s), 20):
        part = slice(first, first + 20)
        time_s = body.time_s[part]
        samples = ImuSamples(np.round(time_s * 1e6).astype(np.int64), acc[part] * turned, gyr[part] * turned)
        session.take(SHANK, body.rate_hz, samples, time_s)
    session.finish()
    sensor = SensorRecord(
        address=ADDRESS, name="s", segment=SHANK, samples_received=1, samples_lost=0, rate_hz=100.0,
        clock_skew_ppm=0.0, clock_residual_ms=0.0,
    )  # fmt: skip
    report = session.report(ended_at=AT, sensors=[sensor], chunk_count=0, chunks_sha256="", simulated=True)
    return report, hub.cues


def test_a_sensor_that_sits_as_last_time_is_not_talked_about():
    first, said = done()
    assert len(first.repetitions) == 3
    assert first.sensors[0].up is not None
    earlier = EarlierSessions().and_then(first, AT.date())
    last_up = earlier.last_up({ADDRESS: SHANK}, CODE)
    assert last_up == {SHANK: first.sensors[0].up}
    assert said == done(last_up)[1]


def test_a_sensor_strapped_on_the_other_way_up_is_told_and_measures_the_same():
    first, _ = done()
    last_up = EarlierSessions().and_then(first, AT.date()).last_up({ADDRESS: SHANK}, CODE)
    today, said = done(last_up, upside_down=True)
    assert any("sits the other way up than last time" in text for text in said)
    for one, before in zip(today.repetitions, first.repetitions, strict=True):
        assert abs(one.excursion_deg - before.excursion_deg) < 1.0


def test_another_sensor_exercise_or_place_is_not_compared():
    earlier = EarlierSessions().and_then(done()[0], AT.date())
    assert earlier.last_up({"other": SHANK}, CODE) == {}
    assert earlier.last_up({ADDRESS: Segment.LEFT_SHANK}, CODE) == {}
    assert earlier.last_up({ADDRESS: SHANK}, "knee.squat") == {}


def test_the_newest_way_counts_and_memory_has_an_end():
    report, _ = done()
    sensor = report.sensors[0]
    again = report.model_copy(update={"sensors": (sensor.model_copy(update={"up": (1.0, 0.0, 0.0)}),)})
    earlier = EarlierSessions().and_then(report, AT.date()).and_then(again, AT.date())
    assert earlier.last_up({ADDRESS: SHANK}, CODE) == {SHANK: (1.0, 0.0, 0.0)}
    many = report.model_copy(
        update={"sensors": tuple(sensor.model_copy(update={"address": str(k)}) for k in range(MOST_WORN + 5))}
    )
    assert len(earlier.and_then(many, AT.date()).worn) == MOST_WORN
