"""The long job that measures versions on a set: resumed where it stopped, stored once."""

import logging
from typing import Any

from core.domain.accounts import COMMAND_LINE, Identity, Role
from core.domain.errors import JobCancelledError, RegistryUnavailableError
from core.domain.model_version import ModelVersion
from core.domain.ports import ModelSource
from core.engine.detector import SCORE_FLOOR
from core.evaluate.outcome_table import tabulate
from core.labelling.coco import CocoImage
from core.registry.curve_plots import Plot
from core.registry.seen import seen_by
from core.services.evaluation.evaluating import is_class_aware
from core.services.evaluation.evaluation_archive import EvaluationArchive
from core.services.evaluation.evaluation_checkpoint import FoundOnImage, read_chunk, write_chunk
from core.services.evaluation.evaluation_sets import SIMULATED, EvaluationSets, SetContent
from core.services.evaluation.keeping import keep_evaluation
from core.services.evaluation.recorded_images import (
    count_trained_on,
    outcome_of,
    read_recorded,
    strongest,
)
from core.services.evaluation.times_in_turn import TimesInTurn
from core.services.evaluation.version_records import RunFiles
from core.services.inference.detecting import DetectService
from core.services.jobs.job_worker import WorkerLog
from core.simulate.dataset import write_dataset
from core.store.evaluations import Evaluation, EvaluationSet
from core.store.jobs import Job
from core.store.unit_of_work import Store

log = logging.getLogger(__name__)
_CHUNK = 10
#: Share of the work that remains after the last image: matching, resampling.
_FIGURES_SHARE = 0.06


class EvaluationRun:
    """Measures versions on a set; `run` is the job.

    The payload: `model`, `versions` (numbers), and either `set_id` or, for a set that is still to be made,
    `name`, `count` and `seed` of simulated welds.
    """

    def __init__(
        self,
        store: Store,
        sets: EvaluationSets,
        archive: EvaluationArchive,
        models: ModelSource,
        detect: DetectService,
        runs: RunFiles,
        times: TimesInTurn,
    ) -> None:
        self._runs = runs
        self._times = times
        self._store = store
        self._sets = sets
        self._archive = archive
        self._models = models
        self._detect = detect

    def run(self, job: Job, log: WorkerLog) -> dict[str, Any]:
        """The ids of what was measured, and of the set.

        Raises:
            JobCancelledError: somebody asked it to stop; what was done is kept for a resume.
            BadInputError: there is no such version or set.
            DatasetError: images were changed.
        """
        model, numbers = str(job.payload["model"]), [int(one) for one in job.payload["versions"]]
        versions = [self._models.resolve(model, version=number)[0] for number in numbers]
        progress = _Progress(log, len(versions), int(job.payload.get("count", 0)))
        chosen = self._set(job, progress)
        content = self._sets.content(chosen)
        wanted = [one for one in versions if not self._archive.has(one, chosen.digest)]
        progress.set_is_there(len(wanted), len(content.images))
        made = [self._evaluate(one, chosen, content, progress, job.started_by) for one in wanted]
        self._time(versions, content, progress)
        return {"set_id": chosen.set_id, "evaluations": made}

    def _time(self, versions: list[ModelVersion], content: SetContent, progress: "_Progress") -> None:
        """Time those that were asked for together in turn; the evaluations stand without MLflow, too."""
        if len(versions) < 2:
            return
        progress.timing()
        try:
            self._times.measure(versions, content)
        except RegistryUnavailableError as error:
            log.warning("the times on %s are not told to MLflow: %s", content.folder.name, error)

    def _set(self, job: Job, progress: "_Progress") -> EvaluationSet:
        if "set_id" in job.payload:
            with self._store.read() as work:
                return work.evaluations.find_set(str(job.payload["set_id"]))
        name, count, seed = str(job.payload["name"]), int(job.payload["count"]), int(job.payload["seed"])
        with self._store.read() as work:
            known = next((one for one in work.evaluations.sets() if one.name == name), None)
        if known is not None:
            return known
        folder = self._sets.simulated_folder(count, seed)
        truth = write_dataset(folder, count=count, seed=seed, progress=progress.simulated)
        source = {"kind": SIMULATED, "count": count, "seed": seed}
        model = str(job.payload["model"])
        return self._sets.add_files(COMMAND_LINE, name, model, truth, folder, source=source)

    def _evaluate(
        self,
        version: ModelVersion,
        chosen: EvaluationSet,
        content: SetContent,
        progress: "_Progress",
        started_by: str | None,
    ) -> str:
        found = self._detected(version, content, progress)
        progress.figures()
        table = tabulate(
            [one.outcome for one in found],
            is_class_aware=is_class_aware(content.dataset, version),
            score_cut=version.calibration.score_cut,
            operating_probability=version.calibration.operating_probability,
            digests=content.digests,
            elapsed_ms=[one.elapsed_ms for one in found],
        )
        _, folder = self._models.resolve(version.name, version=version.version)
        seen = seen_by(self._models, version, folder)
        evaluation = keep_evaluation(
            self._store,
            self._archive,
            version,
            chosen,
            content,
            table,
            n_trained_on=count_trained_on(content.images, content.folder, seen.trained_on),
            device=self._detect.device,
            by=COMMAND_LINE if started_by is None else Identity(started_by, "", Role.ML_ENGINEER),
        )
        self._tell(version, chosen, evaluation)
        progress.version_done()
        return evaluation.evaluation_id

    def _tell(self, version: ModelVersion, chosen: EvaluationSet, evaluation: Evaluation) -> None:
        """Put figures and curve into the run of the version; the evaluation stands without MLflow, too."""
        name = f"evaluation-{chosen.digest[:12]}"
        figures = {**evaluation.summary, "set": chosen.name, "set_digest": chosen.digest}
        stored = self._archive.stored(version, chosen.digest)
        try:
            self._runs.log_figures(version.name, version.version, f"{name}.json", figures)
            if stored is not None:
                band = self._archive.measured(stored, None).fixed.precision_recall
                curve = [one.tolist() for one in (band.x, band.y, band.low, band.high)]
                plot = Plot(chosen.name, "Recall", "Precision", *curve)
                self._runs.log_plot(version.name, version.version, f"{name}.png", plot)
        except RegistryUnavailableError as error:
            log.warning("the evaluation on %s is not told to MLflow: %s", chosen.name, error)

    def _detected(
        self, version: ModelVersion, content: SetContent, progress: "_Progress"
    ) -> list[FoundOnImage]:
        """The detections on every image; those that an earlier run kept are not made again."""
        folder = progress.log.folder / f"{version.sha256[:16]}-{version.calibration.calibration_id}"
        progress.begins(f"{version.name} v{version.version}")
        self._detect.warm_up(version)
        found: list[FoundOnImage] = []
        for start in range(0, len(content.images), _CHUNK):
            images = content.images[start : start + _CHUNK]
            path = folder / f"{start:06d}.npz"
            kept = read_chunk(path, images)
            if kept is None:
                kept = [self._found(image, content, version, progress) for image in images]
                write_chunk(path, kept)
            else:
                progress.images_done(len(images))
            found += kept
        return found

    def _found(
        self, image: CocoImage, content: SetContent, version: ModelVersion, progress: "_Progress"
    ) -> FoundOnImage:
        radiograph = read_recorded(image, content.folder, content.polarity)
        result = self._detect.detect(
            radiograph, image.file_name, model=version.name, version=version.version, min_score=SCORE_FLOOR
        )
        progress.images_done(1)
        return FoundOnImage(outcome_of(image, strongest(result.detections)), result.elapsed_ms)


