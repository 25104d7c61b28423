"""Retraining: from labels to a challenger that says what it learnt from."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import pytest
import yaml
from sqlalchemy import Engine

from core.domain.accounts import Identity, Role
from core.domain.data_manifest import Part
from core.domain.errors import BadInputError, DatasetError, ModelNotFoundError, NotAllowedError
from core.engine.network import NetworkConfig
from core.registry.artefact import read_artefact
from core.services.jobs.job_worker import JobWorker, WorkerLog
from core.services.training.retrain_data import (
    FRESH_SEED,
    labels_digest,
    prepare,
    refuse_held_back,
    simulated_seeds,
    write_recipe,
)
from core.services.training.retrain_run import Retrainer
from core.services.training.retraining import RECIPES, RetrainRequest, RetrainService, curves_of
from core.store.data_versions import DataVersion
from core.store.jobs import Job, JobState
from core.training.checkpoint import save_checkpoint
from tests.artefacts import write_artefact
from tests.registries import FolderRegistry
from tests.services.learning import LearningPlace

SHIPPED = Path(__file__).resolve().parents[3] / "models" / "checkpoints" / "weld-v1"
SHORT: dict[str, Any] = {
    "steps": 4,
    "learning_rate": 1e-4,
    "batch": 1,
    "budget_minutes": 5.0,
    "n_simulated": 1,
    "n_judging": 1,
}


class MemoryRun:
    """Stands in for an MLflow run."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.given: dict[str, Any] = {}
        self.inputs: list[int] = []
        self.steps: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def parameters(self, values: dict[str, Any]) -> None:
        self.given |= values

    def metrics(self, step: int, values: dict[str, float]) -> None:
        self.steps.append(step)

    def artefact(self, path: Path) -> None:
        assert path.is_file()

    def tags(self, values: dict[str, str]) -> None:
        self.origin = values

    def registered(self, name: str, version: int) -> None:
        self.became = f"{name} v{version}"

    def dataset(self, *, number: int, **_: Any) -> None:
        self.inputs.append(number)


class RetrainPlace(LearningPlace):
    """A place with something to retrain.

    Attributes:
        runs: MLflow runs by id.
        challengers: versions that became challenger.
    """

    def __init__(self, engine: Engine, folder: Path, *versions: Path) -> None:
        super().__init__(engine, folder, *versions)
        self.runs: dict[str, MemoryRun] = {}
        self.challengers: list[int] = []
        self.retraining = RetrainService(
            self.jobs, self.data, self.registry, lambda _model: self.evaluated, self.blobs.has
        )
        self.retrainer = Retrainer(
            self.store,
            self.blobs,
            self.manifests,
            self.registry,  # type: ignore[arg-type]
            evaluated=lambda _model: self.evaluated,
            open_run=self._open,  # type: ignore[arg-type]
            challenge=lambda _by, _model, version: self.challengers.append(version),
        )

    def _open(self, name: str, *, run_id: str | None) -> MemoryRun:
        run_id = run_id or f"run {len(self.runs)}"
        return self.runs.setdefault(run_id, MemoryRun(run_id))

    def start(self, data: DataVersion, **changes: Any) -> str:
        request = RetrainRequest(**(SHORT | {"model_name": "weld", "base_version": 1} | changes),
                                 data_number=data.number)  # fmt: skip
        return self.retraining.start(self.engineer, request)

    def work(self, job_id: str, stop_at: str = "") -> Job:
        """The job after it ended; stopped when it says what `stop_at` says."""
        worker = JobWorker(self.store, self.folder / "jobs", lambda _kind: run)

        def run(job: Job, worker_log: WorkerLog) -> dict[str, Any]:
            report = worker_log.progress

            def told(done: float, total: float, message: str) -> None:
                report(done, total, message)
                if stop_at and stop_at in message:
                    worker.stop()

            worker_log.progress = told  # type: ignore[method-assign]
            return self.retrainer.run(job, worker_log)

        worker.work(job_id)
        return self.jobs.find(self.engineer, job_id)


