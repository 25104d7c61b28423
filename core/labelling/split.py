"""Split lists: which series, or which single views, train, calibrate or are held back."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

import yaml

from core.domain.errors import DatasetError
from core.labelling.coco import CocoImage


def read_split(path: Path) -> dict[str, list[str]]:
    """The parts of a split list: part name to the `series` in it.

    Raises:
        DatasetError: when it is no such file, or a series stands in two parts.
    """
    parts = read_parts(path)
    if twice := listed_twice(parts):
        raise DatasetError(f"{path.name}: {', '.join(twice)} stand in two parts")
    return parts


def read_parts(path: Path) -> dict[str, list[str]]:
    """As `read_split`, but a series may stand in two parts.

    Raises:
        DatasetError: when it is no such file.
    """
    try:
        parts = yaml.safe_load(path.read_text(encoding="utf-8"))["parts"]
        return {str(part): list(members) for part, members in parts.items()}
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise DatasetError(f"{path}: expected a YAML split list with `parts`: {error}") from error


def listed_twice(parts: Mapping[str, Sequence[str]]) -> list[str]:
    """The series that are listed more than once, sorted."""
    listed = [series for members in parts.values() for series in members]
    return sorted({series for series in listed if listed.count(series) > 1})


def members_of(parts: Mapping[str, list[str]], part: str) -> list[str]:
    """The series in `part`, of all parts when it is "*".

    Raises:
        DatasetError: when there is no such part.
    """
    if part == "*":
        return [series for members in parts.values() for series in members]
    if part not in parts:
        raise DatasetError(f"the split list has no part {part!r}, only {', '.join(parts)}")
    return parts[part]


def names_of(image: CocoImage) -> set[str]:
    """The names by which a split list may mean `image`: its series and, for one view, its file's stem."""
    stem = PurePosixPath(image.file_name).stem
    return {stem} if image.series is None else {image.series, stem}


def select(images: Iterable[CocoImage], members: Iterable[str]) -> list[CocoImage]:
    """The images that `members` name, by series or by view, in file order."""
    wanted = set(members)
    return [image for image in images if wanted & names_of(image)]
