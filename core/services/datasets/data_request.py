"""The request for a new data version, from a page or a command to its job."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.domain.radiograph import Polarity


@dataclass(frozen=True, slots=True)
class DataRequest:
    """The wanted content of a new data version.

    Attributes:
        model_name: "weld" or "casting".
        licence: what the images may be used for, in words; goes onto the card of what is trained.
        note: why it is made.
        coco, images_dir: a COCO file and its images to import, None for none.
        polarity: of imported images when neither they nor the file say.
        calibration_share, test_share: of the parts, held back from training.
        should_search_copies: False leaves the search for near-duplicates out.
    """

    model_name: str
    licence: str
    note: str = ""
    coco: Path | None = None
    images_dir: Path | None = None
    polarity: Polarity = Polarity.UNKNOWN
    calibration_share: float = 0.2
    test_share: float = 0.2
    should_search_copies: bool = True

    def to_payload(self) -> dict[str, Any]:
        """Plain values for the payload of a job."""
        return {
            "model": self.model_name,
            "licence": self.licence,
            "note": self.note,
            "coco": None if self.coco is None else str(self.coco),
            "images_dir": None if self.images_dir is None else str(self.images_dir),
            "polarity": self.polarity.value,
            "calibration_share": self.calibration_share,
            "test_share": self.test_share,
            "search_copies": self.should_search_copies,
        }


def data_request_from(payload: Mapping[str, Any]) -> DataRequest:
    """The request in a job's payload, as `to_payload` wrote it."""
    coco, images_dir = payload["coco"], payload["images_dir"]
    return DataRequest(
        model_name=payload["model"],
        licence=payload["licence"],
        note=payload["note"],
        coco=None if coco is None else Path(coco),
        images_dir=None if images_dir is None else Path(images_dir),
        polarity=Polarity(payload["polarity"]),
        calibration_share=payload["calibration_share"],
        test_share=payload["test_share"],
        should_search_copies=payload["search_copies"],
    )
