"""The repository of long pieces of work."""

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
