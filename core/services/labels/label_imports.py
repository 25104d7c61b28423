"""Labels in from files of other tools: a plan that is shown first, then all of it in one transaction."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import IO

from core.domain.accounts import COMMAND_LINE, Identity
from core.domain.errors import BadInputError, DatasetError, UnreadableImageError
from core.domain.labels import labels_of
from core.domain.permissions import Action, may, require
from core.domain.records import LABELS
from core.imaging.names import distinct_names
from core.imaging.read import read_radiograph
from core.imaging.sniff import sniff
from core.imaging.uploads import frames_in, may_be_radiograph
from core.labelling.class_mapping import ClassMapping
from core.labelling.entries import LabelFormat
from core.labelling.image_matching import KnownImage
from core.labelling.import_plan import ImportPlan, KeptLabels, NewImage, Outcome, plan_import
from core.labelling.label_reading import TEXT_SUFFIXES, read_labels
from core.labelling.label_source import SourceFile, opened
from core.labelling.source_images import SourceImages
from core.services.images.images import ImageService, TakenImage
from core.services.inspections.annotations import MOST_BOXES
from core.services.inspections.inspection_record import is_blind_for
from core.services.labels.labels import LabelService
from core.store.unit_of_work import Store, Work

_LONGEST_SOURCE = 200


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How a file of labels is taken.

    Attributes:
        form: its format; None tells it from the content.
        mapping: class names of the file to names that are known here, or to `leave-out`.
        voc_origin: number of the first pixel in VOC files, 1 or 0.
        takes_images: images that lie in the archive are brought in, too.
        takes_empty: an image without a box counts as one on which somebody looked and found nothing.
    """

    form: LabelFormat | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    voc_origin: int = 1
    takes_images: bool = True
    takes_empty: bool = True


@dataclass(frozen=True, slots=True)
class Imported:
    """Counts of an import.

    Attributes:
        n_images: images whose labels are another version now.
        n_same: images whose labels were the same already.
        n_boxes: boxes in both.
        n_left_out: entries that were left out.
        n_new_images: images that came with the file.
    """

    n_images: int
    n_same: int
    n_boxes: int
    n_left_out: int
    n_new_images: int


class LabelImports:
    """Imports labels, and images for labelling with them, into one workspace.

    Args:
        store: the workspace's.
        images: takes in what lies beside the labels.
        labels: saves what is imported.
    """

    def __init__(self, store: Store, images: ImageService, labels: LabelService) -> None:
        self._store = store
        self._images = images
        self._labels = labels

    def plan(self, identity: Identity, source: IO[bytes], name: str, options: ImportOptions) -> ImportPlan:
        """What an import would do; nothing is stored.

        Args:
            identity: who asks; a command may.
            source: a file, or a ZIP archive of labels, with or without the images; readable and seekable.
            name: of it, for messages.
            options: how it is taken.

        Raises:
            NotAllowedError: the role may not look at annotations.
            DatasetError: the file is not understood.
            BadInputError: a class is mapped that the file does not use, or to a name that is not known here.
        """
        require(identity, Action.ANNOTATIONS_READ)
        with self._store.read() as work:
            mapping = ClassMapping(options.mapping, work.own_classes.all())
        with opened(source, name) as files:
            file = read_labels(files, name, options.form, voc_origin=options.voc_origin)
            pictures = [one for one in files if len(files) > 1 and _is_picture(one)]
            others = [one.path for one in files if len(files) > 1 and one not in pictures]
            unread = [f"{path}: neither labels nor an image" for path in others if not _is_text(path)]
            read = _Pictures(pictures if options.takes_images and _may_add(identity) else [])
        _require_used(mapping, {box.label.strip() for entry in file.entries for box in entry.boxes})
        with self._store.read() as work:
            stored = [KnownImage(*row) for row in work.images.names()]
            beside = SourceImages(stored, read.images)
            found = [beside.find(entry) for entry in file.entries]
            meant = {one.images[0].sha256 for one in found if len(one.images) == 1}
            plan = plan_import(
                file,
                found,
                _kept(work, meant),
                mapping=mapping,
                blocked=_blocked(work, identity, meant),
                new_images=beside.new,
                takes_empty=options.takes_empty,
                most_boxes=MOST_BOXES,
            )
        return plan.with_refused([*read.refused, *unread])

    def apply(self, identity: Identity, source: IO[bytes], name: str, plan: ImportPlan) -> Imported:
        """Do what a plan says, all of it or nothing: labels become the next version of those of an image.

        Args:
            identity: whose labels they become.
            source: what the plan was made of.
            name: of it.
            plan: of `plan`.

        Raises:
            NotAllowedError: the role may not annotate, or not hand in images that come along.
            BadInputError: somebody has to say first what a class means; the workspace is full.
            StaleVersionError: somebody saved labels of an image since the plan was made; nothing was stored.
            DatasetError: the file is another one by now.
        """
        require(identity, Action.ANNOTATIONS_SAVE)
        if plan.open_classes:
            raise BadInputError(open_words(plan))
        with opened(source, name) as files:
            by_path = {one.path: one for one in files}
            taken = list(self._taken(identity, plan.new_images, by_path))
            with self._store.write() as work:
                for one in taken:
                    self._images.keep_within(work, identity, one)
                for image in plan.images:
                    if image.outcome.is_taken and image.image is not None:
                        self._labels.append(
                            work,
                            identity,
                            image.image.sha256,
                            image.labels,
                            refused=None,
                            note=f"imported from {name}"[:_LONGEST_SOURCE],
                            expected_version=image.version,
                        )
                done = Imported(
                    n_images=sum(one.outcome.is_taken for one in plan.images),
                    n_same=plan.count(Outcome.SAME),
                    n_boxes=plan.n_boxes,
                    n_left_out=plan.count(Outcome.LEFT_OUT),
                    n_new_images=len(taken),
                )
                work.audit.record(
                    identity,
                    action="labels.imported",
                    object_type="labels",
                    object_id=plan.form.value,
                    details={"n_images": done.n_images + done.n_same, "n_boxes": done.n_boxes,
                             "n_new_images": done.n_new_images, "n_left_out": done.n_left_out},
                )  # fmt: skip
        return done

    def _taken(
        self, identity: Identity, images: Sequence[NewImage], files: Mapping[str, SourceFile]
    ) -> Iterator[TakenImage]:
        """The new images, their bytes stored one after the other."""
        n_waiting = 0
        for one in images:
            if one.path not in files:
                raise DatasetError(f"{one.path} is not in the file any more; choose it again")
            taken = self._images.take_in(
                identity, files[one.path].read, one.image.name, frame=one.frame, n_waiting=n_waiting
            )
            if taken.facts.sha256 != one.image.sha256:
                raise DatasetError(f"{one.path} is another image by now; choose the file again")
            n_waiting += taken.n_bytes
            yield taken


