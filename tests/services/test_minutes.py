"""Figures of each minute: exact counts, times within a quarter, and files that survive a crash."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.services.operations.minutes import KEPT, Minute, MinuteFiles, Tally, Times, merged

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@given(st.lists(st.floats(0.001, 100), min_size=1), st.floats(0.01, 1))
def test_a_quantile_is_right_within_a_quarter(seconds: list[float], share: float) -> None:
    times = Times()
    for one in seconds:
        times.add(one)
    ordered = sorted(seconds)
    exact = next(one for i, one in enumerate(ordered, 1) if i >= share * len(ordered))
    found = times.quantile(share)
    assert found is not None
    assert exact * (1 - 1e-6) <= found <= exact * 1.25 * (1 + 1e-6)


def test_of_nothing_there_is_no_quantile() -> None:
    assert Times().quantile(0.5) is None


def test_what_was_taken_is_counted_no_more() -> None:
    tally = Tally()
    tally.answered("api detect", 200, 0.5)
    tally.answered("api detect", 503, 0.1)
    tally.ran("history", 0.02)
    tally.read("weld", 1.0, is_strange=True)
    minute = tally.take(NOON + timedelta(seconds=59), {"analysis_queue": 3})
    assert minute.at == NOON
    assert {what: (one.n, one.n_failed) for what, one in minute.times.items()} == {
        "answer api detect": (2, 1),
        "run history": (1, 0),
        "read weld": (1, 1),
    }
    assert minute.levels == {"analysis_queue": 3}
    assert tally.take(NOON, {}).times == {}


def test_a_restart_loses_no_minute_and_a_line_cut_off_costs_that_line_only(tmp_path: Path) -> None:
    for number in range(3):
        files = MinuteFiles(tmp_path)  # a process each
        times = {"run history": Times(2, 0, Counter({5: 2}))}
        files.append(Minute(NOON + timedelta(minutes=number), times, {"analysis_queue": number}))
        if number == 1:
            (day,) = tmp_path.glob("*")
            day.write_bytes(day.read_bytes()[:-20])
    found = MinuteFiles(tmp_path).since(NOON)
    assert [minute.levels["analysis_queue"] for minute in found] == [0, 2]
    assert found[0].times["run history"] == Times(2, 0, Counter({5: 2}))


def test_files_are_bounded_to_two_days(tmp_path: Path) -> None:
    files = MinuteFiles(tmp_path)
    for day in range(5):
        files.append(Minute(NOON + timedelta(days=day), {}, {}))
    assert [path.stem for path in sorted(tmp_path.glob("*"))] == ["2026-05-07", "2026-05-08"]
    newest = NOON + timedelta(days=4)
    assert [minute.at for minute in files.since(newest - KEPT)] == [newest - KEPT, newest]
    assert files.since(newest) == [Minute(newest, {}, {})]


def test_merged_times_are_those_of_all() -> None:
    assert merged([Times(2, 1, Counter({1: 2})), Times(1, 0, Counter({1: 1}))]) == Times(
        3, 1, Counter({1: 3})
    )


def test_a_folder_that_is_not_there_yet_has_no_minutes(tmp_path: Path) -> None:
    assert MinuteFiles(tmp_path / "figures").since(NOON) == []


@pytest.mark.parametrize(("seconds", "place"), [(0.0, 0), (0.001, 0), (0.00125, 1), (0.00126, 2)])
def test_bounds_of_classes_belong_to_them(seconds: float, place: int) -> None:
    times = Times()
    times.add(seconds)
    assert times.classes == {place: 1}
