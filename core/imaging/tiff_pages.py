"""The pictures of a TIFF file, each in full resolution, and what else it holds.

One file may hold pages, planes of a stack or of an OME data set, reduced copies and masks. A directory and
its children (SubIFDs, TIFF Technical Note 1) are one picture in several resolutions; the largest is taken.
ImageJ describes a stack of more than 4 GB, and tifffile a "truncated" one, by one directory: the planes then
lie behind each other.
"""

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from core.domain.errors import UnreadableImageError
from core.imaging.damage import damaged
from core.imaging.limits import MAX_TIFF_PAGES
from core.imaging.tiff_directories import MASK, REDUCED, Directory, directories, numbers_of

_BITS, _COMPRESSION, _STRIPS, _SAMPLES, _PLANAR = 258, 259, 273, 277, 284
_UNCOMPRESSED = 1
_IMAGEJ, _OME = "ImageJ=", "<OME"
_IMAGEJ_IMAGES = re.compile(r"^images=(\d{1,9})\s*$", re.MULTILINE)
_OME_PIXELS = re.compile(r"<(?:\w+:)?Pixels\b[^>]*>")
_OME_SIZE = re.compile(r"\bSize[ZCT]\s*=\s*[\"'](\d{1,9})[\"']")
_OME_SAMPLES = re.compile(r"\bSamplesPerPixel\s*=\s*[\"'](\d{1,3})[\"']")


class Place(NamedTuple):
    """Where a picture lies.

    Attributes:
        offset: of its directory in the file.
        shift: how far behind the places that the directory names its pixels lie, bytes.
    """

    offset: int
    shift: int = 0


@dataclass(frozen=True, slots=True)
class Contents:
    """What a TIFF file holds.

    Attributes:
        pictures: at least one, in their order.
        largest: index of the first of the largest ones.
        first_offset: of the first directory.
        unread: what else the file holds, or should, a line each.
    """

    pictures: tuple[Place, ...]
    largest: int
    first_offset: int
    unread: tuple[str, ...]


def contents_of(data: bytes) -> Contents:
    """The pictures, found by the directories alone; nothing is unpacked.

    Raises:
        UnreadableImageError: no directory, in a circle, or too many; or a stack whose end is missing.
        struct.error: cut off within the header.
    """
    chain, ends_early = directories(data)
    everything = [one for main in chain for one in _family(main)]
    found = [one for main in chain for one in _largest(_full(_family(main)))]
    if not found:  # nothing but copies and masks: then the largest copy is what there is
        copies = [one for one in everything if one.n_px and not one.kind & MASK]
        found = _largest(copies)[:1] or [chain[0]]
    unread = [*_left_out([one for one in everything if one not in found])]
    if ends_early:
        unread.append("the file ends early: a page that it points at is not in it")
    if found[0].kind & REDUCED:
        unread.append("it is marked as a reduced copy, and the file holds no larger picture")
    sizes = [one.n_px for one in found]
    pictures = [Place(one.offset) for one in found]
    if len(everything) == 1 and (n_planes := _stated_planes(chain[0])) > 1:
        pictures, more = _stack(data, chain[0], n_planes)
        unread += more
    unread += _missing_planes(chain[0].description, len(pictures))
    return Contents(tuple(pictures), sizes.index(max(sizes)), chain[0].offset, tuple(unread))


def _family(main: Directory) -> Iterator[Directory]:
    yield main
    for child in main.children:
        yield from _family(child)


def _full(family: Iterator[Directory]) -> list[Directory]:
    return [one for one in family if one.n_px and not one.kind & (REDUCED | MASK)]


def _largest(family: Sequence[Directory]) -> list[Directory]:
    """All that are as large as the largest; the others show the same in fewer pixels."""
    most = max((one.n_px for one in family), default=0)
    return [one for one in family if one.n_px == most]


def _left_out(others: Sequence[Directory]) -> Iterator[str]:
    masks = [one for one in others if one.kind & MASK]
    copies = [one for one in others if one.n_px and one not in masks]
    blank = len(others) - len(copies) - len(masks)
    if copies:
        sizes = f"{copies[0].width} × {copies[0].height} px" + (" and others" if len(copies) > 1 else "")
        yield f"{_counted(len(copies), 'reduced copy', 'reduced copies')} not read ({sizes})"
    if masks:
        yield f"{_counted(len(masks), 'mask', 'masks')} not read"
    if blank:
        yield f"{_counted(blank, 'directory', 'directories')} without a picture"


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _stated_planes(main: Directory) -> int:
    """The planes that the description of an only directory states; 1 where it states none."""
    if main.description.startswith(_IMAGEJ):
        stated = _IMAGEJ_IMAGES.search(main.description)
        return int(stated[1]) if stated else 1
    if not main.description.startswith("{"):
        return 1
    try:
        about = json.loads(main.description)
    except (ValueError, RecursionError):
        return 1
    shape = about.get("shape") if isinstance(about, dict) and about.get("truncated") else None
    if not (isinstance(shape, list) and all(isinstance(n, int) and n > 0 for n in shape) and main.n_px):
        return 1
    return max(1, math.prod(shape[:-2])) if shape[-2:] == [main.height, main.width] else 1


def _stack(data: bytes, main: Directory, n_planes: int) -> tuple[list[Place], tuple[str, ...]]:
    """The planes behind the only directory, a picture each; what is not read where they cannot be found."""
    if n_planes > MAX_TIFF_PAGES:
        raise UnreadableImageError(f"expected a TIFF of at most {MAX_TIFF_PAGES} pages, got {n_planes}")
    strips = numbers_of(data, main, _STRIPS)
    is_plain = (numbers_of(data, main, _COMPRESSION) or (_UNCOMPRESSED,))[0] == _UNCOMPRESSED
    if not (is_plain and strips and strips[0] == min(strips)):
        return [Place(main.offset)], (f"its description tells of {n_planes} pictures, one could be found",)
    bits = numbers_of(data, main, _BITS) or (1,)
    n_samples = next(iter(numbers_of(data, main, _SAMPLES)), 1)
    is_separate = next(iter(numbers_of(data, main, _PLANAR)), 1) != 1
    n_row_bits = main.width * bits[0] * (1 if is_separate else n_samples)
    n_plane_bytes = main.height * ((n_row_bits + 7) // 8) * (n_samples if is_separate else 1)
    n_there = (len(data) - strips[0]) // max(1, n_plane_bytes)
    if n_there < n_planes:
        raise damaged("TIFF", f"its description says {n_planes} pictures, it holds {n_there}")
    return [Place(main.offset, plane * n_plane_bytes) for plane in range(n_planes)], ()


def _missing_planes(description: str, n_found: int) -> Iterator[str]:
    """What OME-XML tells of and the file does not hold: planes in further files, or none at all."""
    if _OME not in description[:2048]:
        return
    stated = 0
    n_samples = max((int(n) for n in _OME_SAMPLES.findall(description)), default=1) or 1
    for pixels in _OME_PIXELS.findall(description):
        stated += math.prod(int(size) for size in _OME_SIZE.findall(pixels)) // n_samples
    if stated > n_found:
        yield f"its OME-XML tells of {stated} planes, {n_found} are in this file"