def open_words(plan: ImportPlan) -> str:
    """Asks what the classes mean that are not known here."""
    asked = ", ".join(
        f"{one.name!r} ({one.n_boxes} {'box' if one.n_boxes == 1 else 'boxes'})" for one in plan.open_classes
    )
    return f"say first what these classes of the file mean: {asked}; nothing was stored"


class _Pictures:
    """The pictures in an archive, read one at a time; what cannot be read is named."""

    def __init__(self, files: Sequence[SourceFile]) -> None:
        self.images: list[NewImage] = []
        self.refused: list[str] = []
        for file, name in zip(files, distinct_names([one.path for one in files]), strict=True):
            try:
                for frame in frames_in(file.read(), name):
                    read = read_radiograph(frame.read(), frame.name, frame=frame.frame)
                    known = KnownImage(read.sha256, frame.name, read.width, read.height)
                    self.images.append(NewImage(known, file.path, frame.frame))
            except (UnreadableImageError, DatasetError) as error:
                self.refused.append(f"{file.path}: {error}")


def _is_text(path: str) -> bool:
    """True for what may hold labels, and for notes that archives have beside them."""
    return PurePosixPath(path).suffix.casefold() in (*TEXT_SUFFIXES, ".md", ".cache", "")


def _is_picture(file: SourceFile) -> bool:
    if file.suffix in TEXT_SUFFIXES:
        return False
    return may_be_radiograph(file.path, lambda: b"") or sniff(file.read()) is not None


def _may_add(identity: Identity) -> bool:
    return identity.user_id == COMMAND_LINE.user_id or may(identity.role, Action.IMAGES_ADD)


def _require_used(mapping: ClassMapping, used: set[str]) -> None:
    if unused := sorted(mapping.names - used):
        listed = ", ".join(sorted(used)) or "none"
        raise BadInputError(f"no box of the file bears the class {unused[0]!r}; its classes are: {listed}")


def _kept(work: Work, digests: set[str]) -> dict[str, KeptLabels]:
    found = {digest: work.annotations.latest(digest, LABELS) for digest in digests}
    return {
        digest: KeptLabels(labels_of(one.boxes), one.version)
        for digest, one in found.items()
        if one is not None
    }


def _blocked(work: Work, identity: Identity, digests: set[str]) -> dict[str, str]:
    """Images that wait for this person's second reading, which has to be blind."""
    if not may(identity.role, Action.REVIEWS_ADD):
        return {}
    waits = {
        digest
        for digest in digests
        for one in work.inspections.of_image(digest)
        if is_blind_for(identity, inspector_id=one.inspector_id, state=one.state)
    }
    return dict.fromkeys(
        waits, "it waits for your second reading, which has to be blind: label it after that"
    )
