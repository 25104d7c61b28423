"""Items queued for correction: disagreements, their reasons and their priority.

The priority of a finding is the weight of its reason, plus `GRAVE` where it names a class that hardly any
acceptance table permits, plus `DOUBT` times how near the model's probability lies to its operating point
(1 at it, 0 at 0 or 1). It only orders the queue; nothing is judged by it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from core.domain.indication import IndicationClass

GRAVE, DOUBT = 0.2, 0.1
_GRAVE_CLASSES = frozenset(
    {IndicationClass.CRACK, IndicationClass.LACK_OF_FUSION, IndicationClass.LACK_OF_PENETRATION}
)


class Reason(StrEnum):
    """Why an image is queued."""

    MISSED = "missed"
    FALSE_CALL = "false call"
    CLASS = "class changed"
    EXTENT = "extent changed"
    READERS = "readers differ"
    VERSIONS = "versions differ"
    DOUBTFUL = "doubtful"
    SENT = "sent"


#: First part of the priority: a miss costs most, a box at the wrong place least.
WEIGHTS: Mapping[Reason, float] = {
    Reason.MISSED: 1.0,
    Reason.SENT: 0.95,
    Reason.READERS: 0.9,
    Reason.FALSE_CALL: 0.8,
    Reason.CLASS: 0.7,
    Reason.VERSIONS: 0.6,
    Reason.EXTENT: 0.5,
    Reason.DOUBTFUL: 0.4,
}
#: The reasons in words, for people.
REASON_WORDS: Mapping[Reason, str] = {
    Reason.MISSED: "the inspector added what the model missed",
    Reason.FALSE_CALL: "the inspector dismissed what the model reported",
    Reason.CLASS: "the inspector changed the class",
    Reason.EXTENT: "the inspector changed the extent",
    Reason.READERS: "first and second reader differ",
    Reason.VERSIONS: "champion and challenger differ",
    Reason.DOUBTFUL: "probability near the operating point",
    Reason.SENT: "sent from a comparison of versions",
}


class Origin(StrEnum):
    """First author of a box."""

    MODEL = "model"
    CHALLENGER = "challenger"
    COMPARED = "compared version"
    INSPECTOR = "inspector"
    SECOND_READER = "second reader"
    ANNOTATOR = "annotator"
    IMPORTED = "imported"

    @property
    def is_person(self) -> bool:
        """True when a person drew it."""
        return self not in (Origin.MODEL, Origin.CHALLENGER, Origin.COMPARED)


@dataclass(frozen=True, slots=True)
class FoundBox:
    """One box of a finding.

    Attributes:
        bbox: x1, y1, x2, y2 in px.
        probability: a model's, None where no model reported it.
        origin: whose box it is.
        remark: what is said about it, such as the class that it had before.
        kind: id of a kind without an ISO 6520-1 number, None when nobody stated one.
    """

    bbox: tuple[float, float, float, float]
    indication_class: IndicationClass
    probability: float | None
    origin: Origin
    iso6520: str | None = None
    remark: str = ""
    kind: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON; `found_box_from` reads it back."""
        return {
            "bbox": list(self.bbox),
            "class": self.indication_class.value,
            "probability": self.probability,
            "origin": self.origin.value,
            "iso6520": self.iso6520,
            "remark": self.remark,
            **({"kind": self.kind} if self.kind else {}),
        }


def found_box_from(content: Mapping[str, Any]) -> FoundBox:
    """The box in what `FoundBox.to_dict` wrote."""
    x1, y1, x2, y2 = content["bbox"]
    return FoundBox(
        bbox=(x1, y1, x2, y2),
        indication_class=IndicationClass(content["class"]),
        probability=content["probability"],
        origin=Origin(content["origin"]),
        iso6520=content["iso6520"],
        remark=content["remark"],
        kind=content.get("kind"),
    )


@dataclass(frozen=True, slots=True)
class Sent:
    """A person sent images of a comparison to the queue.

    Attributes:
        sent_id: the same for all images that were sent at once.
        sent_by: id of the account.
        versions: numbers of the versions that were compared.
        set_name: of the evaluation set.
        note: for whoever labels.
    """

    sent_id: str
    sent_by: str
    versions: tuple[int, ...]
    set_name: str
    note: str

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON; `sent_from` reads it back."""
        return {
            "sent_id": self.sent_id,
            "sent_by": self.sent_by,
            "versions": list(self.versions),
            "set_name": self.set_name,
            "note": self.note,
        }


def sent_from(content: Mapping[str, Any]) -> Sent:
    """The sending in what `Sent.to_dict` wrote."""
    versions = tuple(int(one) for one in content["versions"])
    return Sent(content["sent_id"], content["sent_by"], versions, content["set_name"], content["note"])


@dataclass(frozen=True, slots=True)
class CorrectionCase:
    """One reason to look at an image again, and the boxes that it is about; at least one.

    Attributes:
        model_name: "weld" or "casting".
        operating_probability: of the version that was disagreed with.
        sent: by whom and from where, of an image that a person sent; None of what was found.
    """

    reason: Reason
    image_sha256: str
    inspection_id: str | None
    model_name: str
    operating_probability: float
    boxes: tuple[FoundBox, ...]
    sent: Sent | None = None

    @property
    def key(self) -> str:
        """The same for the same boxes of the same image for the same reason, whoever found them again.

        What a person sends is another case each time.
        """
        if self.sent is not None:
            return f"{self.reason.value}:{self.image_sha256}:{self.sent.sent_id}"
        boxes = sorted([*(round(v, 1) for v in one.bbox), one.indication_class.value] for one in self.boxes)
        digest = hashlib.sha256(json.dumps([self.model_name, boxes]).encode()).hexdigest()[:16]
        return f"{self.reason.value}:{self.image_sha256}:{digest}"

    @property
    def priority(self) -> float:
        """Priority, 0.4 to 1.3; see the module's docstring."""
        is_grave = any(one.indication_class in _GRAVE_CLASSES for one in self.boxes)
        doubt = max(_doubt(one.probability, self.operating_probability) for one in self.boxes)
        return round(WEIGHTS[self.reason] + GRAVE * is_grave + DOUBT * doubt, 4)


def _doubt(probability: float | None, operating: float) -> float:
    """1 at the operating point, 0 at 0 and 1; 0 where no model said anything."""
    if probability is None:
        return 0.0
    room = operating if probability < operating else 1 - operating
    return max(0.0, 1 - abs(probability - operating) / room) if room > 0 else 1.0