class _Progress:
    """Tells how far the whole job is, and stops it where it can stop."""

    def __init__(self, log: WorkerLog, n_versions: int, n_simulated: int) -> None:
        self.log = log
        self._n_images = n_simulated
        self._n_simulated = n_simulated
        self._done = 0
        self._of_version = 0
        self._name = ""
        self._total = n_simulated + n_versions * self._per_version

    @property
    def _per_version(self) -> int:
        return self._n_images + max(1, round(_FIGURES_SHARE * self._n_images))

    def simulated(self, n: int) -> None:
        """So many radiographs are simulated."""
        self._done = n
        self._tell(f"simulating: {n} of {self._n_simulated} radiographs")

    def set_is_there(self, n_versions: int, n_images: int) -> None:
        """So much is to be measured."""
        self._n_images = n_images
        self._total = self._done + n_versions * self._per_version

    def begins(self, name: str) -> None:
        """The next version is measured."""
        self._name, self._of_version = name, 0

    def images_done(self, n: int) -> None:
        """So many more images are done."""
        self._of_version += n
        self._done += n
        self._tell(f"{self._name}: {self._of_version} of {self._n_images} images")

    def version_done(self) -> None:
        """Its figures are stored."""
        self._done += self._per_version - self._n_images
        self._tell(f"{self._name}: stored")

    def figures(self) -> None:
        """The images are done, their figures are not."""
        self._tell(f"{self._name}: intervals by resampling")

    def timing(self) -> None:
        """All are stored, and are timed in turn."""
        self._tell("timed in turn on some of the images")

    def _tell(self, message: str) -> None:
        self.log.progress(self._done, self._total, message)
        if self.log.is_cancelled():
            raise JobCancelledError(f"stopped: {message}")
