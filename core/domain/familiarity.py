"""How familiar an image looks to a model version, beside the images that calibrated it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

#: Stands wherever a probability is shown that the calibration does not cover.
NOT_VERIFIED = "probability not verified for this kind of image"
#: Distances are kept and shown with so many.
DECIMALS = 4


@dataclass(frozen=True, slots=True)
class Familiarity:
    """The distance of an image from those that a model version learnt from.

    Attributes:
        distance: from the most alike of them, in the version's own features; 0 is alike.
        limit: up to here it looks like the images that calibrated the version.
    """

    distance: float
    limit: float

    @property
    def is_strange(self) -> bool:
        """True when the image looks unlike those that calibrated the version."""
        return self.distance > self.limit

    @property
    def words(self) -> str:
        """What that means for a probability, in a sentence without a full stop."""
        measured = f"distance {self.distance:.2f}, limit {self.limit:.2f}"
        if self.is_strange:
            return f"{NOT_VERIFIED}: it looks unlike those that calibrated the model ({measured})"
        return f"this image looks like those that calibrated the model ({measured})"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON; `of_dict` reads it back."""
        return {
            "distance": round(self.distance, DECIMALS),
            "limit": round(self.limit, DECIMALS),
            "is_familiar": not self.is_strange,
        }

    @classmethod
    def of_dict(cls, content: Mapping[str, Any] | None) -> Self | None:
        """What `to_dict` wrote; None for None: it was not measured."""
        return None if content is None else cls(float(content["distance"]), float(content["limit"]))
