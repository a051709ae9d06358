"""A session whose gateway died is closed by the layout it was done with, and comes to the same report."""

from __future__ import annotations

import numpy as np
import pytest
from virtual_body import RATE_HZ, Heard, packets, simulated, turning

from analytics.domain.exercise import Segment
from analytics.domain.program import Dose
from analytics.domain.session import SensorRecord, SessionReport
from analytics.exercises import catalogue
from analytics.signals.samples import ImuSamples, Resolution
from analytics.simulation.body import SITTING, STANDING, rest, sit_down, stand_up
from device_gateway.clocks.sensor_clock import SensorClock
from device_gateway.live.hub import LiveHub
from device_gateway.session.replay import close_unfinished
from device_gateway.session.scoring import exercise_session
from device_gateway.storage.plan import SessionPlan
from device_gateway.storage.recorder import Recorder
from device_gateway.storage.store import Store

SWINGS = turning([45.0] * 4)
SEGMENTS = {
    "pelvis": Segment.PELVIS, "arm": Segment.RIGHT_UPPER_ARM, "forearm": Segment.RIGHT_FOREARM,
    "thigh": Segment.RIGHT_THIGH, "shank": Segment.RIGHT_SHANK,
}  # fmt: skip


def standing_up() -> list[Heard]:
    stand = (stand_up(), rest(1.0, STANDING), sit_down(), rest(1.5, SITTING))
    parts = [rest(3, SITTING), *stand, rest(5, SITTING), *stand * 5, rest(5, SITTING)]
    return simulated(parts, (SEGMENTS["thigh"], SEGMENTS["shank"]), np.random.default_rng(3))[0]


def records(worn: tuple[Segment, ...]) -> list[SensorRecord]:
    return [
        SensorRecord(
            address=segment, name=segment, segment=segment, samples_received=0, samples_lost=0, rate_hz=RATE_HZ,
            clock_skew_ppm=0.0, clock_residual_ms=1.0,
        )
        for segment in worn
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "worn", "has_angle"),
    [
        ("trunk.pelvic_tilt", ("pelvis",), True),
        ("shoulder.flexion.standing", ("arm",), True),
        ("shoulder.flexion.standing", ("forearm",), False),
        ("shoulder.pendulum", ("forearm",), False),
        ("sit_to_stand.five", ("thigh", "shank"), None),
    ],
)
async def test_replay_equals_live(gateway_store: Store, invented, code, worn, has_angle) -> None:
    segments = tuple(SEGMENTS[name] for name in worn)
    exercise = catalogue()[code]
    dose = Dose(sets=2, repetitions=2, target_excursion_deg=exercise.dose.target_excursion_deg, rest_s=1)
    plan = SessionPlan(dose=dose, limit_deg=None, simulated=True, worn=segments)
    opening = invented.opening().model_copy(update={"exercise": code})
    body = standing_up() if has_angle is None else packets(segments, SWINGS)
    before = await live(gateway_store, opening, plan, body, invented.step)
    await close_unfinished(gateway_store, await gateway_store.unfinished(), lambda: None)
    (upload,) = await gateway_store.uploads()
    after = upload.report
    assert after is not None
    assert after.cut_short
    same = {"repetitions", "sets", "calibration", "test", "placement"}
    assert rounded(after.model_dump(include=same)) == rounded(before.model_dump(include=same))
    if has_angle is None:
        assert after.test is not None
        assert after.test.measure is not None
    else:
        assert len(after.repetitions) == 4
        assert (after.calibration is not None) is has_angle


def rounded(value):
    """To a millionth: sums of floats depend on how samples were cut into packets."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, tuple):
        return tuple(map(rounded, value))
    return round(value, 6) if isinstance(value, float) else value


async def live(store: Store, opening, plan: SessionPlan, body: list[Heard], step: Resolution) -> SessionReport:
    """The session as it ran, recorded packet by packet, and the report it would have made."""
    worn = plan.worn or ()
    recorder = Recorder(opening, store, lambda: None, print, plan=plan, sensors=lambda: records(worn))
    session = exercise_session(opening, plan.dose, None, LiveHub(), worn=worn)
    clocks = {segment: SensorClock() for segment in worn}
    for segment, samples, time_s in body:
        acc, gyr = (
            np.round(values / unit) * unit
            for values, unit in ((samples.acc_m_s2, step.acc_m_s2), (samples.gyr_rad_s, step.gyr_rad_s))
        )
        clock, arrival_s = clocks[segment], float(time_s[-1]) + 0.02
        clock.observe(int(samples.sensor_time_us[-1]), arrival_s)
        rounded = ImuSamples(samples.sensor_time_us, acc, gyr)
        recorder.add(rounded, address=segment, segment=segment, resolution=step, clock=clock, now_s=arrival_s)
        session.take(segment, RATE_HZ, rounded, clock.place(samples.sensor_time_us))
    recorder.flush()
    assert await recorder.written()
    session.finish()
    await recorder.close()
    return session.report(
        ended_at=opening.started_at, sensors=records(worn), chunk_count=recorder.chunk_count,
        chunks_sha256=recorder.chunks_sha256, simulated=True,
    )  # fmt: skip
