"""Permanent records: detections on a radiograph and people's decisions about it."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from core.domain.familiarity import Familiarity
from core.domain.override import Override
from core.domain.radiograph import Polarity, PolarityGround

#: The track of annotations that belong to an image, not to one inspection of it.
LABELS = "labels"


def new_id() -> str:
    """An id for a new record: 32 random hex digits."""
    return secrets.token_hex(16)


class InspectionState(StrEnum):
    """State of an inspection; from SIGNED on nothing but the state changes any more."""

    OPEN = "open"
    SIGNED = "signed"
    CONCURRED = "concurred"
    RETURNED = "returned"


class Disposition(StrEnum):
    """Disposition of the part.

    `REVIEW` is the earlier name of `REFER`: it occurs in what was signed under it and is shown as refer.
    """

    ACCEPT = "accept"
    REJECT = "reject"
    REFER = "refer"
    REPAIR = "repair"
    RESHOOT = "re-shoot"
    REVIEW = "review"

    @property
    def word(self) -> str:
        """The word that people read."""
        return Disposition.REFER.value if self is Disposition.REVIEW else self.value


#: Dispositions that may be chosen, in the order in which they are offered.
DISPOSITIONS = tuple(one for one in Disposition if one is not Disposition.REVIEW)


def chosen_disposition(word: str | None) -> Disposition | None:
    """The disposition of this name, also by its earlier name; None for None and the empty text.

    Raises:
        ValueError: there is no such disposition.
    """
    return Disposition(Disposition(word).word) if word else None


class ReshootReason(StrEnum):
    """Reason why a radiograph has to be taken again."""

    DENSITY = "density"
    IQI = "IQI not reached"
    ARTEFACTS = "artefacts"
    POSITION = "geometry or position"
    OTHER = "other"


class ReviewOutcome(StrEnum):
    """Conclusion of a second person."""

    CONCURS = "concurs"
    RETURNS = "returns"


class AnnotationSource(StrEnum):
    """Source of the boxes."""

    MODEL = "model"
    HUMAN = "human"


@dataclass(frozen=True, slots=True)
class ModelReference:
    """Model version, calibration and score cut behind detections; enough to run them again."""

    name: str
    version: int
    sha256: str
    calibration_id: str
    score_cut: float
    operating_probability: float


@dataclass(frozen=True, slots=True, eq=False)
class Inspection:
    """One model version on one radiograph, and what a person decided about it.

    Attributes:
        inspector_id: who asked for it, None for a command on the server.
        polarity: as it was applied.
        detections: as `radikal detect --json` lists them; never changed.
        disposition: None until somebody decided.
        standard, quality_level: the rule that the setup names, None where it names none.
        version: counts up with every change of the decision, from 1.
        created_at, updated_at: UTC.
        opened_at: when a person first opened or assessed it, UTC; None while it is only what the model
            reported on an image that was handed in, which is no history.
        setup: what is inspected.
        image_quality: what the image-quality gate found, as its report is written; None before it ran.
        revision_of: the signed inspection that this one corrects.
        polarity_ground: of the polarity; None where it was recorded before grounds were kept.
        familiarity: how the image looks beside those that calibrated the version; None where it was not told.
        reshoot_reason: why it has to be taken again; None unless the disposition is re-shoot.
        override: it was signed in spite of an objection; None where nothing stood against it.
    """

    inspection_id: str
    image_sha256: str
    image_name: str
    polarity: Polarity
    inspector_id: str | None
    model: ModelReference
    detections: tuple[Mapping[str, Any], ...]
    created_at: datetime
    disposition: Disposition | None
    standard: str | None
    quality_level: str | None
    note: str
    version: int
    updated_at: datetime
    updated_by: str | None
    setup: Mapping[str, Any] = field(default_factory=dict)
    image_quality: Mapping[str, Any] | None = None
    state: InspectionState = InspectionState.OPEN
    revision_of: str | None = None
    reshoot_reason: ReshootReason | None = None
    opened_at: datetime | None = None
    override: Override | None = None
    polarity_ground: PolarityGround | None = None
    familiarity: Familiarity | None = None

    @property
    def is_strange(self) -> bool:
        """True when its probabilities are not verified: the image looks unlike those that calibrated."""
        return self.familiarity is not None and self.familiarity.is_strange

    @property
    def is_open(self) -> bool:
        """True while the reading and the decision may still change."""
        return self.state is InspectionState.OPEN


@dataclass(frozen=True, slots=True, eq=False)
class Annotation:
    """All boxes on an image as one author left them.

    Attributes:
        track: `LABELS`, or the id of the inspection that they belong to.
        version: counts from 1 within image and track.
        author_id: None when a model drew them.
        boxes: each with `bbox` (x1, y1, x2, y2 in px), `class` and whatever its editor adds.
        created_at: UTC.
    """

    annotation_id: str
    image_sha256: str
    track: str
    inspection_id: str | None
    version: int
    source: AnnotationSource
    author_id: str | None
    boxes: tuple[Mapping[str, Any], ...]
    note: str
    created_at: datetime
    model_name: str | None = None
    model_version: int | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """A second person's review of one version of an inspection.

    Attributes:
        own_disposition, own_version: what they had decided before they saw the first result, and the version
            of their own annotation then.
        changed_disposition, changed_version, change_reason: what they decided instead after they had seen it,
            and why; None and empty where they kept to the blind one.
    """

    review_id: str
    inspection_id: str
    inspection_version: int
    reviewer_id: str
    outcome: ReviewOutcome
    note: str
    created_at: datetime
    own_disposition: Disposition | None = None
    own_version: int | None = None
    changed_disposition: Disposition | None = None
    changed_version: int | None = None
    change_reason: str = ""


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature: signer, content, time and meaning.

    Attributes:
        content_sha256: of the canonical JSON of what was signed.
        seal: keyed digest over all other fields; 64 hex digits.
    """

    signature_id: str
    inspection_id: str
    inspection_version: int
    signer_id: str
    meaning: str
    content_sha256: str
    signed_at: datetime
    seal: str
