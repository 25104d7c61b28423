"""The plan of an import of labels, which is its preview: what each image gets, what is left out and why."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from core.domain.labels import Label
from core.labelling.class_mapping import ClassMapping, ClassTarget
from core.labelling.entries import LabelEntry, LabelFile, LabelFormat
from core.labelling.image_matching import FoundImages, KnownImage
from core.labelling.label_placing import names_itself, place

_NAMED = 3
#: Decimals of a px in which labels have to agree to be the same.
_SAME_DIGITS = 6


class Outcome(StrEnum):
    """What becomes of an entry."""

    ADDED = "added"
    CHANGED = "changed"
    SAME = "the same"
    LEFT_OUT = "left out"

    @property
    def is_taken(self) -> bool:
        """True where labels are stored."""
        return self in (Outcome.ADDED, Outcome.CHANGED)

    @property
    def is_kept(self) -> bool:
        """True where the image has these labels afterwards."""
        return self is not Outcome.LEFT_OUT


@dataclass(frozen=True, slots=True)
class PlannedImage:
    """What one entry of a file of labels does.

    Attributes:
        name: of the image, as the file says it.
        place: where in the file.
        outcome: what becomes of it.
        why: the reason where it is left out; empty otherwise.
        image: the image that it means, None where none or several were found.
        labels: what the image gets.
        n_before: labels that the image has now, None where nobody labelled it yet.
        version: of these labels, 0 where there are none.
        refused: one line for each box that is not taken.
        notes: one line for each thing that is done to the boxes.
        is_new: the image comes with the file.
    """

    name: str
    place: str
    outcome: Outcome
    why: str = ""
    image: KnownImage | None = None
    labels: tuple[Label, ...] = ()
    n_before: int | None = None
    version: int = 0
    refused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class PlannedClass:
    """A class of the file.

    Attributes:
        name: as the file says it.
        n_boxes: boxes that bear it.
        target: what it becomes; None where it is unknown or left out.
        is_left_out: somebody said so.
        is_said: somebody mapped it.
    """

    name: str
    n_boxes: int
    target: ClassTarget | None
    is_left_out: bool = False
    is_said: bool = False

    @property
    def is_open(self) -> bool:
        """True where somebody has to say what it means before anything can be stored."""
        return self.target is None and not self.is_left_out


@dataclass(frozen=True, slots=True)
class NewImage:
    """An image that comes with the file and is not stored yet.

    Attributes:
        image: as it will be known.
        path: of its file in the archive.
        frame: number of the frame in a file of several, from 1; None for a file of one picture.
    """

    image: KnownImage
    path: str
    frame: int | None = None


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """Everything that an import would do.

    Attributes:
        form: of the file.
        images: one for each entry, in file order.
        classes: that the boxes bear, by name.
        new_images: images that come with the file, in its order.
        refused: one line for each thing that belongs to no image, or image file that cannot be read.
        notes: one line for each thing about the whole file.
    """

    form: LabelFormat
    images: tuple[PlannedImage, ...]
    classes: tuple[PlannedClass, ...]
    new_images: tuple[NewImage, ...] = ()
    refused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def open_classes(self) -> tuple[PlannedClass, ...]:
        """Those that somebody has to map first."""
        return tuple(one for one in self.classes if one.is_open)

    def count(self, outcome: Outcome) -> int:
        """The number of entries with this outcome."""
        return sum(one.outcome is outcome for one in self.images)

    @property
    def n_boxes(self) -> int:
        """Boxes of the images that are taken or stay the same."""
        return sum(len(one.labels) for one in self.images if one.outcome is not Outcome.LEFT_OUT)

    @property
    def n_refused(self) -> int:
        """Boxes and other things that are not taken, apart from images that are left out."""
        return len(self.refused) + sum(
            len(one.refused) for one in self.images if one.outcome is not Outcome.LEFT_OUT
        )

    def with_refused(self, lines: Sequence[str]) -> "ImportPlan":
        """The plan with further things that cannot be taken."""
        return replace(self, refused=(*self.refused, *lines))

    @property
    def is_empty(self) -> bool:
        """True where nothing can be taken, not even as it is."""
        return not self.new_images and not any(one.outcome.is_kept for one in self.images)


@dataclass(frozen=True, slots=True)
class KeptLabels:
    """The labels that an image has now, and their version."""

    labels: Sequence[Label]
    version: int


def plan_import(
    file: LabelFile,
    found: Sequence[FoundImages],
    kept: Mapping[str, KeptLabels],
    *,
    mapping: ClassMapping,
    blocked: Mapping[str, str] | None = None,
    new_images: Sequence[NewImage] = (),
    takes_empty: bool = True,
    most_boxes: int = 5_000,
) -> ImportPlan:
    """What an import would do, entry by entry. A refused box never becomes an image without one.

    Args:
        file: of labels.
        found: the images that each entry may mean.
        kept: labels by digest, of the images that have some.
        mapping: of class names.
        blocked: digest to the reason why this person may not label that image.
        new_images: that come with the file.
        takes_empty: an entry without a box says that somebody looked and found nothing; False leaves it out.
        most_boxes: that one image may have.
    """
    new = {one.image.sha256 for one in new_images}
    meant = Counter(one.images[0].sha256 for one in found if len(one.images) == 1)
    places: dict[str, list[str]] = {}
    for entry, one in zip(file.entries, found, strict=True):
        if len(one.images) == 1:
            places.setdefault(one.images[0].sha256, []).append(entry.place)
    planned = []
    for entry, one in zip(file.entries, found, strict=True):
        why, image = _trouble(entry, one), one.images[0] if len(one.images) == 1 else None
        if image and meant[image.sha256] > 1:
            others = [place for place in places[image.sha256] if place != entry.place] or [entry.place]
            why = f"ambiguous: {_listed(others)} is for {image.name} as well"
        if image and not why:
            why = (blocked or {}).get(image.sha256, "")
        if why or image is None:
            planned.append(PlannedImage(entry.name, entry.place, Outcome.LEFT_OUT, why, image))
            continue
        planned.append(
            _planned(entry, image, one.how, kept.get(image.sha256), mapping, is_new=image.sha256 in new,
                     takes_empty=takes_empty, most_boxes=most_boxes)
        )  # fmt: skip
    return ImportPlan(file.form, tuple(planned), _classes(file, mapping), tuple(new_images), file.refused,
                      file.notes)  # fmt: skip


def _trouble(entry: LabelEntry, found: FoundImages) -> str:
    if entry.problem:
        return entry.problem
    if not found.images:
        return found.how or "no such image is here"
    if len(found.images) > 1:
        names = _listed([one.name for one in found.images])
        return f"ambiguous: {len(found.images)} images bear this name: {names}"
    return ""


def _planned(
    entry: LabelEntry,
    image: KnownImage,
    how: str,
    kept: KeptLabels | None,
    mapping: ClassMapping,
    *,
    is_new: bool,
    takes_empty: bool,
    most_boxes: int,
) -> PlannedImage:
    planned = PlannedImage(
        entry.name,
        entry.place,
        Outcome.LEFT_OUT,
        image=image,
        n_before=len(kept.labels) if kept else None,
        version=kept.version if kept else 0,
        is_new=is_new,
    )
    try:
        placed = place(entry, image, mapping)
    except ValueError as error:
        return replace(planned, why=str(error))
    notes = (f"{how}: {image.name}", *placed.notes) if how else placed.notes
    planned = replace(planned, refused=placed.refused, notes=notes)
    labels = placed.labels
    if placed.refused and not labels:
        return replace(planned, why=f"no box of it can be taken: {_listed(placed.refused)}")
    if not labels and not takes_empty:
        return replace(planned, why="it has no box, and such images are left out as was asked")
    if len(labels) > most_boxes:
        return replace(planned, why=f"{len(labels)} boxes; at most {most_boxes} are taken on an image")
    outcome = Outcome.ADDED if kept is None else Outcome.CHANGED
    if kept is not None and _said(labels) == _said(kept.labels):
        outcome = Outcome.SAME
    elif kept is not None and (n_coarser := _coarser(kept.labels, labels)):
        lost = f"{n_coarser} of the labels now say a kind, number or own class that the file does not"
        planned = replace(planned, notes=(*planned.notes, lost))
    return replace(planned, outcome=outcome, labels=labels)


def _classes(file: LabelFile, mapping: ClassMapping) -> tuple[PlannedClass, ...]:
    counts = Counter(
        box.label.strip() for entry in file.entries for box in entry.boxes if not names_itself(box)
    )
    return tuple(
        PlannedClass(name, count, mapping.target(name), mapping.is_left_out(name), name in mapping.names)
        for name, count in sorted(counts.items())
    )


def _coarser(kept: Sequence[Label], labels: Sequence[Label]) -> int:
    """How many labels of an image would stay in place and lose what is finer than a class."""
    plain = {_place_of(one) for one in labels if not (one.iso6520 or one.kind or one.own_class)}
    return sum(bool(one.iso6520 or one.kind or one.own_class) and _place_of(one) in plain for one in kept)


def _place_of(one: Label) -> tuple[object, ...]:
    return (*(round(value, 2) for value in one.bbox), one.indication_class)


def _said(labels: Sequence[Label]) -> list[tuple[object, ...]]:
    return sorted(_words_of(one) for one in labels)


def _words_of(one: Label) -> tuple[object, ...]:
    """What tells labels apart; edges that differ by rounding alone, as percents have it, are the same."""
    finer = (one.iso6520 or "", one.kind or "", one.own_class or "")
    corners = tuple(round(value, _SAME_DIGITS) for corner in one.polygon for value in corner)
    edges = tuple(round(value, _SAME_DIGITS) for value in one.bbox)
    return (*edges, one.indication_class.value, *finer, corners)


def _listed(words: Sequence[str]) -> str:
    more = f" and {len(words) - _NAMED} more" if len(words) > _NAMED else ""
    return "; ".join(words[:_NAMED]) + more
