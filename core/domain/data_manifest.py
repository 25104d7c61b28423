"""Content of a data version: images by digest, their boxes, and their part of the split."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from core.domain.errors import DatasetError
from core.domain.indication import IndicationClass
from core.domain.radiograph import Polarity

_FORMAT = 1


class Part(StrEnum):
    """Part of the split. Only TRAIN teaches; the others calibrate and judge."""

    TRAIN = "train"
    CALIBRATION = "calibration"
    TEST = "test"


class ImageOrigin(StrEnum):
    """Source of the boxes of an image."""

    LABELS = "labels"
    IMPORTED = "imported"


@dataclass(frozen=True, slots=True)
class LabelledBox:
    """A box that is true.

    Attributes:
        bbox: x1, y1, x2, y2 in px.
        polygon: corners x, y in px, whose bounds the box is; empty for a box alone.
    """

    bbox: tuple[float, float, float, float]
    indication_class: IndicationClass
    polygon: tuple[tuple[float, float], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        outline = {"polygon": [list(corner) for corner in self.polygon]} if self.polygon else {}
        return {"bbox": list(self.bbox), "class": self.indication_class.value, **outline}


@dataclass(frozen=True, slots=True)
class IgnoredBox:
    """A box of a class that models do not know: it teaches neither an indication nor its absence.

    Attributes:
        bbox: x1, y1, x2, y2 in px.
        own_class: its code.
    """

    bbox: tuple[float, float, float, float]
    own_class: str


@dataclass(frozen=True, slots=True)
class ManifestImage:
    """An image of a data version.

    Attributes:
        sha256: of the original file, or of one frame of it.
        file_sha256: of the original file.
        frame: number of the frame in that file, from 1; None where it holds one picture.
        name: file name, for people.
        series: the part that it shows; all images of one are in the same part of the split.
        boxes: none, and none ignored, is an image that somebody declared free of indications.
        annotation_version: of the labels that the boxes were taken from, None for imported ones.
        ignored: labels of classes that models do not know.
    """

    sha256: str
    name: str
    series: str
    part: Part
    polarity: Polarity
    width: int
    height: int
    boxes: tuple[LabelledBox, ...]
    origin: ImageOrigin
    annotation_version: int | None = None
    file_sha256: str = ""
    frame: int | None = None
    ignored: tuple[IgnoredBox, ...] = ()

    def __post_init__(self) -> None:
        if not self.file_sha256:
            object.__setattr__(self, "file_sha256", self.sha256)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "sha256": self.sha256,
            "name": self.name,
            "series": self.series,
            "part": self.part.value,
            "polarity": self.polarity.value,
            "width": self.width,
            "height": self.height,
            "origin": self.origin.value,
            "annotation_version": self.annotation_version,
            "boxes": [box.to_dict() for box in self.boxes],
            **self.place,
            **({"ignored": [{"bbox": list(b.bbox), "own_class": b.own_class} for b in self.ignored]}
               if self.ignored else {}),
        }  # fmt: skip

    @property
    def place(self) -> dict[str, Any]:
        """File and number of a frame for JSON; empty for a file of one picture."""
        return {} if self.frame is None else {"file_sha256": self.file_sha256, "frame": self.frame}


@dataclass(frozen=True, slots=True)
class DataManifest:
    """The whole of a data version; its id is the digest of this content.

    Attributes:
        model_name: "weld" or "casting".
        licence: what the images may be used for, in words.
        parent: id of the version that came before, None for the first.
        images: ascending by sha256, each once.

    Raises:
        DatasetError: an image is listed twice, or a series stands in two parts.
    """

    model_name: str
    licence: str
    parent: str | None
    images: tuple[ManifestImage, ...]

    def __post_init__(self) -> None:
        digests = [image.sha256 for image in self.images]
        if len(set(digests)) < len(digests):
            raise DatasetError("a data version holds an image twice")
        if digests != sorted(digests):
            object.__setattr__(self, "images", tuple(sorted(self.images, key=lambda image: image.sha256)))
        part_of: dict[str, Part] = {}
        for image in self.images:
            if part_of.setdefault(image.series, image.part) is not image.part:
                raise DatasetError(f"{image.series} stands in two parts of the split")

    def to_json(self) -> str:
        """Canonical JSON: the same content is the same text."""
        content = {
            "format": _FORMAT,
            "model": self.model_name,
            "licence": self.licence,
            "parent": self.parent,
            "images": [image.to_dict() for image in self.images],
        }
        return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":")) + "\n"

    @property
    def sha256(self) -> str:
        """The id of the version, 64 hex digits."""
        return hashlib.sha256(self.to_json().encode("utf-8")).hexdigest()

    def of_part(self, part: Part) -> tuple[ManifestImage, ...]:
        """The images of one part of the split."""
        return tuple(image for image in self.images if image.part is part)

    def counts(self) -> dict[str, Any]:
        """Images and boxes, over all, by part and by class, for lists of versions."""
        own = Counter(box.own_class for image in self.images for box in image.ignored)
        classes = Counter(box.indication_class.value for image in self.images for box in image.boxes)
        return {
            "images": len(self.images),
            "boxes": sum(len(image.boxes) for image in self.images),
            "clean": sum(not image.boxes and not image.ignored for image in self.images),
            "labelled": sum(image.origin is ImageOrigin.LABELS for image in self.images),
            "series": len({image.series for image in self.images}),
            "parts": {
                part.value: [len(self.of_part(part)), sum(len(i.boxes) for i in self.of_part(part))]
                for part in Part
            },
            "classes": dict(sorted(classes.items())),
            **({"ignored": dict(sorted(own.items()))} if own else {}),
        }


@dataclass(frozen=True, slots=True)
class ManifestChanges:
    """Changes of a version against an earlier one.

    Attributes:
        changed: (before, after) of images in both whose boxes, part or labels' version differ.
    """

    added: tuple[ManifestImage, ...]
    removed: tuple[ManifestImage, ...]
    changed: tuple[tuple[ManifestImage, ManifestImage], ...]

    @property
    def is_empty(self) -> bool:
        """True when both hold the same."""
        return not (self.added or self.removed or self.changed)


def difference(before: DataManifest, after: DataManifest) -> ManifestChanges:
    """Changes from `before` to `after`, each list ascending by sha256."""
    old, new = ({image.sha256: image for image in one.images} for one in (before, after))
    return ManifestChanges(
        added=tuple(image for key, image in new.items() if key not in old),
        removed=tuple(image for key, image in old.items() if key not in new),
        changed=tuple((old[key], image) for key, image in new.items() if key in old and old[key] != image),
    )


def manifest_from(text: str) -> DataManifest:
    """The manifest that `DataManifest.to_json` wrote.

    Raises:
        DatasetError: it is no such text.
    """
    try:
        content = json.loads(text)
        if content["format"] != _FORMAT:
            raise ValueError(f"format {content['format']!r}")
        images = tuple(_image(entry) for entry in content["images"])
        return DataManifest(str(content["model"]), str(content["licence"]), content["parent"], images)
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"not the manifest of a data version: {type(error).__name__} {error}") from error


def assign_parts(
    series: Iterable[str], known: Mapping[str, Part], *, calibration_share: float, test_share: float
) -> dict[str, Part]:
    """Part of the split for each series.

    A series that is known stays where it is. New ones fill calibration, then test, up to their share of all
    series, rounded down, in the order of a digest of their names; the rest trains. So with fewer series than
    it takes for one to be held back, all of them train.

    Args:
        series: every series of the new version.
        known: parts of series that were seen before.
        calibration_share: of all series, 0 to 1.
        test_share: of all series; both together are below 1.
    """
    names = sorted(set(series), key=lambda name: hashlib.sha256(name.encode("utf-8")).hexdigest())
    parts = {name: known[name] for name in names if name in known}
    wanted = {
        Part.CALIBRATION: int(calibration_share * len(names)),
        Part.TEST: int(test_share * len(names)),
    }
    held = Counter(parts.values())
    for name in names:
        if name not in parts:
            part = next((part for part, count in wanted.items() if held[part] < count), Part.TRAIN)
            parts[name] = part
            held[part] += 1
    return parts


def _image(entry: Mapping[str, Any]) -> ManifestImage:
    boxes = []
    for box in entry["boxes"]:
        x1, y1, x2, y2 = (float(value) for value in box["bbox"])
        polygon = tuple((float(x), float(y)) for x, y in box.get("polygon", ()))
        boxes.append(LabelledBox((x1, y1, x2, y2), IndicationClass(box["class"]), polygon))
    ignored = []
    for box in entry.get("ignored", ()):
        x1, y1, x2, y2 = (float(value) for value in box["bbox"])
        ignored.append(IgnoredBox((x1, y1, x2, y2), str(box["own_class"])))
    version = entry["annotation_version"]
    return ManifestImage(
        sha256=str(entry["sha256"]),
        name=str(entry["name"]),
        series=str(entry["series"]),
        part=Part(entry["part"]),
        polarity=Polarity(entry["polarity"]),
        width=int(entry["width"]),
        height=int(entry["height"]),
        boxes=tuple(boxes),
        origin=ImageOrigin(entry["origin"]),
        annotation_version=None if version is None else int(version),
        file_sha256=str(entry.get("file_sha256", "")),
        frame=None if (frame := entry.get("frame")) is None else int(frame),
        ignored=tuple(ignored),
    )
