"""Finds the stored image that a file of labels means by a name which tools and systems may have changed.

First by digest, where the file says one. Then, each only while nothing was found: the name as it is; umlauts
written in another way; upper and lower case; another suffix, as a PNG made of a TIFF; and the names that
tools give to uploads (Label Studio puts eight hex digits in front and an underscore for blanks, Roboflow a
hash behind). Where several images are found at one step, none is taken.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from core.imaging.names import clean_name
from core.labelling.entries import LabelEntry
from core.labelling.labelled import UPLOAD

_ROBOFLOW = re.compile(
    r"^(?P<stem>.+)_(?P<suffix>png|jpe?g|tiff?|bmp|dcm|webp)[._]rf[._][0-9A-Za-z]{8,}", re.IGNORECASE
)
_SUFFIXES = frozenset(
    (
        "png",
        "jpg",
        "jpeg",
        "jpe",
        "tif",
        "tiff",
        "bmp",
        "dcm",
        "dic",
        "dicom",
        "webp",
        "gif",
        "jp2",
        "pgm",
        "npy",
    )
)
_DROPPED_BY_DJANGO = re.compile(r"[^-\w.]")
_WORDS = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class KnownImage:
    """An image that labels can be for.

    Attributes:
        sha256: names it.
        name: as it was handed in.
        width, height: px.
    """

    sha256: str
    name: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class FoundImages:
    """The images that a name may mean.

    Attributes:
        images: one where it is certain.
        how: by what they were found, in words; empty by the very name or digest.
    """

    images: tuple[KnownImage, ...]
    how: str = ""


@dataclass(frozen=True, slots=True)
class _Step:
    """A way to see names: two that look the same to it may mean one image."""

    how: str
    key: Callable[[str], str]


_STEPS = (
    _Step("", lambda name: name),
    _Step("", lambda name: unicodedata.normalize("NFC", name)),
    _Step("the name differs in upper and lower case", lambda name: _plain(name)),
    _Step("the name has another suffix", lambda name: stem_of(_plain(name))),
)
_MANGLED = (
    _Step("the name was changed by a tool", lambda name: _django(stem_of(_plain(name)))),
    _Step("the name was changed by a tool", lambda name: "-".join(_WORDS.findall(stem_of(_plain(name))))),
)


class ImageIndex:
    """Images by the ways their names can be written."""

    def __init__(self, images: Iterable[KnownImage]) -> None:
        self._by_digest = {image.sha256: image for image in images}
        self._by_key: dict[Callable[[str], str], dict[str, list[KnownImage]]] = {}

    def by_digest(self, sha256: str) -> KnownImage | None:
        """The image of this digest."""
        return self._by_digest.get(sha256.casefold())

    def find(self, entry: LabelEntry) -> FoundImages:
        """The images that an entry may mean; by digest alone where it says one."""
        if entry.sha256 is not None:
            image = self.by_digest(entry.sha256)
            return FoundImages((image,) if image else ())
        return self.named(entry.name, is_stem=entry.is_stem)

    def named(self, name: str, *, is_stem: bool = False) -> FoundImages:
        """The images that a name may mean.

        Args:
            name: a file name, a path or an address.
            is_stem: it is without a suffix.
        """
        for written in _written(name):
            if (found := self._at(_STEPS, written, is_stem)).images:
                return found
        last = _last(name)
        for changed, start in _originals(last):
            found = self._at(_STEPS, changed, is_stem)
            ours = tuple(one for one in found.images if start and one.sha256.startswith(start))
            if found.images:
                return FoundImages(ours if len(ours) == 1 else found.images, found.how)
        for changed in (last, *(changed for changed, _ in _originals(last))):
            if (found := self._at(_MANGLED, changed, is_stem)).images:
                return found
        return FoundImages(())

    def _at(self, steps: Iterable[_Step], name: str, is_stem: bool) -> FoundImages:
        for step in steps:
            asked = step.key(name)
            if asked and (found := self._images(step.key).get(asked)):
                return FoundImages(tuple(found), step.how)
            if is_stem and (found := self._images(_stemmed(step.key)).get(asked)):
                return FoundImages(tuple(found), "")
        return FoundImages(())

    def _images(self, key: Callable[[str], str]) -> dict[str, list[KnownImage]]:
        if key not in self._by_key:
            made: dict[str, list[KnownImage]] = {}
            for image in self._by_digest.values():
                made.setdefault(key(image.name), []).append(image)
            self._by_key[key] = made
        return self._by_key[key]


_STEMMED: dict[Callable[[str], str], Callable[[str], str]] = {}


def _stemmed(key: Callable[[str], str]) -> Callable[[str], str]:
    """The same way to see names, but without their suffix."""
    return _STEMMED.setdefault(key, lambda name: key(stem_of(name)))


def stem_of(name: str) -> str:
    """The name without the suffix of an image file; any other stays whole."""
    stem, _, suffix = name.rpartition(".")
    return stem if stem and suffix.casefold() in _SUFFIXES else name


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _django(name: str) -> str:
    """As Django, on which Label Studio and CVAT rest, stores an upload."""
    return _DROPPED_BY_DJANGO.sub("", name.strip().replace(" ", "_"))


def _written(name: str) -> Iterator[str]:
    """Ways in which the name here may stand in a path or an address, likeliest first."""
    seen = set()
    path = _path(name)
    parts = [part for part in path.split("/") if part.strip(". ")]
    joined = [
        " - ".join(parts[-depth:]) for depth in range(len(parts), 1, -1)
    ]  # as archives name their files
    last = parts[-1] if parts else name
    for written in (name, *joined, last, unquote(last), clean_name(unquote(last))):
        if written not in seen:
            seen.add(written)
            yield written


def _path(name: str) -> str:
    """The path in a name that may be an address; Label Studio puts that of a local file behind `?d=`."""
    path = name.replace("\\", "/")
    if "://" in path or path.startswith("/data/"):
        parts = urlsplit(path)
        local = parse_qs(parts.query).get("d")
        return local[0] if local else parts.path
    return path


def _last(name: str) -> str:
    return unquote(_path(name)).rsplit("/", 1)[-1]


def _originals(name: str) -> Iterator[tuple[str, str]]:
    """The names that a tool may have changed into this one, and the start of the digest in it, if any."""
    if found := UPLOAD.match(name):
        yield found["name"], found["hash"]
    if changed := _ROBOFLOW.match(name):
        yield f"{changed['stem']}.{changed['suffix']}", ""
