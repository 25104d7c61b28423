"""The repository of long pieces of work."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from core.domain.errors import BadInputError
from core.store.jobs import JobState
from tests.records import new_store


@pytest.fixture
def store(engine):
    return new_store(engine)


def test_a_new_job_is_queued_with_its_payload(store):
    with store.write() as work:
        job_id = work.jobs.add("train", {"recipe": "weld-v1.yaml"})
    with store.read() as work:
        job = work.jobs.find(job_id)
    assert (job.kind, job.state, job.progress) == ("train", JobState.QUEUED, 0.0)
    assert job.payload == {"recipe": "weld-v1.yaml"}


def test_progress_and_state_are_kept(store):
    with store.write() as work:
        job_id = work.jobs.add("train", {})
        work.jobs.move(job_id, JobState.RUNNING)
        work.jobs.report(job_id, progress=0.5, message="x" * 2000)
    with store.read() as work:
        job = work.jobs.find(job_id)
    assert (job.state, job.progress, len(job.message)) == (JobState.RUNNING, 0.5, 1000)


def test_reporting_does_not_revive_a_cancelled_job(store):
    with store.write() as work:
        job_id = work.jobs.add("train", {})
        work.jobs.move(job_id, JobState.CANCELLED)
        work.jobs.report(job_id, progress=0.5, message="")
        assert work.jobs.find(job_id).state is JobState.CANCELLED


@pytest.mark.parametrize("act", [lambda j, i: j.find(i), lambda j, i: j.move(i, JobState.DONE)])
def test_an_unknown_job_is_one_clear_error(store, act):
    with pytest.raises(BadInputError, match="no job 17"), store.write() as work:
        act(work.jobs, "17")


def test_only_one_of_two_jobs_on_a_device_can_be_claimed(store):
    with store.write() as work:
        first, second, other = (work.jobs.add("train", {}, device=d) for d in ("cpu", "cpu", "cuda"))
    with store.write() as work:
        assert work.jobs.claim(first).state is JobState.RUNNING
    with store.write() as work:
        assert work.jobs.claim(second) is None
        assert work.jobs.claim(first) is None
        assert work.jobs.claim(other).device == "cuda"
        assert work.jobs.find(second).state is JobState.QUEUED


def test_of_many_who_claim_at_once_one_gets_it(store):
    with store.write() as work:
        ids = [work.jobs.add("train", {}) for _ in range(4)]

    def claim(job_id):
        with store.write() as work:
            return work.jobs.claim(job_id)

    with ThreadPoolExecutor(4) as pool:
        claimed = [job for job in pool.map(claim, ids) if job is not None]
    assert len(claimed) == 1


def test_jobs_come_newest_first_and_by_kind(store):
    with store.write() as work:
        ids = [work.jobs.add(kind, {}) for kind in ("train", "evaluate", "train")]
    with store.read() as work:
        assert {job.job_id for job in work.jobs.latest(["train"])} == {ids[0], ids[2]}
        assert len(work.jobs.latest(limit=2)) == 2
        assert len(work.jobs.latest()) == 3


def test_the_time_left_is_told_only_while_it_runs_and_the_result_only_afterwards(store):
    with store.write() as work:
        job_id = work.jobs.add("train", {})
        work.jobs.claim(job_id)
        work.jobs.report(job_id, progress=0.5, message="", left_s=40.0)
        running = work.jobs.find(job_id)
        assert (running.left_s, running.result) == (40.0, {})
        work.jobs.move(job_id, JobState.DONE, result={"version": 3})
        done = work.jobs.find(job_id)
        assert (done.left_s, done.result) == (None, {"version": 3})
