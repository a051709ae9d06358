"""The gateway's figures in Prometheus' format. Labels are body segments and condition codes, never addresses."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from analytics.domain.session import SensorRecord
from device_gateway.conditions import Trouble

from .status import GatewayStatus

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


def exposition(status: GatewayStatus) -> bytes:
    """All figures as of `status`, with what the kernel says of this process (memory, processor time, open files)."""
    registry = CollectorRegistry()
    registry.register(_Figures(status))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


class _Figures(Collector):
    def __init__(self, status: GatewayStatus) -> None:
        self._status = status

    def collect(self) -> Iterator[Metric]:
        status = self._status
        yield _gauge("running_seconds", "since the gateway started", status.running_s or 0.0)
        yield _gauge("listeners", "phones and room displays connected", status.listeners)
        if status.stored is not None:
            stored = status.stored
            yield _gauge("store_bytes", "of the gateway's file", stored.store_bytes)
            yield _gauge("disk_free_bytes", "of the disk it lies on", stored.free_bytes)
            yield _gauge("chunk_bytes", "of samples kept", stored.recorded_bytes)
            yield _gauge("upload_sessions_waiting", "not wholly at the clinic", stored.sessions_waiting)
            yield _gauge("upload_chunks_waiting", "not at the clinic", stored.chunks_waiting)
        if status.days_left is not None:
            yield _gauge("days_left", "of exercising that fit on the disk", status.days_left)
        conditions = GaugeMetricFamily("sinew_condition", "1 while it is not well", labels=["code"])
        standing = {condition.code for condition in status.conditions}
        for trouble in Trouble:
            conditions.add_metric([trouble.value], float(trouble.value in standing))
        yield conditions
        connected = GaugeMetricFamily("sinew_sensor_connected", "1 while it streams", labels=["segment"])
        battery = GaugeMetricFamily("sinew_sensor_battery_percent", "as the sensor tells", labels=["segment"])
        for sensor in status.sensors:
            connected.add_metric([sensor.segment], float(sensor.connected))
            if sensor.battery_percent is not None:
                battery.add_metric([sensor.segment], sensor.battery_percent)
        yield connected
        yield battery
        yield from _sensors(status.records)


def _sensors(records: tuple[SensorRecord, ...]) -> Iterator[Metric]:
    received = CounterMetricFamily("sinew_samples_received", "in the running session", labels=["segment"])
    lost = CounterMetricFamily("sinew_samples_lost", "in the running session", labels=["segment"])
    reconnects = CounterMetricFamily("sinew_reconnects", "in the running session", labels=["segment"])
    uncertainty = GaugeMetricFamily("sinew_clock_uncertainty_ms", "of a sample's time, 95 %", labels=["segment"])
    for record in records:
        received.add_metric([record.segment], record.samples_received)
        lost.add_metric([record.segment], record.samples_lost)
        reconnects.add_metric([record.segment], max(0, record.connections - 1))
        if record.clock_uncertainty_ms is not None:
            uncertainty.add_metric([record.segment], record.clock_uncertainty_ms)
    yield from (received, lost, reconnects, uncertainty)


def _gauge(name: str, documentation: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"sinew_{name}", documentation, value=value)
