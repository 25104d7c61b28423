"""The directories of a TIFF file, followed within bounds: chains, and the children of each (SubIFDs).

tifffile would follow a loop of more than a hundred directories without end, and turn a tag that lists half a
gigabyte of offsets into Python numbers. Section numbers are those of TIFF 6.0.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from core.domain.errors import UnreadableImageError
from core.imaging.damage import damaged
from core.imaging.limits import MAX_TIFF_PAGES, MAX_TIFF_VALUES

_BIG_VERSION = 43
_MAX_TAGS, _MAX_DEPTH = 4096, 4
#: Types that stay bytes when loaded: byte, ASCII, undefined.
_BYTE_TYPES = (1, 2, 7)
#: Format of one value of the types that sizes and offsets are stored in.
_WHOLE_TYPES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_NEW_SUBFILE_TYPE, _SUBFILE_TYPE, _WIDTH, _HEIGHT, _DESCRIPTION, _SUB_IFDS = 254, 255, 256, 257, 270, 330
_OLD_REDUCED = 2
#: Bits of NewSubfileType (section 8, page 36).
REDUCED, MASK = 1, 4


@dataclass(frozen=True, slots=True)
class Directory:
    """One directory.

    Attributes:
        offset: in the file, bytes.
        width, height: px; 0 when it states none.
        kind: bits of NewSubfileType, those of the older SubfileType among them.
        description: the first ImageDescription, empty without one.
        children: those that its SubIFDs tag points to, and theirs.
    """

    offset: int
    width: int
    height: int
    kind: int
    description: str
    children: tuple["Directory", ...] = ()

    @property
    def n_px(self) -> int:
        """Pixels of the picture."""
        return self.width * self.height


class _Form(NamedTuple):
    """Byte order and field sizes of classic TIFF or BigTIFF."""

    order: str
    count_format: str
    offset_format: str
    first_at: int
    entry_bytes: int


@dataclass(slots=True)
class _Walk:
    """The file, and which directories were seen in it.

    Attributes:
        ends_early: a directory that something points at lies outside of the file.
    """

    data: bytes
    form: _Form
    seen: set[int] = field(default_factory=set)
    ends_early: bool = False


def directories(data: bytes) -> tuple[tuple[Directory, ...], bool]:
    """The chain of main directories, and whether it ends early because the file does.

    Raises:
        UnreadableImageError: no directory at all, in a circle, or more than `MAX_TIFF_PAGES`.
        struct.error: cut off within the header.
    """
    form = _form(data)
    (offset,) = struct.unpack_from(form.order + form.offset_format, data, form.first_at)
    walk = _Walk(data, form)
    found = tuple(_chain(walk, offset, depth=0))
    if not found:
        raise damaged("TIFF", "it ends before its first directory")
    return found, walk.ends_early


def numbers_of(data: bytes, directory: Directory, tag: int) -> tuple[int, ...]:
    """The whole numbers of one tag of a directory; empty where it has none.

    Raises:
        UnreadableImageError: it lists too many.
    """
    form = _form(data)
    found = (
        _numbers(data, form, *where) for one, *where in _entries(data, form, directory.offset) if one == tag
    )
    return next(found, ())


def check_counts(data: bytes, offset: int) -> None:
    """Refuse a directory with a tag that lists more numbers than any radiograph needs.

    Raises:
        UnreadableImageError: naming the tag.
    """
    form = _form(data)
    for tag, kind, count, _ in _entries(data, form, offset):
        if count > (len(data) if kind in _BYTE_TYPES else MAX_TIFF_VALUES):
            raise damaged("TIFF", f"tag {tag} lists {count} values")


def _form(data: bytes) -> _Form:
    order = "<" if data[:2] == b"II" else ">"
    (version,) = struct.unpack_from(f"{order}H", data, 2)
    return _Form(order, "Q", "Q", 8, 20) if version == _BIG_VERSION else _Form(order, "H", "I", 4, 12)


def _chain(walk: _Walk, offset: int, *, depth: int) -> Iterator[Directory]:
    """The directories from `offset` on, each with its children."""
    form, data = walk.form, walk.data
    count_bytes, offset_bytes = (
        struct.calcsize(f"<{form.count_format}"),
        struct.calcsize(f"<{form.offset_format}"),
    )
    while offset:
        if offset in walk.seen:
            raise damaged("TIFF", "its directories point at each other in a circle")
        if len(walk.seen) == MAX_TIFF_PAGES:
            raise UnreadableImageError(f"expected a TIFF of at most {MAX_TIFF_PAGES} pages, got more")
        if offset + count_bytes > len(data):
            walk.ends_early = True
            return
        (n_tags,) = struct.unpack_from(form.order + form.count_format, data, offset)
        if n_tags > _MAX_TAGS:
            if walk.seen:
                walk.ends_early = True
                return
            raise damaged("TIFF", f"its directory lists {n_tags} tags")
        walk.seen.add(offset)
        next_at = offset + count_bytes + n_tags * form.entry_bytes
        if next_at > len(data):
            walk.ends_early = True
            return
        yield _directory(walk, offset, depth)
        if next_at + offset_bytes > len(data):
            return
        (offset,) = struct.unpack_from(form.order + form.offset_format, data, next_at)


def _directory(walk: _Walk, offset: int, depth: int) -> Directory:
    found = {tag: (kind, count, at) for tag, kind, count, at in _entries(walk.data, walk.form, offset)}

    def numbers(tag: int) -> tuple[int, ...]:
        return _numbers(walk.data, walk.form, *found[tag]) if tag in found else ()

    def number(tag: int) -> int:
        return next(iter(numbers(tag)), 0)

    kind = number(_NEW_SUBFILE_TYPE)
    if not kind and number(_SUBFILE_TYPE) == _OLD_REDUCED:
        kind = REDUCED
    children: list[Directory] = []
    if depth < _MAX_DEPTH:
        for child in numbers(_SUB_IFDS):
            if child not in {one.offset for one in children}:  # writers chain them as well
                children += _chain(walk, child, depth=depth + 1)
    return Directory(
        offset=offset,
        width=number(_WIDTH),
        height=number(_HEIGHT),
        kind=kind,
        description=_text(walk.data, walk.form, *found[_DESCRIPTION]) if _DESCRIPTION in found else "",
        children=tuple(children),
    )


def _entries(data: bytes, form: _Form, offset: int) -> Iterator[tuple[int, int, int, int]]:
    """Tag, type, count, and where its value field lies, of each entry."""
    (n_tags,) = struct.unpack_from(form.order + form.count_format, data, offset)
    start = offset + struct.calcsize(f"<{form.count_format}")
    for at in range(start, start + n_tags * form.entry_bytes, form.entry_bytes):
        if at + form.entry_bytes > len(data):
            return
        tag, kind, count = struct.unpack_from(f"{form.order}HH{form.offset_format}", data, at)
        yield tag, kind, count, at + 4 + struct.calcsize(f"<{form.offset_format}")


def _numbers(data: bytes, form: _Form, kind: int, count: int, at: int) -> tuple[int, ...]:
    """The whole numbers of a tag; none where it is of another type or leads out of the file."""
    if kind not in _WHOLE_TYPES:
        return ()
    if count > MAX_TIFF_VALUES:
        raise damaged("TIFF", f"a tag lists {count} values")
    packed = f"{form.order}{count}{_WHOLE_TYPES[kind]}"
    at = _value_at(data, form, struct.calcsize(packed), at)
    return struct.unpack_from(packed, data, at) if at + struct.calcsize(packed) <= len(data) else ()


def _text(data: bytes, form: _Form, kind: int, count: int, at: int) -> str:
    at = _value_at(data, form, count, at) if kind in _BYTE_TYPES else len(data)
    return data[at : at + count].split(b"\0", 1)[0].decode("utf-8", "replace")


def _value_at(data: bytes, form: _Form, n_bytes: int, at: int) -> int:
    """Where a value lies: in its entry when it fits, else where that points."""
    if n_bytes <= struct.calcsize(f"<{form.offset_format}"):
        return at
    return int(struct.unpack_from(form.order + form.offset_format, data, at)[0])
