"""Jobs as people see them, and what does them."""

import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from core.domain.accounts import Identity, Role
from core.domain.errors import BadInputError, DatasetError, JobCancelledError, NotAllowedError
from core.services.jobs.job_queue import SILENCE, JobQueue, next_jobs
from core.services.jobs.job_worker import JobRun, JobWorker, WorkerLog
from core.services.jobs.jobs import LOG_FILE, JobService
from core.store.jobs import Job, JobState
from core.store.unit_of_work import Store
from tests.services.recording import Clock, Recorded, add_user, recording_store


class Place:
    """A store with jobs, and somebody who may start them."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.clock = Clock()
        self.recorded = Recorded()
        self.folder = folder
        self.store: Store = recording_store(engine, self.clock, self.recorded)
        user = add_user(self.store, "engineer", None, Role.ML_ENGINEER)
        self.engineer = Identity(user.user_id, "engineer", Role.ML_ENGINEER)
        self.jobs = JobService(self.store, folder, kinds=["count"])
        self.passed_s = 0.0
        self.queue = JobQueue(self.store, clock=lambda: self.passed_s)

    def start(self, **payload: Any) -> str:
        """A queued job; each is a second younger than the one before."""
        self.clock.pass_(seconds=1)
        return self.jobs.start(self.engineer, "count", payload)

    def find(self, job_id: str) -> Job:
        """The job as it is now."""
        return self.jobs.find(self.engineer, job_id)

    def work(self, job_id: str, run: JobRun, **more: Any) -> JobState:
        """Do it here and now."""
        return JobWorker(self.store, self.folder, lambda _kind: run, **more).work(job_id)


@pytest.fixture
def place(engine: Engine, tmp_path: Path) -> Place:
    return Place(engine, tmp_path / "jobs")


def count(job: Job, log: WorkerLog) -> dict[str, int]:
    """Counts to the payload's `to`, from where the folder says it was."""
    kept = log.folder / "reached"
    for number in range(int(kept.read_text()) if kept.exists() else 0, job.payload["to"]):
        if log.is_cancelled():
            raise JobCancelledError(f"stopped at {number}")
        kept.write_text(str(number + 1))
        log.progress(number + 1, job.payload["to"], f"at {number + 1}")
    return {"reached": int(kept.read_text())}


def test_a_job_is_started_done_and_tells_its_result(place: Place) -> None:
    job_id = place.start(to=3)
    assert place.work(job_id, count) is JobState.DONE
    job = place.find(job_id)
    assert (job.state, job.progress, job.result) == (JobState.DONE, 1.0, {"reached": 3})
    assert job.started_by == place.engineer.user_id
    assert place.recorded.actions() == ["job.started", "job.ended"]


def test_an_unknown_kind_is_refused(place: Place) -> None:
    with pytest.raises(BadInputError, match="no kind of job 'dance', only count"):
        place.jobs.start(place.engineer, "dance", {})


@pytest.mark.parametrize("role", [Role.INSPECTOR, Role.REVIEWER, Role.ANNOTATOR, Role.GUEST])
def test_only_engineers_and_admins_start_and_stop(place: Place, role: Role) -> None:
    job_id = place.start(to=1)
    somebody = Identity("u-0", "somebody", role)
    for act in (
        lambda: place.jobs.start(somebody, "count", {}),
        lambda: place.jobs.cancel(somebody, job_id),
        lambda: place.jobs.resume(somebody, job_id),
    ):
        with pytest.raises(NotAllowedError):
            act()
    assert place.find(job_id).state is JobState.QUEUED


def test_a_waiting_job_is_stopped_at_once_and_never_done(place: Place) -> None:
    job_id = place.start(to=3)
    place.jobs.cancel(place.engineer, job_id)
    assert place.find(job_id).state is JobState.CANCELLED
    with pytest.raises(BadInputError, match="not queued"):
        place.work(job_id, count)
    with pytest.raises(BadInputError, match="cancelled already"):
        place.jobs.cancel(place.engineer, job_id)


def test_a_running_job_hears_that_it_should_stop_and_goes_on_later_from_there(place: Place) -> None:
    job_id = place.start(to=5)

    def cancelled_at_2(job: Job, log: WorkerLog) -> dict[str, int]:
        (log.folder / "reached").write_text("2")
        place.jobs.cancel(place.engineer, job.job_id)
        while not log.is_cancelled():
            time.sleep(0.01)
        return count(job, log)

    assert place.work(job_id, cancelled_at_2, beat_every_s=0.01) is JobState.CANCELLED
    stopped = place.find(job_id)
    assert (stopped.state, stopped.message) == (JobState.CANCELLED, "stopped at 2")
    place.jobs.resume(place.engineer, job_id)
    assert place.find(job_id).state is JobState.QUEUED
    reached: list[str] = []
    assert place.work(
        job_id, lambda job, log: reached.append((log.folder / "reached").read_text()) or {}
    ) is (JobState.DONE)
    assert reached == ["2"]


def test_a_worker_that_is_told_to_end_leaves_an_interrupted_job(place: Place) -> None:
    job_id = place.start(to=5)
    worker = JobWorker(place.store, place.folder, lambda _kind: count)
    worker.stop()
    assert worker.work(job_id) is JobState.INTERRUPTED
    assert place.find(job_id).state.is_resumable


