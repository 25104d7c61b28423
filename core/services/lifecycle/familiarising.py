"""Writing what the images looked like that a version learnt from, beside its weights."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.calibrate.familiarity import FamiliarityReference, Features, make_reference
from core.domain.errors import DatasetError
from core.domain.radiograph import Polarity
from core.engine.detector import Detector
from core.imaging.normalise import normalise
from core.labelling.coco import CocoImage, read_coco
from core.registry.artefact import FAMILIARITY, WEIGHTS, file_sha256
from core.services.evaluation.evaluating import Progress
from core.services.evaluation.recorded_images import cluster_name, read_recorded, select_images
from core.services.lifecycle.release_images import images_of

#: So many views of a part are looked at, evenly over those that there are.
LOOKED_AT = 18
LEARNT, CALIBRATED = "learnt", "calibrated"


def write_familiarity(
    specification: Mapping[str, Any],
    folder: Path,
    *,
    data: Path,
    splits: Path,
    progress: Progress | None = None,
) -> FamiliarityReference:
    """The reference of the version in `folder`, written beside its weights; an earlier one is replaced.

    Args:
        specification: of the release; its `familiar` names the images that taught and that calibrated.
        folder: of the version.
        data: folder of the COCO files and images.
        splits: folder of the split lists.
        progress: called after each image.

    Raises:
        DatasetError: specification and data do not fit.
        CalibrationDataError: there are no images of either.
        ModelArtefactError: the weights cannot be used.
    """
    how = specification.get("familiar") or {}
    if missing := {LEARNT, CALIBRATED} - set(how):
        raise DatasetError(f"familiar: lacks {', '.join(sorted(missing))}")
    detector = Detector.load(folder / WEIGHTS)
    looks = {
        name: _looks(detector, how[name], data, splits, progress, is_thinned=name == LEARNT)
        for name in (LEARNT, CALIBRATED)
    }
    (learnt, learnt_parts), (calibrating, calibrating_parts) = looks[LEARNT], looks[CALIBRATED]
    about = {
        "n_parts": len(set(learnt_parts)),
        "n_views": len(learnt),
        "n_calibrating_parts": len(set(calibrating_parts)),
        "n_calibrating_views": len(calibrating),
    }
    found = make_reference(
        learnt,
        learnt_parts,
        calibrating,
        calibrating_parts,
        weights_sha256=file_sha256(folder / WEIGHTS),
        about=about,
    )
    (folder / FAMILIARITY).write_text(found.to_json(), encoding="utf-8")
    return found


def _looks(
    detector: Detector,
    entries: Sequence[Mapping[str, Any]],
    data: Path,
    splits: Path,
    progress: Progress | None,
    *,
    is_thinned: bool,
) -> tuple[Features, list[str]]:
    """(N, D) features of the images that the entries name, and the N parts that they show."""
    found: list[Features] = []
    parts: list[str] = []
    for entry in entries:
        polarity = Polarity(entry.get("polarity", "unknown"))
        with images_of(entry, data, splits) as (coco, folder, series):
            images = select_images(read_coco(coco), folder, series)
            images = _thinned(images) if is_thinned else images
            for done, image in enumerate(images, start=1):
                radiograph = read_recorded(image, folder, polarity)
                pixels = normalise(
                    radiograph.pixels, polarity=radiograph.polarity, model_polarity=detector.polarity
                )
                found.append(detector.appearance(pixels))
                parts.append(cluster_name(image))
                if progress is not None:
                    progress(done, len(images))
    return np.stack(found) if found else np.zeros((0, 0), np.float32), parts


def _thinned(images: Sequence[CocoImage]) -> list[CocoImage]:
    """At most `LOOKED_AT` images of each part, evenly over those that there are, in order of the parts."""
    by_part: dict[str, list[CocoImage]] = {}
    for image in images:
        by_part.setdefault(cluster_name(image), []).append(image)
    return [
        own[index]
        for own in by_part.values()
        for index in np.unique(np.linspace(0, len(own) - 1, LOOKED_AT).round().astype(int))
    ]
