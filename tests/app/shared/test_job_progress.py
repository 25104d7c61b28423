"""What a job looks like."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.shared.job_progress import duration_words, job_html
from core.store.jobs import Job, JobState

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
JOB = Job(
    job_id="a" * 32,
    kind="retrain",
    state=JobState.RUNNING,
    progress=0.42,
    message="step 42 of 100",
    payload={},
    device="cpu",
    created_at=NOW - timedelta(minutes=10),
    updated_at=NOW - timedelta(seconds=20),
    started_at=NOW - timedelta(minutes=5),
    left_s=140.0,
)


def shown(**changes: object) -> str:
    return job_html(replace(JOB, **changes), title="weld v1 on data version 1", ahead=2, now=NOW)


def test_a_running_job_tells_how_far_it_is_and_how_long_it_still_takes() -> None:
    html = shown()
    assert "runs on cpu" in html
    assert 'aria-valuenow="42"' in html
    assert "2 min left" in html
    assert "step 42 of 100" in html


def test_what_is_not_known_is_not_made_up() -> None:
    assert "time left not known yet" in shown(left_s=None)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": JobState.QUEUED}, "waits for cpu, 2 before it"),
        ({"is_cancel_wanted": True}, "runs (stopping)"),
        ({"state": JobState.DONE, "progress": 1.0}, "after 5 min"),
        ({"state": JobState.INTERRUPTED}, "interrupted"),
        ({"state": JobState.FAILED, "message": "the disk <is> full"}, "the disk &lt;is&gt; full"),
    ],
)
def test_every_state_says_so_in_words(changes: dict[str, object], words: str) -> None:
    assert words in shown(**changes)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-3, "1 s"), (0.4, "1 s"), (59.4, "59 s"), (60, "1 min"), (3599, "60 min"), (7800, "2 h 10 min")],
)
def test_durations_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert duration_words(seconds) == words
