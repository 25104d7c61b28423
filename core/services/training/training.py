"""Training with a record: an MLflow run, a job row, files."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from core.domain.errors import JobCancelledError
from core.domain.ports import JobLog, RunLog
from core.registry.training_run import MlflowRunLog
from core.store.jobs import JobState
from core.store.unit_of_work import Store
from core.training.data_check import refuse_faults
from core.training.images import TrainingImage, load_images
from core.training.logs import ConsoleJobLog, FileRunLog
from core.training.loop import RunSettings, train
from core.training.manifest import manifest_digest, write_manifest
from core.training.recipe import read_recipe


class TrainService:
    """Trains by a recipe and records what it did.

    Args:
        root: the project's folder; recipes and split lists lie below it.
        runs: folder for runs that name none.
        device: "cpu" or "cuda".
        open_run: opens the MLflow run of that name.
        store: where progress of `job` is recorded.
        job: id of the job row that follows the run, None for a run without one.
    """

    def __init__(
        self,
        *,
        root: Path,
        runs: Path,
        device: str,
        open_run: Callable[[str], MlflowRunLog],
        store: Store,
        job: str | None = None,
    ) -> None:
        self._root = root
        self._runs = runs
        self._device = device
        self._open_run = open_run
        self._store = store
        self._job = job

    def run(self, recipe_path: Path, data: Path, *, out: Path | None, should_resume: bool) -> Path:
        """The weights that the run wrote.

        Args:
            recipe_path: recipe YAML.
            data: folder of the COCO files and images.
            out: folder of the run; None takes one named after the recipe.
            should_resume: go on from the newest checkpoint.

        Raises:
            DatasetError: when recipe or data are wrong.
            JobCancelledError: when the job was cancelled; the checkpoint stays.
        """
        recipe = read_recipe(recipe_path)
        if self._job is not None:
            with self._store.read() as work:
                work.jobs.find(self._job)
        folder = out or self._runs / recipe_path.stem
        images = load_images(recipe, data, self._root / "data" / "splits")
        refuse_faults(recipe, images, data, self._root / "data" / "splits")
        folder.mkdir(parents=True, exist_ok=True)
        write_manifest(folder / "manifest.json", images)
        (folder / "recipe.yaml").write_bytes(recipe_path.read_bytes())
        settings = RunSettings(folder, self._device, should_resume, self._root)
        with self._open_run(recipe_path.stem) as run:
            run.parameters(_data_parameters(images))
            both = BothRunLogs(FileRunLog(folder), run)
            weights = self._follow(lambda job_log: train(recipe, images, settings, both, job_log))
            for path in (folder / "recipe.yaml", folder / "manifest.json", weights):
                run.artefact(path)
        return weights

    def _follow(self, work: Callable[[JobLog], Path]) -> Path:
        """Run `work` while the job row, if any, follows it."""
        if self._job is None:
            return work(ConsoleJobLog())
        self._move(JobState.RUNNING)
        try:
            weights = work(StoredJobLog(self._store, self._job))
        except JobCancelledError as error:
            self._move(JobState.CANCELLED, str(error))
            raise
        except Exception as error:
            self._move(JobState.FAILED, f"{type(error).__name__}: {error}")
            raise
        self._move(JobState.DONE)
        return weights

    def _move(self, state: JobState, message: str = "") -> None:
        assert self._job is not None
        with self._store.write() as work:
            work.jobs.move(self._job, state, message=message)


class BothRunLogs:
    """A `RunLog` that writes to two."""

    def __init__(self, first: RunLog, second: RunLog) -> None:
        self._logs = (first, second)

    def parameters(self, values: Mapping[str, str | float | int]) -> None:
        """Record the inputs in both."""
        for one in self._logs:
            one.parameters(values)

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Record the figures in both."""
        for one in self._logs:
            one.metrics(step, values)


class StoredJobLog:
    """A `JobLog` over a job row."""

    def __init__(self, store: Store, job: str) -> None:
        self._store = store
        self._job = job

    def progress(self, done: int, total: int, message: str) -> None:
        """Record how far the job is."""
        with self._store.write() as work:
            work.jobs.report(self._job, progress=done / total, message=f"{done} of {total}: {message}")

    def is_cancelled(self) -> bool:
        """True when somebody asked it to stop."""
        with self._store.read() as work:
            job = work.jobs.find(self._job)
        return job.is_cancel_wanted or job.state is JobState.CANCELLED


def _data_parameters(images: list[TrainingImage]) -> dict[str, str | float | int]:
    series = sorted({image.series for image in images if not image.series.startswith("simulated-")})
    return {
        "manifest_digest": manifest_digest(images),
        "n_boxes": sum(len(image.boxes) for image in images),
        "series": json.dumps(series),
    }
