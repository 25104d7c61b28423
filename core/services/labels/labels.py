"""Labelling an image: what is true, what was refused, what is suggested; saved with every edit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.domain.accounts import Identity
from core.domain.correction import FoundBox, Origin, Reason
from core.domain.errors import BadInputError, NotAllowedError, StaleVersionError, UnknownRecordError
from core.domain.indication import IndicationClass
from core.domain.labels import LONGEST_NOTE, REFUSED, Label, Suggestion, labels_of, merged
from core.domain.permissions import Action, require
from core.domain.records import LABELS, Annotation, AnnotationSource, Inspection, new_id
from core.services.inspections.annotations import annotation_content, require_boxes
from core.services.inspections.correction_queue import close_all, names_of
from core.services.inspections.inspection_record import is_blind_for
from core.services.labels.own_classes import require_known
from core.store.images import StoredImage
from core.store.queue import QueueItem, QueueState
from core.store.unit_of_work import Store, Work


@dataclass(frozen=True, slots=True, eq=False)
class LabelSheet:
    """An image with its labels and everything beside them.

    Attributes:
        labels: what is true.
        refused: suggestions that were looked at and are not.
        version: of the last save, 0 when nobody saved.
        saved_at, author: of the last save; None and "" when nobody saved.
        note: on the image.
        suggestions: what could become a label, people's before the model's.
        answer: the newest inspection, None when no model ever looked at the image.
        items: open items of the queue, the most urgent first.
    """

    image: StoredImage
    labels: tuple[Label, ...]
    refused: tuple[Label, ...]
    version: int
    saved_at: datetime | None
    author: str
    note: str
    suggestions: tuple[Suggestion, ...]
    answer: Inspection | None
    items: tuple[QueueItem, ...]


@dataclass(frozen=True, slots=True)
class EarlierLabels:
    """The labels of the image that somebody worked on before, to be copied.

    Attributes:
        name: of that image.
    """

    name: str
    labels: tuple[Label, ...]


class LabelService:
    """Labels in one workspace."""

    def __init__(self, store: Store, *, make_id: Callable[[], str] = new_id) -> None:
        self._store = store
        self._make_id = make_id

    def open(self, identity: Identity, image_sha256: str) -> LabelSheet:
        """The image as it is labelled now.

        Raises:
            NotAllowedError: the role may not look at annotations, or the image waits for this person's second
                reading, which has to be blind.
            UnknownRecordError: there is no such image.
        """
        require(identity, Action.ANNOTATIONS_READ)
        with self._store.read() as work:
            image = _existing(work, image_sha256)
            inspections = work.inspections.of_image(image_sha256)
            _require_not_blind(identity, inspections)
            kept = work.annotations.latest(image_sha256, LABELS)
            refused = work.annotations.latest(image_sha256, REFUSED)
            items = work.queue.of_image(image_sha256)
            answer = inspections[0] if inspections else None
            return LabelSheet(
                image=image,
                labels=tuple(labels_of(kept.boxes)) if kept else (),
                refused=tuple(labels_of(refused.boxes)) if refused else (),
                version=kept.version if kept else 0,
                saved_at=kept.created_at if kept else None,
                author=names_of(work, {kept.author_id}).get(kept.author_id or "", "") if kept else "",
                note=kept.note if kept else "",
                suggestions=tuple(suggestions_of(answer, items)),
                answer=answer,
                items=tuple(items),
            )

    def before(
        self, identity: Identity, image_sha256: str, *, visited: str | None = None
    ) -> EarlierLabels | None:
        """Labels of the image before this one; None when there is none that this person may see.

        Args:
            identity: who labels.
            image_sha256: the image on show.
            visited: the image before it, None takes the one whose labels this person saved last.

        Raises:
            NotAllowedError: the role may not look at annotations.
        """
        require(identity, Action.ANNOTATIONS_READ)
        with self._store.read() as work:
            if visited is None:
                last = work.annotations.latest_by(identity.user_id, LABELS, but_not=image_sha256)
                visited = last.image_sha256 if last else None
            image = work.images.find(visited) if visited else None
            if image is None or _is_blind(identity, work.inspections.of_image(image.sha256)):
                return None
            kept = work.annotations.latest(image.sha256, LABELS)
            return EarlierLabels(image.name, tuple(labels_of(kept.boxes)) if kept else ())

    def save(
        self,
        identity: Identity,
        image_sha256: str,
        labels: Sequence[Label],
        *,
        refused: Sequence[Label] = (),
        note: str = "",
        expected_version: int,
    ) -> Annotation:
        """The labels as saved, one version above `expected_version` (0 when there were none).

        Raises:
            NotAllowedError: the role may not annotate, or has to stay blind.
            UnknownRecordError: there is no such image.
            BadInputError: two labels share an id, a box lies outside of the image, the note is too long.
            StaleVersionError: somebody saved since; nothing was stored.
        """
        require(identity, Action.ANNOTATIONS_SAVE)
        with self._store.write() as work:
            return self.append(
                work,
                identity,
                image_sha256,
                labels,
                refused=refused,
                note=note,
                expected_version=expected_version,
            )

    def submit(self, identity: Identity, image_sha256: str, *, expected_version: int) -> int:
        """Submit the labels as complete; returns the number of queue items that this closed.

        An image without a label is one on which somebody looked and found nothing: that is kept as an empty
        version. Items that somebody else is at stay open.

        Raises:
            NotAllowedError: the role may not annotate, or has to stay blind.
            UnknownRecordError: there is no such image.
            StaleVersionError: somebody saved since this person looked.
        """
        require(identity, Action.ANNOTATIONS_SAVE)
        with self._store.write() as work:
            kept = work.annotations.latest(image_sha256, LABELS)
            if (stored := kept.version if kept else 0) != expected_version:
                raise StaleVersionError("the labels", yours=expected_version, stored=stored)
            if kept is None:
                kept = self.append(work, identity, image_sha256, (), expected_version=0)
            else:
                _require_not_blind(identity, work.inspections.of_image(image_sha256))
            n_closed = close_all(work, identity, image_sha256, QueueState.DONE)
            work.audit.record(
                identity,
                action="labels.submitted",
                object_type="image",
                object_id=image_sha256,
                after=annotation_content(kept),
                details={"version": kept.version, "n_boxes": len(kept.boxes), "n_closed": n_closed},
            )
            return n_closed

    def append(
        self,
        work: Work,
        identity: Identity,
        image_sha256: str,
        labels: Sequence[Label],
        *,
        refused: Sequence[Label] | None = (),
        note: str = "",
        expected_version: int,
    ) -> Annotation:
        """As `save`, within a transaction of the caller; None leaves what was refused as it is."""
        require(identity, Action.ANNOTATIONS_SAVE)
        image = _existing(work, image_sha256)
        _require_not_blind(identity, work.inspections.of_image(image_sha256))
        if len(note) > LONGEST_NOTE:
            raise BadInputError(f"note: expected at most {LONGEST_NOTE} characters")
        require_known([*labels, *(refused or ())], work.own_classes.all())
        before = work.annotations.latest(image_sha256, LABELS)
        saved = self._annotation(work, identity, image, labels, LABELS, expected_version + 1, note)
        work.annotations.append(saved)
        kept = work.annotations.latest(image_sha256, REFUSED)
        before_refused = [dict(box) for box in kept.boxes] if kept else []
        if refused is not None and [one.to_box() for one in refused] != before_refused:
            version = kept.version + 1 if kept else 1
            work.annotations.append(self._annotation(work, identity, image, refused, REFUSED, version))
        work.audit.record(
            identity,
            action="annotation.saved",
            object_type="image",
            object_id=image_sha256,
            before=annotation_content(before) if before else None,
            after=annotation_content(saved),
            details={"track": LABELS, "version": saved.version, "n_boxes": len(labels)},
        )
        return saved

    def _annotation(
        self,
        work: Work,
        identity: Identity,
        image: StoredImage,
        labels: Sequence[Label],
        track: str,
        version: int,
        note: str = "",
    ) -> Annotation:
        if len({one.label_id for one in labels}) < len(labels):
            raise BadInputError("expected a different id for each label")
        boxes = [one.to_box() for one in labels]
        require_boxes(boxes, image.width, image.height)
        return Annotation(
            annotation_id=self._make_id(),
            image_sha256=image.sha256,
            track=track,
            inspection_id=None,
            version=version,
            source=AnnotationSource.HUMAN,
            author_id=identity.user_id,
            boxes=tuple(boxes),
            note=note,
            created_at=work.now,
        )


def suggestions_of(answer: Inspection | None, items: Sequence[QueueItem]) -> list[Suggestion]:
    """Suggestions for labels: the model's newest answer, and objections from the queue."""
    reported: list[Suggestion] = []
    if answer is not None:
        prefix = answer.inspection_id[:12]
        reported = [
            Suggestion(f"{prefix}-{n}", _reported(found)) for n, found in enumerate(answer.detections)
        ]
    found = [
        Suggestion(f"{item.item_id[:12]}-{n}", box, is_doubted=item.reason is Reason.FALSE_CALL)
        for item in items
        for n, box in enumerate(item.boxes)
    ]
    return merged(reported, found)


def _reported(found: Mapping[str, object]) -> FoundBox:
    x1, y1, x2, y2 = (float(value) for value in found["bbox"])  # type: ignore[attr-defined]  # plain JSON
    return FoundBox(
        bbox=(x1, y1, x2, y2),
        indication_class=IndicationClass(str(found["class"])),
        probability=float(str(found["probability"])),
        origin=Origin.MODEL,
    )


def _existing(work: Work, image_sha256: str) -> StoredImage:
    image = work.images.find(image_sha256)
    if image is None:
        raise UnknownRecordError(f"there is no image {image_sha256[:12]}")
    return image


def _require_not_blind(identity: Identity, inspections: Sequence[Inspection]) -> None:
    """Return unless this person may still be the second one for an inspection of the image.

    Raises:
        NotAllowedError: labels and suggestions would tell the first result.
    """
    if _is_blind(identity, inspections):
        raise NotAllowedError("this image waits for your second reading: label it after that")


def _is_blind(identity: Identity, inspections: Sequence[Inspection]) -> bool:
    return any(is_blind_for(identity, inspector_id=one.inspector_id, state=one.state) for one in inspections)
