"""Saving annotations: every save is a new version, and never over somebody else's."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from core.domain.accounts import Identity
from core.domain.errors import BadInputError, ImmutableRecordError, UnknownRecordError
from core.domain.permissions import Action, require
from core.domain.records import LABELS, Annotation, AnnotationSource, new_id
from core.store.unit_of_work import Store, Work

_MAX_BOXES = 5_000


class AnnotationService:
    """Annotations in one workspace."""

    def __init__(self, store: Store, *, make_id: Callable[[], str] = new_id) -> None:
        self._store = store
        self._make_id = make_id

    def save(
        self,
        identity: Identity,
        image_sha256: str,
        boxes: Sequence[Mapping[str, Any]],
        *,
        expected_version: int,
        inspection_id: str | None = None,
        note: str = "",
    ) -> Annotation:
        """The annotation as saved, one version above `expected_version` (0 when there was none).

        Args:
            identity: who drew it.
            image_sha256: the image.
            boxes: all boxes there are now; each with `bbox` (x1, y1, x2, y2 in px) and `class`.
            expected_version: the version that the change was based on.
            inspection_id: the inspection they belong to, None for labels of the image.
            note: in the author's words.

        Raises:
            NotAllowedError: the role may not annotate.
            BadInputError: a box is no box within the image.
            UnknownRecordError: there is no such image or inspection.
            StaleVersionError: somebody saved since; nothing was stored.
        """
        require(identity, Action.ANNOTATIONS_SAVE)
        with self._store.write() as work:
            self._require_place(work, image_sha256, inspection_id, boxes)
            annotation = Annotation(
                annotation_id=self._make_id(),
                image_sha256=image_sha256,
                track=inspection_id or LABELS,
                inspection_id=inspection_id,
                version=expected_version + 1,
                source=AnnotationSource.HUMAN,
                author_id=identity.user_id,
                boxes=tuple(dict(box) for box in boxes),
                note=note,
                created_at=work.now,
            )
            before = work.annotations.latest(image_sha256, annotation.track)
            work.annotations.append(annotation)
            work.audit.record(
                identity,
                action="annotation.saved",
                object_type="image",
                object_id=image_sha256,
                before=annotation_content(before) if before else None,
                after=annotation_content(annotation),
                details={"track": annotation.track, "version": annotation.version, "n_boxes": len(boxes)},
            )
        return annotation

    def latest(
        self, identity: Identity, image_sha256: str, *, inspection_id: str | None = None
    ) -> Annotation | None:
        """The newest version, None when nobody annotated.

        Raises:
            NotAllowedError: the role may not look at annotations.
        """
        require(identity, Action.ANNOTATIONS_READ)
        with self._store.read() as work:
            return work.annotations.latest(image_sha256, inspection_id or LABELS)

    def history(
        self, identity: Identity, image_sha256: str, *, inspection_id: str | None = None
    ) -> list[Annotation]:
        """Every version, oldest first.

        Raises:
            NotAllowedError: the role may not look at annotations.
        """
        require(identity, Action.ANNOTATIONS_READ)
        with self._store.read() as work:
            return work.annotations.history(image_sha256, inspection_id or LABELS)

    @staticmethod
    def _require_place(
        work: Work, image_sha256: str, inspection_id: str | None, boxes: Sequence[Mapping[str, Any]]
    ) -> None:
        image = work.images.find(image_sha256)
        if image is None:
            raise UnknownRecordError(f"there is no image {image_sha256[:12]}")
        if inspection_id is not None:
            inspection = work.inspections.find(inspection_id)
            if inspection is None or inspection.image_sha256 != image_sha256:
                raise UnknownRecordError(f"there is no inspection {inspection_id} of this image")
            if not inspection.is_open:
                raise ImmutableRecordError("the inspection is signed: a correction is a new revision of it")
        require_boxes(boxes, image.width, image.height)


def annotation_content(annotation: Annotation) -> Mapping[str, Any]:
    """The content that the audit log digests."""
    return {
        "image": annotation.image_sha256,
        "track": annotation.track,
        "version": annotation.version,
        "author_id": annotation.author_id,
        "boxes": [dict(box) for box in annotation.boxes],
        "note": annotation.note,
    }


def require_boxes(boxes: Sequence[Mapping[str, Any]], width: int, height: int) -> None:
    """Return when every box has a class and lies within an image of this size, px.

    Raises:
        BadInputError: names the first that does not, counted from 1.
    """
    if len(boxes) > _MAX_BOXES:
        raise BadInputError(f"expected at most {_MAX_BOXES} boxes on an image, got {len(boxes)}")
    for number, box in enumerate(boxes, 1):
        _require_box(number, box, width, height)


def _require_box(number: int, box: Mapping[str, Any], width: int, height: int) -> None:
    corners = box.get("bbox")
    try:
        x1, y1, x2, y2 = (float(value) for value in corners or ())
    except (TypeError, ValueError):
        raise BadInputError(f"box {number}: expected bbox as x1, y1, x2, y2, got {corners!r}") from None
    if not (0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height):
        raise BadInputError(
            f"box {number}: expected corners within {width} x {height} px, left top before right bottom, "
            f"got {x1:g} {y1:g} {x2:g} {y2:g}"
        )
    if not isinstance(box.get("class"), str):
        raise BadInputError(f"box {number}: expected a class, got {box.get('class')!r}")
