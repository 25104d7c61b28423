"""How long versions take for one image, timed in turn: what else the machine does meets all of them alike."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.domain.errors import RegistryUnavailableError
from core.domain.model_version import ModelVersion
from core.engine.detector import SCORE_FLOOR
from core.services.evaluation.evaluation_sets import SetContent
from core.services.evaluation.recorded_images import read_recorded
from core.services.evaluation.version_records import VersionRecords
from core.services.inference.detecting import DetectService

#: Images that are timed, spread over the set; odd, so that the median is one of them.
N_TIMED = 7


class TimesInTurn:
    """Times versions in turn on the images of a set, and keeps what was measured with each of them.

    Args:
        detect: runs them.
        records: where the times are kept.
    """

    def __init__(self, detect: DetectService, records: VersionRecords) -> None:
        self._detect, self._records = detect, records

    def measure(self, versions: Sequence[ModelVersion], content: SetContent) -> None:
        """Time the versions on at most `N_TIMED` images of the set, each image by one after the other.

        Raises:
            DatasetError: an image was changed.
            RegistryUnavailableError: MLflow does not answer; the times are kept here all the same.
        """
        n = len(content.images)
        chosen = sorted({round(one) for one in np.linspace(0, n - 1, min(n, N_TIMED))})
        times = np.zeros((len(versions), len(chosen)))
        for version in versions:
            self._detect.warm_up(version)
        for column, index in enumerate(chosen):
            image = content.images[index]
            radiograph = read_recorded(image, content.folder, content.polarity)
            for step in range(len(versions)):
                row = (column + step) % len(versions)  # who comes first changes from image to image
                version = versions[row]
                result = self._detect.detect(
                    radiograph,
                    image.file_name,
                    model=version.name,
                    version=version.version,
                    min_score=SCORE_FLOOR,
                )
                times[row, column] = result.elapsed_ms
        refused: RegistryUnavailableError | None = None
        for row, version in enumerate(versions):
            others = [other for other in range(len(versions)) if other != row]
            try:
                self._keep(version, {versions[other].sha256: (times[row], times[other]) for other in others})
            except RegistryUnavailableError as error:
                refused = error
        if refused is not None:
            raise refused

    def _keep(self, version: ModelVersion, pairs: dict[str, tuple[Any, Any]]) -> None:
        known = self._records.of(version.sha256) or {}
        timed = dict(known.get("against", {}))
        for other, (own_ms, other_ms) in pairs.items():
            timed[other] = {
                "device": self._detect.device,
                "own_ms": [round(float(one), 2) for one in own_ms],
                "other_ms": [round(float(one), 2) for one in other_ms],
            }
        figures = {
            "model": version.name,
            "version": version.version,
            "sha256": version.sha256,
            "against": timed,
        }
        self._records.keep(figures)


def timed_in_turn(
    records: VersionRecords, version: ModelVersion, other: ModelVersion
) -> tuple[float, float] | None:
    """Median ms an image of `version`, and that times the median of other / own: both of the same moments.

    None where the two were not timed in turn.

    Raises:
        BadInputError: the file of the times is damaged.
    """
    found = ((records.of(version.sha256) or {}).get("against") or {}).get(other.sha256)
    if found is None:
        return None
    own, others = np.array(found["own_ms"]), np.array(found["other_ms"])
    median = float(np.median(own))
    return median, median * float(np.median(others / own))
