"""The thread that starts workers, with real processes."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from app.web.job_supervisor import JobSupervisor
from core.cli.jobs import TAKEN
from core.domain.accounts import COMMAND_LINE
from core.services.jobs.job_queue import JobQueue
from core.services.jobs.jobs import LOG_FILE, JobService
from core.store.jobs import JobState
from core.store.unit_of_work import Store
from tests.records import new_store

_SLEEP = "import time; print('here', flush=True); time.sleep(60)"
_DIE = "import sys; sys.exit('no such file')"


@pytest.fixture
def store(engine: Engine) -> Store:
    return new_store(engine)


@pytest.fixture
def jobs(store: Store, tmp_path: Path) -> JobService:
    return JobService(store, tmp_path / "jobs", kinds=["sleep"])


@pytest.fixture
def make_keeper(store: Store, jobs: JobService, tmp_path: Path) -> Iterator[Callable[[str], JobSupervisor]]:
    made: list[JobSupervisor] = []

    def make(script: str) -> JobSupervisor:
        queue = JobQueue(store)
        keeper = JobSupervisor(queue, jobs.folder_of, tmp_path, lambda _job: [sys.executable, "-c", script])
        made.append(keeper)
        return keeper

    yield make
    for keeper in made:
        keeper.close()


def wait_for(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def log_of(jobs: JobService, job_id: str) -> str:
    path = jobs.folder_of(job_id) / LOG_FILE
    return path.read_text() if path.is_file() else ""


def test_a_worker_that_dies_before_it_begins_leaves_a_failed_job_and_its_last_words(
    make_keeper: Callable[[str], JobSupervisor], jobs: JobService
) -> None:
    job_id = jobs.start(COMMAND_LINE, "sleep", {})
    keeper = make_keeper(_DIE)

    def has_failed() -> bool:
        keeper.look()
        return jobs.find(COMMAND_LINE, job_id).state is JobState.FAILED

    wait_for(has_failed)
    assert "no such file" in log_of(jobs, job_id)
    assert "before it began" in jobs.find(COMMAND_LINE, job_id).message


def test_one_worker_a_device_and_closing_leaves_what_can_be_resumed(
    make_keeper: Callable[[str], JobSupervisor], jobs: JobService, store: Store
) -> None:
    first = jobs.start(COMMAND_LINE, "sleep", {})
    second = jobs.start(COMMAND_LINE, "sleep", {})
    keeper = make_keeper(_SLEEP)
    keeper.look()
    keeper.look()
    wait_for(lambda: "here" in log_of(jobs, first))
    assert log_of(jobs, second) == ""
    with store.write() as work:
        work.jobs.claim(first)
    keeper.close()
    assert jobs.find(COMMAND_LINE, first).state is JobState.INTERRUPTED
    assert jobs.find(COMMAND_LINE, second).state is JobState.QUEUED
    jobs.resume(COMMAND_LINE, first)
    assert jobs.find(COMMAND_LINE, first).state is JobState.QUEUED


def test_a_worker_that_does_not_hear_is_ended(
    make_keeper: Callable[[str], JobSupervisor],
    jobs: JobService,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.web.job_supervisor._PATIENCE_S", -1.0)
    job_id = jobs.start(COMMAND_LINE, "sleep", {})
    keeper = make_keeper(_SLEEP)
    keeper.look()
    with store.write() as work:
        work.jobs.claim(job_id)
    jobs.cancel(COMMAND_LINE, job_id)

    def is_cancelled() -> bool:
        keeper.look()
        return jobs.find(COMMAND_LINE, job_id).state is JobState.CANCELLED

    wait_for(is_cancelled)


def test_a_job_that_another_worker_took_is_left_as_it_is_and_tried_again(
    make_keeper: Callable[[str], JobSupervisor], jobs: JobService
) -> None:
    job_id = jobs.start(COMMAND_LINE, "sleep", {})
    keeper = make_keeper(f"import sys; print('taken', flush=True); sys.exit({TAKEN})")

    def was_tried_again() -> bool:
        keeper.look()
        return log_of(jobs, job_id).count("taken") > 1

    wait_for(was_tried_again)
