"""Jobs that inspect: what was handed in is inspected once, by whom it was handed in, killed or not."""

import io
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.shared.resources import Resources
from core.domain.accounts import COMMAND_LINE, Identity, Role
from core.domain.api_keys import Scope
from core.domain.errors import (
    BadInputError,
    EngineBusyError,
    JobCancelledError,
    NotAllowedError,
    UnknownRecordError,
)
from core.services.intake.asked import Asked
from core.services.intake.intake_jobs import IntakeRun
from core.services.jobs.job_worker import WorkerLog
from core.store.jobs import Job, JobState
from tests.records import add_user
from tests.workplace import close_workplace, incoming, make_workplace, radiograph_png


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Resources]:
    held = make_workplace(tmp_path)
    yield held
    close_workplace(held)


def film(number: int) -> Any:
    return incoming(f"film{number}.png", radiograph_png(number))


def station(held: Resources) -> tuple[Identity, str]:
    """A program with a key, and the id of the key."""
    services = held.services
    add_user(services.store, Role.INSPECTOR, "station")
    issued = services.api_keys.add(COMMAND_LINE, "station", "a test", [Scope.DETECT], days=1)
    identity = services.api_keys.who(issued.token)
    assert identity is not None
    return identity, issued.key.key_id


def events(held: Resources) -> list[Any]:
    with held.services.store.read() as work:
        return list(work.audit.rows())


class Stopped(WorkerLog):
    """A log of a job whose server ends after so many radiographs."""

    def __init__(self, held: Resources, job: Job, folder: Path, after: int) -> None:
        super().__init__(held.services.store, job.job_id, folder, threading.Event())
        folder.mkdir(parents=True, exist_ok=True)
        self._left = after
        self.messages: list[str] = []

    def progress(self, done: float, total: float, message: str) -> None:
        super().progress(done, total, message)
        self.messages.append(message)

    def is_cancelled(self) -> bool:
        self._left -= 1
        return self._left < 0


def test_each_radiograph_is_inspected_in_the_name_of_whoever_handed_it_in(held: Resources) -> None:
    identity, key_id = station(held)
    jobs = held.services.intake_jobs
    bad = incoming("notes.txt", b"no picture")
    job = jobs.start(identity, [film(1), bad, film(2)], Asked("weld"))
    assert held.services.job_worker().work(job.job_id) is JobState.DONE
    done = jobs.find(identity, job.job_id)
    assert (done.progress, done.result) == (1.0, {"n_inspected": 2, "n_failed": 1})
    first, failed, second = jobs.done(identity, job.job_id)
    assert first["inspection_id"] != second["inspection_id"]
    assert "got a text file (notes.txt)" in failed["error"]
    recorded = [one for one in events(held) if one.action == "inspection.recorded"]
    assert [(one.actor_id, one.details["api_key"]) for one in recorded] == [(identity.user_id, key_id)] * 2
    assert not any((held.services.data_dir / "intake").iterdir())


def test_archives_are_taken_apart(held: Resources) -> None:
    identity, _ = station(held)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number in (1, 2):
            archive.writestr(f"film{number}.png", radiograph_png(number))
    job = held.services.intake_jobs.start(identity, [incoming("films.zip", packed.getvalue())], Asked("weld"))
    held.services.job_worker().work(job.job_id)
    names = [one["name"] for one in held.services.intake_jobs.done(identity, job.job_id)]
    assert names == ["film1.png", "film2.png"]


def test_a_killed_job_goes_on_behind_the_last_it_did(held: Resources) -> None:
    identity, _ = station(held)
    services = held.services
    job = services.intake_jobs.start(identity, [film(n) for n in range(3)], Asked("weld"))
    folder = services.jobs.folder_of(job.job_id)
    with pytest.raises(JobCancelledError, match="after 2 radiographs"):
        services.intake_run.run(job, Stopped(held, job, folder, 2))
    with (folder / "done.jsonl").open("a") as lines:
        lines.write('{"file": "fil')  # killed while it wrote
    assert services.intake_run.run(job, Stopped(held, job, folder, 9)) == {"n_inspected": 3, "n_failed": 0}
    assert len([one for one in events(held) if one.action == "inspection.recorded"]) == 3
    assert [one["name"] for one in services.intake_jobs.done(identity, job.job_id)] == [
        f"film{n}.png" for n in range(3)
    ]


