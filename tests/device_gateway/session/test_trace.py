"""The angle for drawing: an even rate, and silence drawn as silence."""

from __future__ import annotations

import numpy as np
import pytest

from device_gateway.session.trace import TraceCollector


def test_nothing_measured_is_no_trace() -> None:
    assert TraceCollector().trace() is None


def test_a_line_stays_a_line_at_ten_hertz() -> None:
    collector = TraceCollector()
    for time_s in np.arange(2.0, 7.0, 0.04):
        collector.add(float(time_s), float(10 * time_s))
    trace = collector.trace()
    assert trace is not None
    assert (trace.start_s, trace.rate_hz) == (2.0, 10.0)
    assert trace.flexion_deg == pytest.approx([20 + k for k in range(50)], abs=0.01)


def test_a_silent_sensor_leaves_a_gap() -> None:
    collector = TraceCollector()
    for time_s in [*np.arange(0, 1.01, 0.05), *np.arange(3, 4.01, 0.05)]:
        collector.add(float(time_s), 50.0)
    trace = collector.trace()
    assert trace is not None
    drawn = [value is not None for value in trace.flexion_deg]
    assert drawn == [True] * 11 + [False] * 19 + [True] * 11


def test_one_angle_is_a_trace_of_one() -> None:
    collector = TraceCollector()
    collector.add(1.5, 80.0)
    trace = collector.trace()
    assert trace is not None
    assert trace.flexion_deg == (80.0,)
