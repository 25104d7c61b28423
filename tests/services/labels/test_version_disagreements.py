"""Champion against challenger on recent images: real networks, real radiographs, one item an image."""

from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from core.domain.accounts import Identity, Role
from core.domain.correction import Origin, Reason
from core.domain.errors import BadInputError, JobCancelledError
from core.domain.model_version import ModelVersion
from core.domain.radiograph import Polarity
from core.services.inference.detecting import DetectService
from core.services.jobs.job_worker import WorkerLog
from core.services.labels.version_disagreements import VersionDisagreements
from core.services.workspaces import Workspace
from core.store.jobs import Job
from core.store.queue import QueueFilter
from core.store.unit_of_work import Store
from tests.artefacts import FolderModels, write_artefact
from tests.records import add_user
from tests.workplace import radiograph_png


class TwoVersions:
    """A registry with a champion of number 1 and a challenger of number 2."""

    def __init__(self, folder: Path, *, are_same: bool = False) -> None:
        self._first = FolderModels(write_artefact(folder / "one", name="weld", score_spread=1.0))
        second = write_artefact(folder / "two", name="weld", score_spread=0.0)
        self._second = self._first if are_same else FolderModels(second)

    def resolve(
        self, name: str, *, version: int | None = None, alias: str = "champion"
    ) -> tuple[ModelVersion, Path]:
        """The version and its folder."""
        is_second = version == 2 or (version is None and alias == "challenger")
        found, folder = (self._second if is_second else self._first).resolve(name)
        return replace(found, version=2 if is_second else 1), folder


@pytest.fixture
def log(store: Store, tmp_path: Path) -> WorkerLog:
    with store.write() as work:
        job_id = work.jobs.add("disagree", {})
    return WorkerLog(store, job_id, tmp_path, Event())


def job_of(store: Store, **payload: object) -> Job:
    with store.write() as work:
        return work.jobs.find(work.jobs.add("disagree", {"model": "weld", **payload}))


@pytest.fixture
def annotator(store: Store) -> Identity:
    return add_user(store, Role.ANNOTATOR)


@pytest.fixture
def models(tmp_path: Path) -> TwoVersions:
    return TwoVersions(tmp_path / "models")


def inspected(desk: Workspace, who: Identity, models: TwoVersions, n: int) -> None:
    """`n` images that the champion looked at."""
    detect = DetectService(models, device="cpu")
    for seed in range(n):
        film = desk.images.add(who, radiograph_png(seed), f"film {seed}.png", polarity=Polarity.FILM)
        desk.inspections.record(who, detect.detect(film, f"film {seed}.png", model="weld"))


def test_each_image_on_which_the_versions_differ_is_queued_once(
    desk: Workspace, store: Store, inspector: Identity, annotator: Identity, models: TwoVersions,
    log: WorkerLog,
) -> None:  # fmt: skip
    inspected(desk, inspector, models, 3)
    run = VersionDisagreements(store, desk.images, models, DetectService(models, device="cpu")).run
    result = run(job_of(store, count=2), log)
    assert (result["n_images"], result["n_queued"]) == (2, 2)
    items = desk.queue.page(annotator, QueueFilter(reason=Reason.VERSIONS)).items
    assert {one.image_name for one in items} == {"film 1.png", "film 2.png"}
    assert {box.origin for one in items for box in one.boxes} <= {Origin.MODEL, Origin.CHALLENGER}
    assert all("v2" in box.remark for one in items for box in one.boxes)
    again = run(job_of(store), log)
    assert (again["n_images"], again["n_queued"]) == (3, 1)


def test_without_another_version_there_is_nothing_to_compare(
    desk: Workspace, store: Store, tmp_path: Path, log: WorkerLog
) -> None:
    models = TwoVersions(tmp_path / "same", are_same=True)
    detect = DetectService(models, device="cpu")
    with pytest.raises(BadInputError, match="is its champion"):
        VersionDisagreements(store, desk.images, models, detect).run(job_of(store), log)


def test_it_stops_when_it_is_asked_to(
    desk: Workspace, store: Store, inspector: Identity, models: TwoVersions, tmp_path: Path
) -> None:
    inspected(desk, inspector, models, 1)
    job, stop = job_of(store), Event()
    stop.set()
    run = VersionDisagreements(store, desk.images, models, DetectService(models, device="cpu")).run
    with pytest.raises(JobCancelledError, match="stopped after 0 of 1"):
        run(job, WorkerLog(store, job.job_id, tmp_path, stop))
