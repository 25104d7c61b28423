"""What signed inspections record about images: the truth of evaluation sets made from the history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.domain.data_manifest import ManifestImage
from core.domain.outline import outline_from
from core.domain.reading import Call, ReadIndication, first_reading, indication_from
from core.domain.records import InspectionState
from core.domain.sizing import outline_kept
from core.imaging.outline_polygon import polygons_of
from core.services.datasets.labelled_images import ignored_box, labelled_box, recorded_image
from core.store.data_versions import SignedRow
from core.store.images import StoredImage
from core.store.unit_of_work import Work

UNSIGNED = "not signed"
UNASSESSED = "signed with an indication that nobody assessed"
RETURNED = "returned by the second reader"
FRAMES = "frame of a file of several"
_MEMBER, _NO_ERROR = "part of a group", "no error of the detector"


@dataclass(frozen=True, slots=True)
class HistoryBounds:
    """Which records count; None leaves a bound out.

    Attributes:
        model_version: that read the image.
        since, until: of the moment of the inspection, UTC; `until` is left out.
    """

    model_version: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SignedTruth:
    """Images with what their signed records say.

    Attributes:
        images: each with the setup of its record.
        left_out: reason to number of images.
    """

    images: Sequence[tuple[ManifestImage, SignedRow]] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)


def signed_truth(work: Work, model_name: str, bounds: HistoryBounds) -> SignedTruth:
    """The images whose newest record a person signed after assessing every indication.

    Recorded are the boxes that were confirmed and those that a person drew, with the class and extent of the
    record; what was dismissed as a false call is background. What was dismissed as non-relevant or as
    geometry, and the members of a group, is in the part: it counts neither for nor against a version. Left
    out are images that nobody signed, that the second reader returned, or with an indication still open:
    there the record would be the output of the version itself.
    """
    rows = work.data_versions.signed(
        model_name, model_version=bounds.model_version, since=bounds.since, until=bounds.until
    )
    left_out = {UNSIGNED: work.data_versions.unsigned(model_name), RETURNED: 0, UNASSESSED: 0, FRAMES: 0}
    found = []
    for row in rows:
        said = _said(row)
        if row.state == InspectionState.RETURNED.value:
            left_out[RETURNED] += 1
        elif any(one.call is Call.OPEN for one in said):
            left_out[UNASSESSED] += 1
        elif (image := work.images.find(row.image_sha256)) is not None:
            if image.frame is None:
                found.append((_recorded(row, image, said), row))
            else:
                left_out[FRAMES] += 1
    return SignedTruth(found, {why: n for why, n in left_out.items() if n})


def _said(row: SignedRow) -> list[ReadIndication]:
    if row.boxes is None:
        return first_reading(row.detections, row.operating_probability)
    return [indication_from(box) for box in row.boxes]


def _polygon(one: ReadIndication, detections: Sequence[Mapping[str, Any]]) -> Sequence[tuple[float, float]]:
    """The corners of the outline of a confirmed indication; empty without one, and where it has parts."""
    outline = outline_kept(one, detections)
    parts = () if outline is None else polygons_of(outline_from(outline))
    return parts[0] if len(parts) == 1 else ()


def _recorded(row: SignedRow, image: StoredImage, said: Sequence[ReadIndication]) -> ManifestImage:
    confirmed = [one for one in said if one.call is Call.CONFIRMED and not one.group]
    members = [one for one in said if one.call is Call.CONFIRMED and one.group]
    in_part = [one for one in said if one.call is Call.DISMISSED and not one.is_detector_error]
    return recorded_image(
        image,
        row.setup,
        [
            labelled_box(one.bbox, one.indication_class.value, _polygon(one, row.detections))
            for one in confirmed
        ],
        [
            ignored_box(one.bbox, why)
            for many, why in ((members, _MEMBER), (in_part, _NO_ERROR))
            for one in many
        ],
    )
