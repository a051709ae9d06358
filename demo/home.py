"""A patient's home in the demo: a real gateway, with virtual sensors on the patient."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from analytics.domain.exercise import Exercise, Side
from analytics.domain.session import SessionReport
from demo.body import Body, SensorKind
from demo.errors import DemoError
from demo.listener import Listener
from demo.motion import Motion
from device_gateway.app import Gateway
from device_gateway.clocks.clock import Clock
from device_gateway.settings import GatewaySettings
from mobile_app.clients.clinic import GatewayAddress

PROGRESS_EVERY_S = 2.0


@contextlib.asynccontextmanager
async def patient_home(
    folder: Path,
    server_url: str,
    claim_code: str | None,
    *,
    exercise: Exercise,
    side: Side,
    speed: float,
    port: int = 0,
    sensors: SensorKind | None = None,
) -> AsyncIterator[tuple[Gateway, Body]]:
    """A gateway that is up and belongs to its patient, and the patient's body."""
    settings = GatewaySettings(
        home=folder, server_url=server_url, claim_code=claim_code, name="Virtual gateway", port=port, simulated=True
    )
    async with Body(exercise, side, speed, sensors or SensorKind()) as body:
        gateway = Gateway(
            settings,
            sensors=body.segments,
            radio=body.radio,
            clock=Clock(speed),
            rng=random.Random(),  # noqa: S311
        )
        await gateway.start()
        try:
            yield gateway, body
        finally:
            await gateway.close()


async def exercise_once(
    gateway: Gateway, body: Body, motion: Motion, speed: float, progress: Callable[[str], None]
) -> tuple[SessionReport, Listener]:
    """One session from the first sample to the report, followed by a listener on the live channel."""
    listener = Listener(
        GatewayAddress(
            live_url=gateway.live_url,
            certificate_sha256=gateway.certificate_sha256,
            live_token=gateway.live_token,
        ),
        body.taken_at,
    )
    await body.wear(motion)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(listener.run())
        await listener.joined.wait()
        await gateway.start_session()
        reporting = tasks.create_task(_report_progress(listener, motion.duration_s / speed, progress))
        await body.played()
        reporting.cancel()
        report = await gateway.finish_session()
        try:
            await asyncio.wait_for(listener.finished.wait(), 10)
        except TimeoutError:
            raise DemoError("The live channel did not tell that the session finished.") from None
    return report, listener


async def upload(gateway: Gateway, patience_s: float) -> None:
    """Wait until everything recorded is at the clinic. Raises DemoError, since then the gateway is about to end."""
    if not await gateway.drain(patience_s):
        raise DemoError(
            " ".join(
                [
                    f"Not everything recorded reached the clinic within {patience_s:.0f} s.",
                    *await gateway.problems(),
                    "This program ends now, and what waits in memory is lost; what is on the disk goes up when it is "
                    "started again on the same folder.",
                ]
            )
        )


async def _report_progress(listener: Listener, duration_s: float, progress: Callable[[str], None]) -> None:
    elapsed_s = 0.0
    while True:
        await asyncio.sleep(PROGRESS_EVERY_S)
        elapsed_s += PROGRESS_EVERY_S
        progress(f"  {min(elapsed_s, duration_s):5.0f} of {duration_s:.0f} s, {listener.repetitions} repetitions")
