"""Compressed DICOM pixels: which bytes belong to which frame (PS3.5 section A.4)."""

import struct
from itertools import pairwise

from core.imaging.limits import MAX_FRAGMENTS
from core.imaging.quiet import damaged

Span = tuple[int, int]

_ITEM = (0xFFFE, 0xE000)
_ITEM_HEADER_BYTES, _OFFSET_BYTES = 8, 4
#: End of a JPEG, JPEG-LS or JPEG 2000 codestream; a padding byte may follow.
_END, _TAIL_BYTES = b"\xff\xd9", 4


def frame_spans(pixels: bytes, n_frames: int) -> tuple[tuple[Span, ...], ...]:
    """For each frame the start and end of its fragments in `pixels`; nothing is copied.

    As many fragments as frames are one frame each. Otherwise the Basic Offset Table divides them, and where
    there is none, the ends of the codestreams.

    Args:
        pixels: value of Pixel Data, the Basic Offset Table first.
        n_frames: as the header says.

    Raises:
        UnreadableImageError: cut off, in too many pieces, or not of `n_frames` frames.
    """
    items = _items(pixels)
    fragments = items[1:]
    if len(fragments) == n_frames:
        return tuple((one,) for one in fragments)
    table = _offsets(pixels, items[0]) if items else ()
    frames = _by_offsets(fragments, table) if len(table) == n_frames else _by_ends(pixels, fragments)
    if len(frames) != n_frames or not all(frames):
        raise damaged("DICOM", f"the header says {n_frames} frames, the pixel data hold {len(frames)}")
    return frames


def encapsulated(codestream: bytes) -> bytes:
    """Pixel Data of one frame in one fragment, without the delimiter: the writer of the file adds it."""
    even = codestream + bytes(len(codestream) % 2)
    return struct.pack("<HHI", *_ITEM, 0) + struct.pack("<HHI", *_ITEM, len(even)) + even


def _items(pixels: bytes) -> list[Span]:
    """Start and end of each item's value, up to the first bytes that are no item."""
    found: list[Span] = []
    position = 0
    while position + _ITEM_HEADER_BYTES <= len(pixels):
        *tag, length = struct.unpack_from("<HHI", pixels, position)
        if tuple(tag) != _ITEM:
            break
        start, position = position + _ITEM_HEADER_BYTES, position + _ITEM_HEADER_BYTES + length
        if position > len(pixels):
            raise damaged("DICOM", "the compressed pixel data are cut off")
        found.append((start, position))
        if len(found) > MAX_FRAGMENTS:
            raise damaged("DICOM", f"compressed pixel data in more than {MAX_FRAGMENTS} pieces")
    return found


def _offsets(pixels: bytes, table: Span) -> tuple[int, ...]:
    """The Basic Offset Table, counted from the item behind it."""
    start, end = table
    return struct.unpack_from(f"<{(end - start) // _OFFSET_BYTES}I", pixels, start)


def _by_offsets(fragments: list[Span], table: tuple[int, ...]) -> tuple[tuple[Span, ...], ...]:
    """Fragments from each offset up to the next; a frame without any comes out empty."""
    if not fragments:
        return ()
    first = fragments[0][0]
    edges = [*table, fragments[-1][1] + 1 - first]
    return tuple(tuple(f for f in fragments if low <= f[0] - first < high) for low, high in pairwise(edges))


def _by_ends(pixels: bytes, fragments: list[Span]) -> tuple[tuple[Span, ...], ...]:
    """Fragments up to each one that ends a codestream."""
    frames: list[tuple[Span, ...]] = []
    pending: list[Span] = []
    for start, end in fragments:
        pending.append((start, end))
        if _END in pixels[max(start, end - _TAIL_BYTES) : end]:
            frames.append(tuple(pending))
            pending = []
    return (*frames, tuple(pending)) if pending else tuple(frames)
