"""Finds the images of label entries among those that came along in the archive and those that are stored."""

import unicodedata
from collections.abc import Sequence
from pathlib import PurePosixPath

from core.labelling.coco_annotations import plain_path
from core.labelling.entries import LabelEntry
from core.labelling.image_matching import FoundImages, ImageIndex, KnownImage, stem_of
from core.labelling.import_plan import NewImage


class SourceImages:
    """Images beside the labels come first, by their paths, then by name; else those that are stored.

    Args:
        stored: every image of the workspace.
        beside: that lie in the archive; of one that is stored already the stored one counts.
    """

    def __init__(self, stored: Sequence[KnownImage], beside: Sequence[NewImage]) -> None:
        known = {one.sha256: one for one in stored}
        new = {one.image.sha256: one for one in reversed(beside) if one.image.sha256 not in known}
        #: Images that are not stored yet, each once.
        self.new: tuple[NewImage, ...] = tuple(one for one in beside if new.get(one.image.sha256) is one)
        self._all = ImageIndex([*stored, *(one.image for one in self.new)])
        self._stored = ImageIndex(stored)
        self._beside = ImageIndex([one.image for one in beside])
        self._known = known
        self._by_end: dict[tuple[str, ...], dict[str, KnownImage]] = {}
        for one in beside:
            parts = _parts(one.path)
            for begin in range(len(parts)):
                for end in (parts[begin:], (*parts[begin:-1], stem_of(parts[-1]))):
                    self._by_end.setdefault(end, {})[one.image.sha256] = one.image

    def find(self, entry: LabelEntry) -> FoundImages:
        """The images that an entry may mean."""
        if entry.sha256 is not None:
            found = self._all.find(entry)
            if not found.images and self._all.named(entry.name).images:
                return FoundImages(
                    (), "an image of this name is here, but with other content than the file says"
                )
            return found
        if self._by_end:
            for found in (self._at_path(entry), self._beside.find(entry)):
                if found.images:
                    return FoundImages(
                        tuple(self._known.get(one.sha256, one) for one in found.images), found.how
                    )
        return self._stored.find(entry)

    def _at_path(self, entry: LabelEntry) -> FoundImages:
        """The image whose path ends like that of the entry, the longest end first."""
        for parts in _paths_of(entry):
            for begin in range(len(parts)):
                if found := self._by_end.get(parts[begin:]):
                    return FoundImages(tuple(found.values()))
        return FoundImages(())


def _paths_of(entry: LabelEntry) -> list[tuple[str, ...]]:
    """Paths that the image of an entry may have; a label file in `labels` has its image in `images`."""
    if not entry.is_stem:
        return [_parts(entry.name)]
    place = PurePosixPath(entry.place)
    parts = _parts(str(place.with_suffix("")))
    return [tuple("images" if part == "labels" else part for part in parts[:-1]) + parts[-1:], parts]


def _parts(path: str) -> tuple[str, ...]:
    plain = unicodedata.normalize("NFC", plain_path(path)).casefold()
    return tuple(part for part in plain.split("/") if part.strip(". "))
