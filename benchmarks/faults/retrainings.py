"""A retraining is killed in its stages, resumed each time, and has to end as if nothing had happened."""

import signal
import subprocess
import time
from pathlib import Path

from benchmarks.faults.home import ROOT, Home, assert_whole
from core.container import Container
from core.domain.accounts import Identity, Role
from core.domain.indication import IndicationClass
from core.domain.labels import Label
from core.domain.radiograph import Polarity
from core.domain.serving import CHALLENGER, CHAMPION
from core.services.datasets.data_versions import DataRequest
from core.services.training.retraining import RetrainRequest
from core.store.jobs import JobState
from tests.records import add_user
from tests.services.learning import noise

MODEL = "weld"
BASE = ROOT / "models" / "checkpoints" / "weld-v1"
#: What the job says when it is killed, one after the other.
STAGES = ("step ", "calibrating", "measuring")
STEPS, N_JUDGING, N_IMAGES = 4, 10, 2
LIMIT_S = 1800.0


def run(folder: Path, rounds: int) -> dict[str, int]:
    """The figures of one retraining that is killed so many times.

    Raises:
        AssertionError: it does not end, registers more or less than one version, or moves the champion.
    """
    home = Home.at(folder)
    with home.opened() as services:
        services.registry.register(BASE, alias=CHAMPION)
        services.alias_mover.catch_up()
        engineer = add_user(services.store, Role.ML_ENGINEER)
        job_id = _started(services, engineer)
    for number in range(rounds):
        _kill_at(home, job_id, STAGES[number % len(STAGES)])
        with home.opened() as services:
            before = services.jobs.find(engineer, job_id)
            ended = services.job_queue.worker_ended(job_id, begun_before=before.started_at)
            assert ended is JobState.INTERRUPTED
            assert len(services.registry.versions(MODEL)) == 1, "half a training registers nothing"
            assert_whole(services)
            services.jobs.resume(engineer, job_id)
    process = _working(home, job_id)
    assert process.wait(LIMIT_S) == 0, "the resumed job did not end well"
    with home.opened() as services:
        job = services.jobs.find(engineer, job_id)
        assert job.state is JobState.DONE
        assert services.registry.refresh()
        assert {one.version for one in services.registry.versions(MODEL)} == {1, job.result["version"]}
        assert services.registry.aliases(MODEL) == {CHAMPION: 1, CHALLENGER: job.result["version"]}
        steps = services.retraining.curves(engineer, job_id).steps
        assert steps == tuple(range(1, STEPS + 1)), "a step is missing or was counted twice"
        assert_whole(services)
    return {"kills": rounds, "versions_registered": 1, "steps": STEPS}


def _started(services: Container, engineer: Identity) -> str:
    inspector, annotator = (add_user(services.store, role) for role in (Role.INSPECTOR, Role.ANNOTATOR))
    for seed in range(N_IMAGES):
        film = services.workspace.images.add(
            inspector, noise(seed), f"film {seed}.png", polarity=Polarity.FILM
        )
        label = Label("h1", (10, 10, 40, 30), IndicationClass.POROSITY)
        services.workspace.labels.save(annotator, film.sha256, [label], expected_version=0)
        services.workspace.labels.submit(annotator, film.sha256, expected_version=1)
    made = services.data.start(engineer, DataRequest(MODEL, "own images of noise"))
    assert services.job_worker().work(made) is JobState.DONE, services.jobs.find(engineer, made).message
    request = RetrainRequest(
        MODEL, 1, 1, steps=STEPS, batch=1, n_simulated=1, n_judging=N_JUDGING, budget_minutes=30.0
    )
    return services.retraining.start(engineer, request)


def _working(home: Home, job_id: str) -> subprocess.Popen[bytes]:
    return home.process("-c", "from core.cli import main; main()", "work", "--job", job_id)


def _kill_at(home: Home, job_id: str, stage: str) -> None:
    """Start the job and end its process at once when it says that it is at `stage`."""
    process, limit = _working(home, job_id), time.monotonic() + LIMIT_S
    with home.opened() as services:
        while True:
            with services.store.read() as work:
                job = work.jobs.find(job_id)
            if stage in job.message:
                break
            assert process.poll() is None, f"the job ended by itself: {job.message}"
            assert time.monotonic() < limit, f"the job does not come to {stage}"
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