class FullAtFirst:
    """Inspects as the real one, but for the first times other machines are full."""

    def __init__(self, real: object, times: int) -> None:
        self._real, self._left = real, times

    def inspect(self, *given: object, **named: object) -> object:
        self._left -= 1
        if self._left >= 0:
            raise EngineBusyError("more images wait than the machines that read can take")
        return self._real.inspect(*given, **named)


def test_a_job_waits_for_full_machines_and_each_radiograph_is_read_once(held: Resources) -> None:
    identity, _ = station(held)
    services = held.services
    job = services.intake_jobs.start(identity, [film(n) for n in range(2)], Asked("weld"))
    folder = services.jobs.folder_of(job.job_id)
    full = FullAtFirst(services.inspect_files, 3)
    run = IntakeRun(services.store, services.data_dir / "intake", full, full_pause_s=0.0)
    stopped = Stopped(held, job, folder, 2)
    with pytest.raises(JobCancelledError, match="after 0 radiographs"):
        run.run(job, stopped)
    assert stopped.messages == ["inspecting film0.png", "the machines that read are full: film0.png waits"]
    assert run.run(job, Stopped(held, job, folder, 9)) == {"n_inspected": 2, "n_failed": 0}
    assert len([one for one in events(held) if one.action == "inspection.recorded"]) == 2


def test_a_revoked_key_ends_its_jobs(held: Resources) -> None:
    identity, key_id = station(held)
    job = held.services.intake_jobs.start(identity, [film(1)], Asked("weld"))
    held.services.api_keys.revoke(COMMAND_LINE, key_id)
    assert held.services.job_worker().work(job.job_id) is JobState.FAILED
    assert "was revoked" in held.services.intake_jobs.find(identity, job.job_id).message


def test_a_version_that_is_promoted_meanwhile_reads_none_of_them(held: Resources) -> None:
    identity, _ = station(held)
    job = held.services.intake_jobs.start(identity, [film(1)], Asked("weld"))
    registry = held.services.registry
    registry.set_alias("weld", "champion", registry.add(held.services.data_dir / "weld"))
    held.services.job_worker().work(job.job_id)
    (line,) = held.services.intake_jobs.done(identity, job.job_id)
    with held.services.store.read() as work:
        assert work.inspections.find(line["inspection_id"]).model.version == 1


def test_jobs_are_seen_and_stopped_by_their_owner_and_by_whoever_manages_jobs(held: Resources) -> None:
    identity, _ = station(held)
    jobs = held.services.intake_jobs
    job = jobs.start(identity, [film(1)], Asked("weld"))
    with held.services.store.write() as work:
        training = work.jobs.add("retrain", {})
    other = add_user(held.services.store, Role.INSPECTOR)
    for ask in (jobs.find, jobs.stop, jobs.resume):
        with pytest.raises(NotAllowedError, match="the role Inspector may not"):
            ask(other, job.job_id)
        with pytest.raises(NotAllowedError):
            ask(identity, training)
        with pytest.raises(UnknownRecordError):
            ask(identity, "0" * 32)
    assert jobs.find(add_user(held.services.store, Role.ADMIN), job.job_id).state is JobState.QUEUED
    assert jobs.stop(identity, job.job_id).state is JobState.CANCELLED
    with pytest.raises(BadInputError, match="cancelled already"):
        jobs.stop(identity, job.job_id)
    assert jobs.resume(identity, job.job_id).state is JobState.QUEUED
    assert held.services.job_worker().work(job.job_id) is JobState.DONE
    with pytest.raises(BadInputError, match="nothing to resume"):
        jobs.resume(identity, job.job_id)


def test_nothing_is_kept_of_what_cannot_become_a_job(held: Resources) -> None:
    identity, _ = station(held)
    for files, asked in (([], Asked("weld")), ([film(1)] * 251, Asked("weld")), ([film(1)], Asked("pipes"))):
        with pytest.raises(BadInputError):
            held.services.intake_jobs.start(identity, files, asked)
    folder = held.services.data_dir / "intake"
    assert not folder.exists() or not any(folder.iterdir())


def test_a_training_does_not_hold_up_inspecting(held: Resources) -> None:
    identity, _ = station(held)
    with held.services.store.write() as work:
        training = work.jobs.add("retrain", {})
        assert work.jobs.claim(training) is not None
    job = held.services.intake_jobs.start(identity, [film(1)], Asked("weld"))
    assert held.services.job_worker().work(job.job_id) is JobState.DONE