@pytest.fixture(autouse=True)
def _wide_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch 2.14 corrupts memory in the gradient of 8 channels at 256 px, which only tests have."""
    wide = NetworkConfig(stem_width=16, widths=(16, 16, 16, 16), channels=16, head_convolutions=1)
    monkeypatch.setattr("tests.artefacts.TINY", wide)


@pytest.fixture
def place(engine: Engine, tmp_path: Path) -> Iterator[RetrainPlace]:
    return RetrainPlace(engine, tmp_path, write_artefact(tmp_path / "v1", score_spread=0.3))


def test_a_stopped_training_goes_on_from_its_newest_step(place: RetrainPlace) -> None:
    place.labelled(2)
    job_id = place.start(place.make())
    stopped = place.work(job_id, stop_at="step 2 of 4")
    assert stopped.state is JobState.INTERRUPTED
    assert stopped.message.startswith("stopped at step ")
    assert place.retraining.resume_refusal(place.engineer, stopped) == ""
    place.jobs.resume(place.engineer, job_id)
    place.work(job_id)
    (run,) = place.runs.values()
    assert sorted(set(run.steps)) == [1, 2, 3, 4]
    assert run.inputs == [1]
    assert run.given["data_version"] == 1
    assert run.origin["parent_run"] == "run of v1"
    assert run.origin["author"] == run.origin["mlflow.user"] == place.engineer.user_id
    assert run.became == "weld v2"
    curves = place.retraining.curves(place.engineer, job_id)
    assert curves.steps == (1, 2, 3, 4)
    assert set(curves.validation) == {"simulated"}


def test_a_training_that_can_never_go_on_says_why(place: RetrainPlace) -> None:
    first, second = place.labelled(2)
    job_id = place.start(place.make())
    place.jobs.cancel(place.engineer, job_id)
    queued = place.jobs.find(place.engineer, job_id)
    assert "before it kept a first state" in place.retraining.resume_refusal(place.engineer, queued)
    run = place.jobs.folder_of(job_id) / "run"
    run.mkdir(parents=True)
    save_checkpoint(run, {"step": 2}, 2)
    assert "its recipe is gone" in place.retraining.resume_refusal(place.engineer, queued)
    (run / "recipe.yaml").touch()
    assert place.retraining.resume_refusal(place.engineer, queued) == ""
    place.evaluated = {first}
    assert "are held back elsewhere" in place.retraining.resume_refusal(place.engineer, queued)
    place.evaluated = set()
    place.blobs.remove(second)
    told = place.retraining.resume_refusal(place.engineer, queued)
    assert told == "the original of film 1.png is gone: restore a backup"
    next(run.glob("*.part0")).unlink()
    assert "before it kept a first state" in place.retraining.resume_refusal(place.engineer, queued)


def test_with_too_few_boxes_to_calibrate_the_calibration_of_the_base_is_kept_and_flagged(
    place: RetrainPlace,
) -> None:
    place.labelled(2)
    job = place.work(place.start(place.make()))
    assert (job.state, job.message) == (JobState.DONE, "")
    assert place.challengers == [2]
    folder = place.jobs.folder_of(job.job_id) / "artefact"
    kept, base = read_artefact(folder), read_artefact(place.folder / "v1")
    assert kept.calibration.inherited_from == "weld v1"
    assert kept.calibration.parameters == base.calibration.parameters
    assert kept.calibration.fitted_on.startswith("inherited from weld v1, not verified: ")
    limits = str(kept.card["limits"])
    assert "Calibration inherited from weld v1, not verified: its scores are others" in limits
    assert base.calibration.doubt == ""


def test_what_was_inherited_names_the_version_that_it_was_fitted_to(engine: Engine, tmp_path: Path) -> None:
    inherited = write_artefact(
        tmp_path / "v1", score_spread=0.3, calibration={"inherited_from": "weld v0", "parts": ["series:A"]}
    )
    place = RetrainPlace(engine, tmp_path, inherited)
    place.labelled(2)
    job = place.work(place.start(place.make()))
    folder = place.jobs.folder_of(job.job_id) / "artefact"
    assert read_artefact(folder).calibration.inherited_from == "weld v0"
    assert json.loads((folder / "calibration.json").read_text())["parts"] == ["series:A"]


def test_what_cannot_train_is_refused_before_it_starts(place: RetrainPlace) -> None:
    place.evaluated = set(place.labelled(1))
    with pytest.raises(BadInputError, match="no image to train on, every part was held back") as refused:
        place.start(place.make())
    assert str(refused.value).endswith("1 of 1 lies in an evaluation set (judges) and never trains")


def test_the_budget_ends_a_training_early(place: RetrainPlace) -> None:
    place.labelled(2)
    job_id = place.start(place.make(), steps=10_000, budget_minutes=0.01)
    place.work(job_id)
    assert place.retraining.curves(place.engineer, job_id).steps[-1] < 10_000


def test_an_image_that_judges_by_now_is_refused_although_the_data_version_trains_on_it(
    place: RetrainPlace,
) -> None:
    first, _ = place.labelled(2)
    data = place.make()
    job_id = place.start(data)
    place.evaluated = {first}
    with pytest.raises(BadInputError, match="1 images that train are held back elsewhere"):
        place.start(data)
    job = place.work(job_id)
    assert job.state is JobState.FAILED
    assert "1 images that train are held back elsewhere, the first: film 0.png" in job.message


def test_who_may_start_and_from_what(place: RetrainPlace) -> None:
    place.labelled(1)
    data = place.make()
    with pytest.raises(ModelNotFoundError):
        place.start(data, base_version=9)
    place.registry = FolderRegistry(write_artefact(place.folder / "c1", name="casting"))
    place.retraining = RetrainService(
        place.jobs, place.data, place.registry, lambda _model: place.evaluated, place.blobs.has
    )
    with pytest.raises(BadInputError, match="data version 1 is of weld, not of casting"):
        place.start(data, model_name="casting")
    with pytest.raises(NotAllowedError):
        place.retraining.start(Identity("u-0", "ann", Role.ANNOTATOR), RetrainRequest("weld", 1, 1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "steps"),
        ({"learning_rate": 0.5}, "learning rate"),
        ({"learning_rate": float("nan")}, "finite"),
        ({"budget_minutes": 0}, "budget"),
        ({"new_share": 0}, "share of new data"),
        ({"n_judging": 501}, "that judge"),
    ],
)
def test_a_request_out_of_range_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInputError, match=message):
        RetrainRequest("weld", 1, 1, **change)


def test_every_recipe_is_one() -> None:
    for said in RECIPES.values():
        request = RetrainRequest("weld", 1, 1, **said)
        assert RetrainRequest(**json.loads(json.dumps(request.to_payload()))) == request


def test_new_and_old_images_and_films_share_the_crops(place: RetrainPlace, tmp_path: Path) -> None:
    first, second, third = place.labelled(3)
    manifest = place.manifests.read(place.make().manifest_sha256)
    by_digest = {image.sha256: image for image in manifest.images}
    base = write_artefact(tmp_path / "base", trained_on=(first, second))
    content = json.loads((base / "manifest.json").read_text())
    content["images"][0]["labels"] = labels_digest(by_digest[first])
    content["images"][1]["labels"] = "other boxes!"
    content["images"] += [{"sha256": f"{seed}", "seed": seed} for seed in range(500, 520)]
    (base / "manifest.json").write_text(json.dumps(content))
    request = RetrainRequest("weld", 1, 1, **(SHORT | {"n_simulated": 8, "new_share": 0.6}))
    data = prepare(manifest, base, request, place.blobs, tmp_path / "data")
    assert {image.sha256 for image in data.old} == {first}
    assert {image.sha256 for image in data.new} == {second, third}
    assert (data.simulated_seed, data.n_simulated) == (500, 8)
    recipe = write_recipe(tmp_path / "recipe.yaml", request, base, data)
    assert [source.weight for source in recipe.sources] == pytest.approx([0.6, 0.2, 0.2])
    assert yaml.safe_load((tmp_path / "recipe.yaml").read_text())["schedule"]["steps"] == 4


def test_a_base_that_names_no_films_gets_fresh_ones(place: RetrainPlace, tmp_path: Path) -> None:
    place.labelled(1)
    manifest = place.manifests.read(place.make().manifest_sha256)
    request = RetrainRequest("weld", 1, 1, **SHORT)
    data = prepare(manifest, place.folder / "v1", request, place.blobs, tmp_path / "data")
    assert (data.simulated_seed, data.n_simulated) == (FRESH_SEED, 1)


def test_the_longest_run_of_seeds_is_replayed_and_never_those_of_an_older_simulator() -> None:
    entries = [{"seed": seed, "phase": "old"} for seed in range(100)]
    entries += [{"seed": seed} for seed in (3, 4, 10, 11, 12, 20)]
    assert simulated_seeds(entries) == range(10, 13)
    assert len(simulated_seeds([{"sha256": "a"}])) == 0


def test_nothing_that_is_held_back_trains(place: RetrainPlace) -> None:
    place.labelled(2)
    images = place.manifests.read(place.make().manifest_sha256).images
    refuse_held_back(images, {"0" * 64})
    with pytest.raises(DatasetError, match="1 images that train are held back elsewhere"):
        refuse_held_back(images, {images[1].sha256})


def test_labels_have_the_same_digest_in_any_order(place: RetrainPlace) -> None:
    (sha256,) = place.labelled(1)
    place.label(sha256, (1, 1, 9, 9), (20, 20, 30, 30))
    (image,) = place.manifests.read(place.make().manifest_sha256).images
    assert labels_digest(image) == labels_digest(replace(image, boxes=image.boxes[::-1], part=Part.TEST))
    assert labels_digest(image) != labels_digest(replace(image, boxes=image.boxes[:1]))


def test_curves_leave_out_what_was_done_twice() -> None:
    row = {"score": 0.5, "box": 0.25, "class": 0.25, "seconds": 1.0}
    lines = [{"parameters": {}}, {"step": 1, **row}, {"step": 2, **row}, {"step": 2, **row, "score": 1.5}]
    curves = curves_of([*lines, {"step": 3, **row, "validation_simulated": 2.0}])
    assert curves.steps == (1, 2, 3)
    assert curves.loss == (1.0, 2.0, 1.0)
    assert curves.validation["simulated"][2] == 2.0
    assert curves_of([]).steps == ()


@pytest.mark.slow
def test_a_real_challenger_is_calibrated_measured_registered_and_names_its_corrections(
    engine: Engine, tmp_path: Path
) -> None:
    place = RetrainPlace(engine, tmp_path, SHIPPED)
    first, _ = place.labelled(2)
    data = place.make(licence="own films, internal use")
    job = place.work(place.start(data, steps=2, n_judging=10))
    assert (job.state, job.message) == (JobState.DONE, "")
    assert job.result["version"] == 2
    assert place.challengers == [2]
    artefact = read_artefact(place.jobs.folder_of(job.job_id) / "artefact")
    assert first in artefact.trained_on
    card = artefact.card
    assert card["lineage"] == "weld v1"
    assert card["alias"] == "challenger"
    assert card["data_version"] == {"number": 1, "manifest_sha256": data.manifest_sha256}
    assert {one["image"] for one in card["corrections"]} == {"film 0.png", "film 1.png"}
    assert card["data_notice"] == "trained on data version 1: own films, internal use"
    assert artefact.calibration.fitted_on.startswith("10 simulated welds that trained nothing")
    assert card["evaluation"][0]["n_trained_on"] == 0
    manifest = place.manifests.read(data.manifest_sha256)
    request = RetrainRequest("weld", 2, 1, **SHORT)
    learnt = prepare(manifest, artefact.folder, request, place.blobs, tmp_path / "again")
    assert (learnt.new, len(learnt.old)) == ((), 2)  # it learnt from both already
    assert learnt.simulated_seed == 110_000  # and replays what it was shown
