"""The directories of a TIFF, followed with bounds before a parser loads them (TIFF 6.0 section 2; BigTIFF).

The parser would follow a loop of more than a hundred directories without end, and turn a tag that
lists half a gigabyte of offsets into Python numbers.
"""

import struct

from core.domain.errors import UnreadableImageError
from core.imaging.damage import damaged
from core.imaging.limits import MAX_TIFF_PAGES, MAX_TIFF_VALUES

_BIG_VERSION = 43
_MAX_TAGS = 4096
#: Types that stay bytes when loaded: byte, ASCII, undefined.
_BYTE_TYPES = (1, 2, 7)


def count_pages(data: bytes) -> int:
    """Directories in the chain, at least one; a chain that leaves the file ends there.

    Raises:
        UnreadableImageError: for a chain that runs in a circle, and for more pages, tags or values than
            `core.imaging.limits` allow.
        struct.error: when the file ends inside the first directory.
    """
    order = "<" if data[:2] == b"II" else ">"
    (version,) = struct.unpack_from(f"{order}H", data, 2)
    is_big = version == _BIG_VERSION
    first_at, count_format, offset_format, entry_bytes = (8, "Q", "Q", 20) if is_big else (4, "H", "I", 12)
    count_bytes, offset_bytes = struct.calcsize(f"<{count_format}"), struct.calcsize(f"<{offset_format}")
    (offset,) = struct.unpack_from(order + offset_format, data, first_at)
    seen: set[int] = set()
    while offset and offset + count_bytes <= len(data):
        if offset in seen:
            raise damaged("TIFF", "its directories point at each other in a circle")
        if len(seen) == MAX_TIFF_PAGES:
            raise UnreadableImageError(f"expected a TIFF of at most {MAX_TIFF_PAGES} pages, got more")
        (n_tags,) = struct.unpack_from(order + count_format, data, offset)
        if n_tags > _MAX_TAGS:
            if seen:
                break
            raise damaged("TIFF", f"its directory lists {n_tags} tags")
        if not seen:
            _check_counts(data, offset + count_bytes, n_tags, order, is_big=is_big)
        seen.add(offset)
        next_at = offset + count_bytes + n_tags * entry_bytes
        if next_at + offset_bytes > len(data):
            break
        (offset,) = struct.unpack_from(order + offset_format, data, next_at)
    return max(1, len(seen))


def _check_counts(data: bytes, start: int, n_tags: int, order: str, *, is_big: bool) -> None:
    """Refuse a tag that lists more numbers than any radiograph needs."""
    entry = struct.Struct(f"{order}HHQ8x" if is_big else f"{order}HHI4x")
    for index in range(n_tags):
        tag, kind, count = entry.unpack_from(data, start + index * entry.size)
        if count > (len(data) if kind in _BYTE_TYPES else MAX_TIFF_VALUES):
            raise damaged("TIFF", f"tag {tag} lists {count} values")