@pytest.mark.parametrize(
    ("error", "message"),
    [(DatasetError("no box is left"), "no box is left"), (ValueError("odd"), "ValueError: odd")],
)
def test_a_job_that_fails_says_why(place: Place, error: Exception, message: str) -> None:
    def fail(_job: Job, _log: WorkerLog) -> dict[str, int]:
        raise error

    job_id = place.start()
    assert place.work(job_id, fail) is JobState.FAILED
    assert place.find(job_id).message == message


def test_one_job_a_device_runs_and_the_rest_waits_in_order(place: Place) -> None:
    first, second = place.start(to=1), place.start(to=1)
    on_gpu = place.jobs.start(place.engineer, "count", {}, device="cuda")
    assert [job.job_id for job in next_jobs(place.queue.active())] == [first, on_gpu]
    with place.store.write() as work:
        assert work.jobs.claim(first) is not None
    assert [job.job_id for job in next_jobs(place.queue.active())] == [on_gpu]
    with pytest.raises(BadInputError, match="another one runs on its device"):
        place.work(second, count)
    assert place.jobs.ahead_of(place.engineer, place.find(second)) == 1
    assert place.jobs.ahead_of(place.engineer, place.find(on_gpu)) == 0


def test_the_time_left_is_judged_by_the_pace(place: Place) -> None:
    seen: list[Job] = []

    def run(job: Job, log: WorkerLog) -> dict[str, int]:
        log.progress(1, 10, "")
        time.sleep(0.6)
        log.progress(4, 10, "")
        seen.append(place.find(job.job_id))
        return {}

    place.work(place.start(), run)
    assert seen[0].left_s == pytest.approx(1.2, rel=0.2)


def test_a_worker_that_vanished_leaves_an_interrupted_job(place: Place) -> None:
    job_id = place.start(to=1)
    with place.store.write() as work:
        work.jobs.claim(job_id)
    assert place.queue.end_silent() == []
    place.clock.pass_(seconds=SILENCE.total_seconds() + 1)
    place.passed_s += SILENCE.total_seconds() + 1
    assert place.queue.end_silent() == [job_id]
    assert place.find(job_id).state is JobState.INTERRUPTED
    assert next_jobs(place.queue.active()) == []


def test_a_job_with_a_sign_of_life_is_left_alone(place: Place) -> None:
    job_id = place.start(to=1)
    with place.store.write() as work:
        work.jobs.claim(job_id)
    assert place.queue.end_silent() == []
    place.clock.pass_(seconds=SILENCE.total_seconds() + 1)
    place.passed_s += SILENCE.total_seconds() + 1
    with place.store.write() as work:
        work.jobs.beat(job_id)
    assert place.queue.end_silent() == []


@pytest.mark.parametrize("step", [timedelta(days=1), timedelta(hours=-1)])
def test_a_date_that_is_set_ends_no_job_and_keeps_none_alive(place: Place, step: timedelta) -> None:
    job_id = place.start(to=1)
    with place.store.write() as work:
        work.jobs.claim(job_id)
    assert place.queue.end_silent() == []
    place.clock.now += step
    place.passed_s += 1
    assert place.queue.end_silent() == [], "the worker may be about to say something"
    place.passed_s += SILENCE.total_seconds() + 1
    assert place.queue.end_silent() == [job_id]


def test_a_working_job_beats(place: Place) -> None:
    started = threading.Event()

    def run(job: Job, _log: WorkerLog) -> dict[str, int]:
        before = place.find(job.job_id).heartbeat_at
        place.clock.pass_(seconds=5)
        deadline = time.monotonic() + 5
        while place.find(job.job_id).heartbeat_at == before and time.monotonic() < deadline:
            time.sleep(0.01)
        if place.find(job.job_id).heartbeat_at != before:
            started.set()
        return {}

    place.work(place.start(), run, beat_every_s=0.01)
    assert started.is_set()


@pytest.mark.parametrize(
    ("is_claimed", "is_cancel_wanted", "expected"),
    [
        (False, False, JobState.FAILED),
        (True, False, JobState.INTERRUPTED),
        (True, True, JobState.CANCELLED),
    ],
)
def test_what_a_job_is_when_its_process_is_gone(
    place: Place, is_claimed: bool, is_cancel_wanted: bool, expected: JobState
) -> None:
    job_id = place.start(to=1)
    with place.store.write() as work:
        if is_claimed:
            work.jobs.claim(job_id)
        if is_cancel_wanted:
            work.jobs.ask_to_stop(job_id)
    assert place.queue.worker_ended(job_id, begun_before=None) is expected
    assert place.find(job_id).state is expected


def test_a_job_that_was_resumed_before_its_old_process_was_gone_stays_queued(place: Place) -> None:
    job_id = place.start(to=1)
    with place.store.write() as work:
        work.jobs.claim(job_id)
        work.jobs.move(job_id, JobState.CANCELLED)
    place.jobs.resume(place.engineer, job_id)
    assert place.queue.worker_ended(job_id, begun_before=None) is JobState.QUEUED


def test_the_end_of_the_log_is_shown(place: Place) -> None:
    job_id = place.start(to=1)
    assert place.jobs.log_tail(place.engineer, job_id) == []
    folder = place.jobs.folder_of(job_id)
    folder.mkdir(parents=True)
    (folder / LOG_FILE).write_text("\n".join(f"line {n}" for n in range(5000)))
    assert place.jobs.log_tail(place.engineer, job_id, 2) == ["line 4998", "line 4999"]


@pytest.mark.parametrize("name", ["", "../../etc", "ABC", "a/b"])
def test_no_other_folder_can_be_reached(place: Place, name: str) -> None:
    with pytest.raises(BadInputError, match="there is no job"):
        place.jobs.folder_of(name)
