import pytest

from core.domain.errors import BadInputError
from core.store.jobs import JobRepository, JobState


@pytest.fixture
def jobs(engine):
    return JobRepository(engine)


def test_a_new_job_is_queued_with_its_payload(jobs):
    job = jobs.find(jobs.add("train", {"recipe": "weld-v1.yaml"}))
    assert (job.kind, job.state, job.progress) == ("train", JobState.QUEUED, 0.0)
    assert job.payload == {"recipe": "weld-v1.yaml"}


def test_progress_and_state_are_kept(jobs):
    job_id = jobs.add("train", {})
    jobs.move(job_id, JobState.RUNNING)
    jobs.report(job_id, progress=0.5, message="x" * 2000)
    job = jobs.find(job_id)
    assert (job.state, job.progress, len(job.message)) == (JobState.RUNNING, 0.5, 1000)


def test_reporting_does_not_revive_a_cancelled_job(jobs):
    job_id = jobs.add("train", {})
    jobs.move(job_id, JobState.CANCELLED)
    jobs.report(job_id, progress=0.5, message="")
    assert jobs.find(job_id).state is JobState.CANCELLED


@pytest.mark.parametrize("act", [JobRepository.find, lambda j, i: j.move(i, JobState.DONE)])
def test_an_unknown_job_is_one_clear_error(jobs, act):
    with pytest.raises(BadInputError, match="no job 17"):
        act(jobs, "17")
