"""Images of a comparison, sent to the queue of corrections by a person."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.domain.accounts import Identity
from core.domain.correction import CorrectionCase, FoundBox, Reason, Sent
from core.domain.errors import BadInputError, WorkbenchError
from core.domain.permissions import Action, require
from core.domain.radiograph import Polarity
from core.domain.records import new_id
from core.services.evaluation.evaluation_sets import EvaluationSets, SetContent
from core.services.images.images import ImageService
from core.services.inspections.correction_queue import put
from core.store.evaluations import EvaluationSet
from core.store.unit_of_work import Store

MOST_IMAGES, LONGEST_NOTE = 500, 500
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SentImages:
    """The outcome of sending, in numbers of images.

    Attributes:
        n_queued: that wait in the queue now because of it.
        n_open: that waited there before and were left as they are.
        n_taken_in: of those queued, that lay in the set alone and were handed in by it.
        n_failed: that could not be handed in: a file that was changed or cannot be read, or a full store.
    """

    n_queued: int
    n_open: int
    n_taken_in: int
    n_failed: int


class LabelSending:
    """Sends images of evaluation sets to the queue of the real workspace.

    Args:
        store: the workspace's.
        images: hands in what lies in a set alone.
        sets: the evaluation sets.
        make_id: gives ids.
    """

    def __init__(
        self, store: Store, images: ImageService, sets: EvaluationSets, *, make_id: Callable[[], str] = new_id
    ) -> None:
        self._store = store
        self._images = images
        self._sets = sets
        self._make_id = make_id

    def send(
        self,
        identity: Identity,
        chosen: EvaluationSet,
        boxes: Mapping[str, Sequence[FoundBox]],
        *,
        versions: Sequence[int],
        operating_probability: float,
        note: str = "",
    ) -> SentImages:
        """Queue these images of the set; those with an open item are left out.

        Args:
            identity: who sends.
            chosen: the set.
            boxes: what is to be looked at, by sha256 of the image; at least one box each.
            versions: numbers of the versions that were compared.
            operating_probability: that boxes are reported from; those near it come first.
            note: for whoever labels.

        Raises:
            NotAllowedError: the role may not send images.
            BadInputError: no or too many images, one that is not of the set, or a note that is too long.
        """
        require(identity, Action.LABELLING_SEND)
        told, content = " ".join(note.split()), self._sets.content(chosen)
        if not 0 < len(boxes) <= MOST_IMAGES:
            raise BadInputError(f"expected 1 to {MOST_IMAGES} images at once, got {len(boxes)}")
        if len(told) > LONGEST_NOTE:
            raise BadInputError(f"note: expected at most {LONGEST_NOTE} characters")
        if not boxes.keys() <= set(content.digests):
            raise BadInputError("the evaluation set holds no such image")
        with self._store.read() as work:
            waiting = {one for one in boxes if work.queue.of_image(one)}
            known = {one for one in boxes if work.images.find(one) is not None}
        missing = [one for one in boxes if one not in known and one not in waiting]
        taken_in = {one for one in missing if self._take_in(identity, content, one)}
        model, point = chosen.model_name, operating_probability
        sent = Sent(self._make_id(), identity.user_id, tuple(versions), chosen.name, told)
        with self._store.write() as work:
            ready = [one for one in boxes if one in known or one in taken_in]
            free = [one for one in ready if not work.queue.of_image(one)]
            n_queued = put(
                work,
                [
                    CorrectionCase(Reason.SENT, one, None, model, point, tuple(boxes[one]), sent)
                    for one in free
                ],
                self._make_id,
            )
            work.audit.record(
                identity,
                action="queue.sent",
                object_type="evaluation_set",
                object_id=chosen.set_id,
                details={"versions": list(versions), "images": sorted(free), "note": told},
            )
        n_failed = len(missing) - len(taken_in)
        return SentImages(n_queued, len(boxes) - n_queued - n_failed, len(taken_in), n_failed)

    def _take_in(self, identity: Identity, content: SetContent, sha256: str) -> bool:
        """Hand in an image that lies in its set alone; False where that is not possible."""
        image = content.images[content.digests.index(sha256)]
        polarity = Polarity(str(image.extra.get("polarity", content.polarity)))
        try:
            path = content.folder / image.file_name
            self._sets.read(content, sha256)  # refuses what was changed or lies elsewhere
            added = self._images.add(identity, path.read_bytes(), path.name, polarity=polarity)
        except (WorkbenchError, OSError) as error:
            log.warning("image %s of a set was not handed in: %s", sha256[:12], error)
            return False
        return added.sha256 == sha256
