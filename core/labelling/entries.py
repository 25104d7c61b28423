"""Files of labels of any format, read: what each says of which image, and what of it cannot be taken."""

from dataclasses import dataclass
from enum import StrEnum

from core.labelling.labelled import LabelledBox


class LabelFormat(StrEnum):
    """File format of labels."""

    COCO = "coco"
    YOLO = "yolo"
    VOC = "voc"
    CVAT = "cvat"
    LABEL_STUDIO = "label-studio"
    LABELME = "labelme"
    DATUMARO = "datumaro"

    @property
    def words(self) -> str:
        """Its name for people."""
        return _WORDS[self]


_WORDS = {
    LabelFormat.COCO: "COCO",
    LabelFormat.YOLO: "YOLO",
    LabelFormat.VOC: "Pascal VOC",
    LabelFormat.CVAT: "CVAT for images 1.1",
    LabelFormat.LABEL_STUDIO: "Label Studio JSON",
    LabelFormat.LABELME: "LabelMe JSON",
    LabelFormat.DATUMARO: "Datumaro JSON",
}


@dataclass(frozen=True, slots=True)
class LabelEntry:
    """What a file of labels says of one image.

    Attributes:
        name: of the image, as the file says it.
        place: where the file says it, for people; the name alone where that tells enough.
        boxes: in px of an image of `size`; fractions of width and height where `is_fraction`.
        size: width and height in px, None where the file does not say.
        sha256: of the original bytes, None where the file does not say.
        refused: one line for each box that cannot be taken, with the reason.
        notes: one line for each thing that was done to a box and that somebody should know.
        problem: the reason why nothing of it can be taken; empty where it can.
        is_fraction: the boxes go from 0 to 1.
        is_stem: the name is without the suffix of the image file.
    """

    name: str
    place: str
    boxes: tuple[LabelledBox, ...] = ()
    size: tuple[int, int] | None = None
    sha256: str | None = None
    refused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    problem: str = ""
    is_fraction: bool = False
    is_stem: bool = False


@dataclass(frozen=True, slots=True)
class LabelFile:
    """A file of labels, read.

    Attributes:
        form: its format.
        entries: in its order.
        refused: one line for each thing in it that belongs to no image and cannot be taken.
        notes: one line for each thing about the whole file that somebody should know.
    """

    form: LabelFormat
    entries: tuple[LabelEntry, ...]
    refused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
