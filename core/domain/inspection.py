"""The traceable result of running one model version on one radiograph."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.domain.detections import Detections
from core.domain.familiarity import Familiarity
from core.domain.indication import ISO_6520
from core.domain.model_version import ModelVersion
from core.domain.radiograph import Radiograph

_DECIMALS_PX = 2
_DECIMALS_FRACTION = 6


@dataclass(frozen=True, slots=True, eq=False)
class DetectionResult:
    """Detections of a model version on a radiograph, with all that reproduces them.

    Attributes:
        name: the file's name as the user knows it.
        radiograph: the image.
        model: the version that ran, with its calibration.
        detections: merged, calibrated, highest score first.
        elapsed_ms: wall time of normalising, detecting and calibrating.
        device: "cpu" or "cuda", as it ran.
        notes: anything to tell the user, e.g. an assumed polarity.
        familiarity: how the image looks beside those that calibrated the version; None where the version
            cannot tell.
    """

    name: str
    radiograph: Radiograph
    model: ModelVersion
    detections: Detections
    elapsed_ms: float
    device: str
    notes: tuple[str, ...] = ()
    familiarity: Familiarity | None = None

    @property
    def is_strange(self) -> bool:
        """True when its probabilities are not verified: the image looks unlike those that calibrated."""
        return self.familiarity is not None and self.familiarity.is_strange

    def rows(self) -> list[dict[str, Any]]:
        """One dict per detection: bbox (xyxy, px), class, iso6520, score, probability; highest score first.

        `claim` stands there only where the model has a second stage: group, reliability and types. `outline`,
        without a scale, only where the model drew one.

        Raises:
            ValueError: when the detections carry no probabilities.
        """
        found = self.detections
        if found.probabilities is None:
            raise ValueError("the detections were not calibrated: no probabilities")
        return [
            {
                "bbox": [round(float(v), _DECIMALS_PX) for v in box],
                "class": found_class.value,
                "iso6520": ISO_6520[found_class],
                "score": round(float(score), _DECIMALS_FRACTION),
                "probability": round(float(probability), _DECIMALS_FRACTION),
                **({} if claim is None else {"claim": claim.to_dict()}),
                **({} if outline is None else {"outline": outline.to_dict(None)}),
            }
            for box, found_class, score, probability, claim, outline in zip(
                found.boxes,
                found.classes,
                found.scores,
                found.probabilities,
                found.claims or (None,) * len(found),
                found.outlines or (None,) * len(found),
                strict=True,
            )
        ]


@dataclass(frozen=True, slots=True, eq=False)
class HeatMap:
    """Per-box attribution, in image px.

    Attributes:
        values: (h, w) float32 in 0..1, -1..1 when signed, scaled by its largest magnitude; all zero when the
            map is empty.
        x0, y0: top left of the region of the image it covers, px; one value is one px.
        peak: the largest magnitude before scaling; 0.0 means that the map is empty.
        is_signed: negative values are places that lowered the score.
        why_empty: the reason, where the map is empty and it is known.
    """

    values: npt.NDArray[np.float32]
    x0: int
    y0: int
    peak: float
    is_signed: bool = False
    why_empty: str = ""

    @property
    def is_empty(self) -> bool:
        """True when nothing contributed to the score."""
        return self.peak <= 0.0
