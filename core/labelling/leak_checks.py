"""Checks that what is held back is nowhere seen: not in another part of the split, not by a model."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.domain.radiograph import Radiograph
from core.imaging.fingerprint import Fingerprint, find_copy, fingerprint
from core.labelling.finding import DataIssue, FindingKind, error, warning
from core.labelling.split import listed_twice


@dataclass(frozen=True, slots=True)
class ImageIdentity:
    """Features that tell whether two images are the same.

    Attributes:
        file_name: as the data set has it.
        series: the part it shows; its file name when that is not known.
        split_part: of the split list; None when it stands in none.
        sha256: of the file.
        pixel_sha256: of the pixels in C order.
        width, height: px.
    """

    file_name: str
    series: str
    split_part: str | None
    sha256: str
    pixel_sha256: str
    width: int
    height: int

    @property
    def same_pixels(self) -> tuple[str, int, int]:
        """Equal for two images with the same pixels."""
        return (self.pixel_sha256, self.width, self.height)


class NearDuplicateSearch:
    """Finds images that come from the same exposure as an earlier one of another series or split part.

    Frames of one series in one part look alike by intent and are not compared; nor are images with the same
    pixels, which `same_image_findings` reports. See `core.imaging.fingerprint` for what is recognised.
    """

    def __init__(self) -> None:
        self._earlier: list[tuple[ImageIdentity, Fingerprint]] = []

    def add(self, image: ImageIdentity, radiograph: Radiograph) -> DataIssue | None:
        """Keep `image`; what it repeats, an error across split parts, else a warning; None when it is new."""
        candidates = [
            (other, kept)
            for other, kept in self._earlier
            if (other.series, other.split_part) != (image.series, image.split_part)
            and other.same_pixels != image.same_pixels
        ]
        copy = find_copy(radiograph, [kept for _, kept in candidates])
        self._earlier.append((image, fingerprint(radiograph)))
        if copy is None:
            return None
        other = next(other for other, kept in candidates if kept.sha256 == copy.sha256)
        report = error if other.split_part != image.split_part else warning
        message = f"the grain of {_placed(other)}, likeness {copy.grain:.2f}; it is {_where(image)}"
        return report(FindingKind.NEAR_DUPLICATE, message, image.file_name)


def same_image_findings(images: Sequence[ImageIdentity]) -> list[DataIssue]:
    """Errors for images whose pixels came before, each against the first; across parts it is a leak."""
    first: dict[tuple[str, int, int], ImageIdentity] = {}
    found = []
    for image in images:
        other = first.setdefault(image.same_pixels, image)
        if other is not image:
            leak = "" if other.split_part == image.split_part else f", a leak: it is {_where(image)}"
            message = f"the same pixels as {_placed(other)}{leak}"
            found.append(error(FindingKind.SAME_IMAGE, message, image.file_name))
    return found


def split_findings(parts: Mapping[str, Sequence[str]], series_of_images: Iterable[str]) -> list[DataIssue]:
    """Findings about a split list and the images: errors for series in two parts, else warnings.

    Images in no part are summed up, one line a series.
    """
    counts = Counter(series_of_images)
    listed = {series for members in parts.values() for series in members}
    found = [
        error(FindingKind.SERIES_IN_TWO_PARTS, f"{series} stands in {_parts_of(series, parts)}")
        for series in listed_twice(parts)
    ]
    found += [
        warning(FindingKind.SERIES_WITHOUT_IMAGE, f"{series} ({_parts_of(series, parts)}) names no image")
        for series in sorted(listed - set(counts))
    ]
    return found + [
        warning(FindingKind.IN_NO_PART, f"series {series}: {counts[series]} images")
        for series in sorted(set(counts) - listed)
    ]


def trained_findings(
    images: Iterable[ImageIdentity], trained_on: Collection[str], *, model: str
) -> list[DataIssue]:
    """Errors for those of `images`, all meant to be held back, that a model's data manifest names.

    Args:
        images: of the parts that calibrate or judge.
        trained_on: sha256 of the file, or for rendered images of the pixels, of every training image.
        model: name and version, for the message.
    """
    return [
        error(FindingKind.TRAINED_ON, f"{_where(image)} and yet {model} was trained on it", image.file_name)
        for image in images
        if image.sha256 in trained_on or image.pixel_sha256 in trained_on
    ]


def _parts_of(series: str, parts: Mapping[str, Sequence[str]]) -> str:
    places = [part for part, members in parts.items() for listed in members if listed == series]
    return " and ".join(places)


def _placed(image: ImageIdentity) -> str:
    return f"{image.file_name} ({_where(image)})"


def _where(image: ImageIdentity) -> str:
    return "in no part" if image.split_part is None else f"in part {image.split_part}"
