"""Measuring a model version on images with recorded boxes."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from core.domain.errors import LeakError
from core.domain.model_version import ModelVersion
from core.domain.ports import ModelSource
from core.domain.radiograph import Polarity
from core.engine.detector import SCORE_FLOOR
from core.evaluate.operating_figures import measure
from core.evaluate.outcome import ImageOutcome
from core.evaluate.outcome_table import tabulate
from core.evaluate.resampling import resample
from core.evaluate.summary import EvaluationSummary, summarise
from core.labelling.coco import CocoDataset, CocoImage, read_coco
from core.registry.seen import seen_by
from core.services.evaluation.recorded_images import (
    clusters_of,
    count_trained_on,
    outcome_of,
    read_recorded,
    select_images,
    strongest,
)
from core.services.inference.detecting import DetectService

#: (images done, images in all); called after each image.
Progress = Callable[[int, int], None]


class EvaluateService:
    """Runs a model version on a COCO data set and summarises what came out."""

    def __init__(self, detect: DetectService, models: ModelSource) -> None:
        self._detect = detect
        self._models = models

    def evaluate(
        self,
        coco: Path,
        images_dir: Path,
        *,
        model: str,
        version: int | None = None,
        alias: str = "champion",
        series: Collection[str] | None = None,
        polarity: Polarity = Polarity.UNKNOWN,
        gate: bool = False,
        progress: Progress | None = None,
        tell: Callable[[str], None] = lambda line: None,
        seed: int = 0,
    ) -> EvaluationSummary:
        """Every figure of a model version on the images of a COCO file.

        Args:
            coco: the COCO detection file.
            images_dir: the folder that its file names are relative to.
            model: "weld" or "casting".
            version: of the model; None takes the one that bears `alias`.
            alias: "champion" or "challenger".
            series: only images of these series; None takes all.
            polarity: of images when neither they nor the COCO file say.
            gate: refuse when any of the images was trained on, before anything runs.
            progress: called after each image.
            tell: called with one line for each recorded box that counts neither way or shows nothing.
            seed: of the bootstrap and the simulated perfect model.

        Raises:
            ModelNotFoundError: when there is no such version.
            DatasetError: when the COCO file, its images and their sizes do not belong together.
            UnreadableImageError: when an image cannot be read.
            LeakError: with `gate`, when images were trained on.
        """
        resolved, folder = self._models.resolve(model, version=version, alias=alias)
        dataset = read_coco(coco, tell=tell)
        images = select_images(dataset, images_dir, series)
        seen = seen_by(self._models, resolved, folder)
        n_trained_on = count_trained_on(images, images_dir, seen.trained_on)
        if gate and n_trained_on:
            raise LeakError(
                f"{n_trained_on} of {len(images)} images were trained on by {resolved.name} "
                f"v{resolved.version} or a version before it; evaluate it on parts that trained nothing"
            )
        table = tabulate(
            self.outcomes(images, images_dir, resolved, polarity=polarity, progress=progress),
            is_class_aware=is_class_aware(dataset, resolved),
            score_cut=resolved.calibration.score_cut,
            operating_probability=resolved.calibration.operating_probability,
        )
        return summarise(
            table,
            measure(table, resample(table.parts, seed=seed)),
            resolved,
            cluster_by=clusters_of(images),
            score_floor=SCORE_FLOOR,
            n_trained_on=n_trained_on,
            seed=seed,
        )

    def outcomes(
        self,
        images: Sequence[CocoImage],
        images_dir: Path,
        version: ModelVersion,
        *,
        polarity: Polarity = Polarity.UNKNOWN,
        progress: Progress | None = None,
    ) -> list[ImageOutcome]:
        """The detections of `version` on each image beside the recorded boxes.

        Raises:
            DatasetError: when an image is not the size that its entry says.
            UnreadableImageError: when an image cannot be read.
        """
        found = []
        for image in images:
            found.append(self._outcome(image, images_dir, version, polarity))
            if progress is not None:
                progress(len(found), len(images))
        return found

    def _outcome(
        self, image: CocoImage, images_dir: Path, version: ModelVersion, polarity: Polarity
    ) -> ImageOutcome:
        radiograph = read_recorded(image, images_dir, polarity)
        found = self._detect.detect(
            radiograph, image.file_name, model=version.name, version=version.version, min_score=SCORE_FLOOR
        ).detections
        return outcome_of(image, strongest(found))


def is_class_aware(dataset: CocoDataset, version: ModelVersion) -> bool:
    """True when every category of the file is one that the version was taught (`classes` of its card)."""
    taught = {str(c) for c in version.card.get("classes") or ()}
    return bool(dataset.categories) and taught.issuperset(dataset.categories)
