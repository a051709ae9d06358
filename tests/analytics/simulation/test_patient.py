"""The simulated clinic is valid, coherent, varied, and the same every time."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from statistics import median

import numpy as np
import pytest

from analytics.domain.session import FormLabel, SessionReport
from analytics.simulation.patient import SimulatedPatient, simulate_clinic

TODAY = date(2025, 6, 2)


@pytest.fixture(scope="module")
def clinic() -> list[SimulatedPatient]:
    return simulate_clinic(30, 8, TODAY, seed=1)


def test_the_same_arguments_give_the_same_clinic_and_another_seed_another(clinic: list[SimulatedPatient]) -> None:
    assert simulate_clinic(30, 8, TODAY, seed=1) == clinic
    other = simulate_clinic(30, 8, TODAY, seed=2)
    assert [p.name for p in other] != [p.name for p in clinic]


def test_patients_stand_at_day_10_to_56_and_nothing_has_happened_today(clinic: list[SimulatedPatient]) -> None:
    days = sorted((TODAY - p.surgery_on).days for p in clinic)
    assert (days[0], days[-1], len(set(days))) == (10, 56, 30)
    midnight = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC)
    for p in clinic:
        assert all(r.ended_at < midnight for r in p.reports)
        assert all(f.given_at < midnight for f in p.feedbacks)
        assert min(r.started_at.date() for r in p.reports) > p.surgery_on


def test_each_is_a_person_with_a_file(clinic: list[SimulatedPatient]) -> None:
    assert [p.id for p in clinic] == [f"sim-{k:02d}" for k in range(1, 31)]
    assert len({p.name for p in clinic}) == 30
    assert len({p.diagnosis for p in clinic}) >= 4
    assert {p.side for p in clinic} == {"left", "right"}
    assert all(60 <= p.goal_deg <= 85 for p in clinic)


def test_identifiers_are_unique_time_ordered_and_of_version_7(clinic: list[SimulatedPatient]) -> None:
    every = [r.id for p in clinic for r in p.reports] + [f.id for p in clinic for f in p.feedbacks]
    assert len(set(every)) == len(every)
    assert {identifier.version for identifier in every} == {7}
    for p in clinic:
        assert [r.id for r in p.reports] == sorted(r.id for r in p.reports)
        assert [r.started_at for r in p.reports] == sorted(r.started_at for r in p.reports)


def test_reports_say_that_they_are_simulated_and_hold_no_raw_samples(clinic: list[SimulatedPatient]) -> None:
    for report in (r for p in clinic for r in p.reports):
        assert report.simulated
        assert (report.chunk_count, report.chunks_sha256) == (0, hashlib.sha256(b"").hexdigest())
        assert report.sensors == ()
        assert SessionReport.model_validate_json(report.model_dump_json()) == report


def test_repetitions_stand_in_the_trace(clinic: list[SimulatedPatient]) -> None:
    for p in clinic:
        report = p.reports[-1]
        assert report.trace is not None
        assert report.trace.rate_hz == 5.0
        flexion = np.array(report.trace.flexion_deg)
        assert np.array_equal(flexion, np.round(flexion, 1))
        time_s = np.arange(len(flexion)) / 5.0
        assert time_s[-1] <= (report.ended_at - report.started_at).total_seconds() + 0.2
        rest_deg = float(np.median(flexion[time_s < 7]))
        for r in report.repetitions:
            assert r.start_s < r.peak_s < r.end_s
            within = flexion[(time_s >= r.start_s) & (time_s <= r.end_s)]
            assert within.min() == pytest.approx(r.peak_flexion_deg, abs=1.5)
            assert r.excursion_deg == pytest.approx(rest_deg - r.peak_flexion_deg, abs=0.6)
            steepest = np.abs(np.diff(within)).max() * 5.0
            assert r.peak_velocity_deg_s > 0.85 * steepest
        assert [r.number for r in report.repetitions] == list(range(1, len(report.repetitions) + 1))
        assert all(a.end_s < b.start_s for a, b in zip(report.repetitions, report.repetitions[1:], strict=False))


def test_form_is_mixed_and_fits_the_movement(clinic: list[SimulatedPatient]) -> None:
    every = [r for p in clinic for report in p.reports for r in report.repetitions]
    by = {label: [r for r in every if r.form.label is label] for label in FormLabel}
    assert 0.7 < len(by[FormLabel.CORRECT]) / len(every) < 0.95
    assert all(by.values())
    duration = {label: median(r.end_s - r.start_s for r in some) for label, some in by.items()}
    assert duration[FormLabel.TOO_FAST] < 0.6 * duration[FormLabel.CORRECT]
    excursion = {label: median(r.excursion_deg for r in some) for label, some in by.items()}
    assert excursion[FormLabel.LOW_AMPLITUDE] < 0.85 * excursion[FormLabel.CORRECT]
    for r in every:
        judged = r.form.label is not FormLabel.NOT_JUDGED
        assert (r.form.probability is not None) == judged
        assert (r.form.reason is None) == judged


def test_the_range_shown_follows_the_truth(clinic: list[SimulatedPatient]) -> None:
    left = []
    for p in clinic:
        for report in p.reports:
            day = (report.started_at - datetime.combine(p.surgery_on, datetime.min.time(), tzinfo=UTC)) / timedelta(
                days=1
            )
            best = sorted(r.excursion_deg for r in report.repetitions)[-3:]
            left.append(best[1] - p.truth.range_deg(day))
    usual = [x for x in left if x > -10]
    assert abs(np.mean(usual)) < 0.5
    assert np.std(usual) == pytest.approx(3.0, abs=0.4)
    assert 0.003 < 1 - len(usual) / len(left) < 0.05  # setbacks


def test_sessions_a_week_and_adherence(clinic: list[SimulatedPatient]) -> None:
    a_week = [len(p.reports) / ((TODAY - p.surgery_on).days - 3) * 7 for p in clinic]
    assert 2.3 < median(a_week) < 4.5
    assert max(a_week) - min(a_week) > 1
    assert max(len([r for r in p.reports if r.started_at.date() == d]) for p in clinic for d in {
        r.started_at.date() for r in p.reports
    }) == 1  # fmt: skip


def test_programs_grow_by_versions_that_sessions_name(clinic: list[SimulatedPatient]) -> None:
    assert max(len(p.programs) for p in clinic) >= 4
    for p in clinic:
        assert [program.version for program in p.programs] == list(range(1, len(p.programs) + 1))
        targets = [program.prescriptions[0].dose.target_excursion_deg for program in p.programs]
        assert targets == sorted(set(targets))
        limits = [r.largest_excursion_deg for program in p.programs for r in program.restrictions]
        assert max(targets) <= min([90.0, *limits])
        for report in p.reports:
            in_force = [program for program in p.programs if program.approved_at <= report.started_at]
            assert report.program_version == in_force[-1].version
            assert report.side == p.side


def test_feedback_is_the_patients_own_after_the_session_and_pain_fades(clinic: list[SimulatedPatient]) -> None:
    early, late = [], []
    for p in clinic:
        sessions = {r.id: r for r in p.reports}
        assert len({f.session_id for f in p.feedbacks}) == len(p.feedbacks)
        for f in p.feedbacks:
            ended = sessions[f.session_id].ended_at
            assert ended < f.given_at < ended + timedelta(hours=1)
            day = (f.given_at.date() - p.surgery_on).days
            (early if day <= 10 else late if day >= 25 else []).append(f.pain)
    assert median(early) >= 2
    assert median(late) <= 2
    answered = sum(len(p.feedbacks) for p in clinic) / sum(len(p.reports) for p in clinic)
    assert 0.8 < answered < 0.9


def test_some_stall_some_hurt_some_have_stopped(clinic: list[SimulatedPatient]) -> None:
    assert 2 <= sum(p.truth.stalls_on < 60 for p in clinic) <= 6
    assert 2 <= sum(bool(p.feedbacks) and p.feedbacks[-1].pain >= 6 for p in clinic) <= 7
    silent = [(TODAY - p.reports[-1].started_at.date()).days for p in clinic]
    assert 1 <= sum(days >= 8 for days in silent) <= 6


@pytest.mark.parametrize(("patients", "weeks"), [(0, 8), (5, 1), (1601, 8)])
def test_a_clinic_of_nobody_or_of_no_time_is_refused(patients: int, weeks: int) -> None:
    with pytest.raises(ValueError, match="A simulated clinic has 1 to 1600 patients"):
        simulate_clinic(patients, weeks, TODAY, seed=1)


def test_more_patients_than_first_names_still_have_names_of_their_own() -> None:
    assert len({p.name for p in simulate_clinic(90, 2, TODAY, seed=3)}) == 90
