import json

import cv2
import numpy as np
import pytest

from core.domain.errors import BadInputError, JobCancelledError
from core.registry.mlflow_store import new_client
from core.registry.training_run import MlflowRunLog
from core.services.training.training import TrainService
from core.store.database import open_database
from core.store.jobs import JobRepository, JobState
from tests.empty_stores import copy_empty_database
from tests.records import new_store

RECIPE = """
model: weld
title: a tiny run
polarity: film
network: {stem_width: 8, widths: [8, 8, 8, 8], channels: 8, head_convolutions: 1}
sources: [{coco: c.json, polarity: film, are_classes_known: true}]
schedule: {steps: 4, batch: 1, crop_px: 64}
"""


@pytest.fixture(scope="module")
def tracking(tmp_path_factory):
    """A real MLflow store; its creation takes seconds, so one for all tests here."""
    return tmp_path_factory.mktemp("mlflow")


@pytest.fixture
def data(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.random.default_rng(0).integers(0, 255, (80, 90)).astype(np.uint8))
    content = {
        "images": [{"id": 1, "file_name": "a.png", "width": 90, "height": 80, "series": "S"}],
        "annotations": [{"image_id": 1, "category_id": 1, "bbox": [20, 20, 12, 12]}],
        "categories": [{"id": 1, "name": "porosity"}],
    }
    (tmp_path / "c.json").write_text(json.dumps(content))
    (tmp_path / "tiny.yaml").write_text(RECIPE)
    return tmp_path


@pytest.fixture
def jobs(tmp_path):
    database = open_database(copy_empty_database(tmp_path / "jobs.db"))
    yield new_store(database)
    database.dispose()


def new_job(store):
    with store.write() as work:
        return work.jobs.add("train", {})


def found_job(store, job):
    with store.read() as work:
        return work.jobs.find(job)


def service(data, tracking, jobs, job=None):
    return TrainService(
        root=data,
        runs=data / "runs",
        device="cpu",
        open_run=lambda name: MlflowRunLog(f"sqlite:///{tracking / 'm.db'}", name, tracking / "artifacts"),
        store=jobs,
        job=job,
    )


def test_a_run_leaves_weights_manifest_and_an_mlflow_run(data, tracking, jobs):
    job = new_job(jobs)
    weights = service(data, tracking, jobs, job).run(data / "tiny.yaml", data, out=None, should_resume=False)
    assert weights == data / "runs" / "tiny" / "weights.safetensors"
    manifest = json.loads((weights.parent / "manifest.json").read_text())
    assert [entry["file_name"] for entry in manifest["images"]] == ["a.png"]
    assert found_job(jobs, job).state is JobState.DONE
    client = new_client(f"sqlite:///{tracking / 'm.db'}")
    experiment = client.get_experiment_by_name("radikal-training")
    run = client.search_runs([experiment.experiment_id])[0]
    assert run.info.status == "FINISHED"
    assert run.data.params["manifest_digest"] == manifest["digest"]
    assert run.data.metrics["loss/score"] > 0
    assert "seconds" in run.data.metrics
    assert experiment.tags["mlflow.experimentKind"] == "custom_model_development"
    assert {a.path for a in client.list_artifacts(run.info.run_id)} == {
        "manifest.json",
        "recipe.yaml",
        "weights.safetensors",
    }


def status_of_last_run(tracking):
    client = new_client(f"sqlite:///{tracking / 'm.db'}")
    experiment = client.get_experiment_by_name("radikal-training")
    return client.search_runs([experiment.experiment_id])[0].info.status


def test_a_cancelled_job_stops_and_says_so(data, tracking, jobs, monkeypatch):
    monkeypatch.setattr("core.training.loop.CHECKPOINT_EVERY", 2)
    job = new_job(jobs)
    monkeypatch.setattr(JobRepository, "report", lambda self, j, **_: self.move(j, JobState.CANCELLED))
    monkeypatch.setattr("core.training.loop.REPORT_EVERY", 1)
    with pytest.raises(JobCancelledError):
        service(data, tracking, jobs, job).run(data / "tiny.yaml", data, out=None, should_resume=False)
    assert found_job(jobs, job).state is JobState.CANCELLED
    assert status_of_last_run(tracking) == "KILLED"


def test_a_failing_run_is_recorded_as_failed(data, tracking, jobs, monkeypatch):
    def explode(*_args):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("core.services.training.training.train", explode)
    job = new_job(jobs)
    with pytest.raises(RuntimeError):
        service(data, tracking, jobs, job).run(data / "tiny.yaml", data, out=None, should_resume=False)
    found = found_job(jobs, job)
    assert found.state is JobState.FAILED
    assert status_of_last_run(tracking) == "FAILED"
    assert "the disk is full" in found.message


def test_an_unknown_job_fails_before_any_work(data, tracking, jobs):
    with pytest.raises(BadInputError, match="no job"):
        service(data, tracking, jobs, "nope").run(data / "tiny.yaml", data, out=None, should_resume=False)
    assert not (data / "runs").exists()


def test_data_that_cannot_train_are_refused_before_the_run_is_opened(data, tracking, jobs):
    content = json.loads((data / "c.json").read_text())
    content["annotations"][0]["bbox"] = [80, 20, 12, 12]
    (data / "c.json").write_text(json.dumps(content))
    with pytest.raises(BadInputError, match=r"box outside the image: a\.png"):
        service(data, tracking, jobs).run(data / "tiny.yaml", data, out=None, should_resume=False)
    assert not (data / "runs").exists()
