"""Writing what the images looked like that a version learnt from, beside its weights."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.calibrate.familiarity import FamiliarityReference, Features, make_reference
from core.domain.errors import DatasetError
from core.engine.detector import Detector
from core.registry.artefact import FAMILIARITY, WEIGHTS, file_sha256
from core.services.evaluation.evaluating import Progress
from core.services.lifecycle.release_images import normalised_images

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
    at_most = LOOKED_AT if is_thinned else None
    for pixels, part in normalised_images(
        entries, detector.polarity, data, splits, progress, at_most=at_most
    ):
        found.append(detector.appearance(pixels))
        parts.append(part)
    return np.stack(found) if found else np.zeros((0, 0), np.float32), parts
