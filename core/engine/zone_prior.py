"""What lies beside the weld of a whole film is rarely a flaw of it: calls there start with a lower score."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from core.domain.detections import Detections, FloatArray
from core.domain.errors import ModelArtefactError
from core.domain.kinds import Family
from core.domain.radiograph import Polarity
from core.engine.beside import read_beside
from core.imaging.zone import judged_zone

#: Lies beside the weights of a version that has one.
FILE = "zone_prior.json"


@dataclass(frozen=True, slots=True)
class ZonePrior:
    """How much less is believed of what lies outside of the zone to be judged.

    Attributes:
        weights_sha256: of the network's weights file.
        family: of the parts, which says what the zone is.
        outside_log_odds: added to the log-odds of the score of a call whose middle lies outside; negative.

    Raises:
        ValueError: when it would believe them more, or beyond all measure less.
    """

    weights_sha256: str
    family: Family
    outside_log_odds: float

    def __post_init__(self) -> None:
        if not -20 <= self.outside_log_odds < 0:
            raise ValueError(f"outside_log_odds: expected -20 up to 0, got {self.outside_log_odds}")

    def weigh(self, found: Detections, image: FloatArray, polarity: Polarity) -> Detections:
        """The detections, those outside of the zone with lower scores; as they are where no zone is found.

        Args:
            found: in px of the image, not yet calibrated.
            image: (H, W) float32, the whole radiograph, normalised.
            polarity: of the image.
        """
        zone = judged_zone(image, self.family, polarity) if len(found) else None
        if zone is None:
            return found
        is_outside = np.array([not zone.holds(box) for box in found.boxes.tolist()], np.bool_)
        scores = np.where(is_outside, _shifted(found.scores, self.outside_log_odds), found.scores)
        return found.with_scores(scores.astype(np.float32))

    def to_json(self) -> str:
        """The content of the file; `from_json` reads it back."""
        content = {
            "weights_sha256": self.weights_sha256,
            "family": self.family.value,
            "outside_log_odds": self.outside_log_odds,
        }
        return json.dumps(content, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The prior in `text`.

        Raises:
            ModelArtefactError: when it is no such file.
        """
        try:
            content = json.loads(text)
            return cls(
                str(content["weights_sha256"]),
                Family(content["family"]),
                float(content["outside_log_odds"]),
            )
        except (ValueError, TypeError, KeyError) as error:
            raise ModelArtefactError(f"{FILE}: not the prior of a zone: {error}") from error


def read_zone_prior(weights: Path) -> ZonePrior | None:
    """The prior that lies beside a weights file; None where there is none.

    Raises:
        ModelArtefactError: when it is damaged, or of other weights.
    """
    return read_beside(weights, FILE, ZonePrior.from_json)


def _shifted(scores: FloatArray, log_odds: float) -> FloatArray:
    """Scores (N,) in 0..1 after `log_odds` was added to theirs."""
    odds = scores.astype(np.float64) * np.exp(log_odds)
    shifted: FloatArray = (odds / (1 - scores + odds)).astype(np.float32)
    return shifted
