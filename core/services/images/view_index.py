"""The coarse views of all images of one workspace in memory, in the order in which they were handed in."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from core.imaging.fingerprint import LEAST_PATCHES, VIEW_PX
from core.store.fingerprints import KeptView


@dataclass(frozen=True, slots=True, eq=False)
class ViewIndex:
    """Coarse views of all images in memory, for finding candidates; about 1.1 kB an image.

    Attributes:
        digests: (N,) bytes of 64 hex digits.
        moments: (N,) UTC, when each image was handed in first; rising, equal ones by digest.
        views: (N, 32, 32) int8; zeros for an image with too little grain to recognise a copy of it.
        has_grain: (N,).
        newest: when the newest of these fingerprints was made; None without any.
    """

    digests: npt.NDArray[np.bytes_]
    moments: npt.NDArray[np.datetime64]
    views: npt.NDArray[np.int8]
    has_grain: npt.NDArray[np.bool_]
    newest: datetime | None = None

    def __len__(self) -> int:
        """Number of images held."""
        return len(self.digests)

    def place(self, sha256: str) -> int | None:
        """Number of images handed in before this one; None for an unknown image."""
        found = np.flatnonzero(self.digests == sha256.encode("ascii"))
        return int(found[0]) if len(found) else None

    def with_views(self, kept: Iterable[KeptView]) -> "ViewIndex":
        """These images and those of `kept` that are not among them yet."""
        known = {digest.decode("ascii") for digest in self.digests.tolist()}
        more = view_index(one for one in kept if one.image_sha256 not in known)
        if len(more) == 0:
            return self
        if len(self) == 0:
            return more
        return _sorted(
            ViewIndex(
                np.concatenate([self.digests, more.digests]),
                np.concatenate([self.moments, more.moments]),
                np.concatenate([self.views, more.views]),
                np.concatenate([self.has_grain, more.has_grain]),
                max(one.newest for one in (self, more) if one.newest is not None),
            )
        )


def view_index(kept: Iterable[KeptView]) -> ViewIndex:
    """The index of these images, each once; `kept` may be empty."""
    digests, moments, grainy, views = [], [], [], bytearray()
    newest: datetime | None = None
    for one in kept:
        digests.append(one.image_sha256.encode("ascii"))
        moments.append(one.handed_in_at.astimezone(UTC).replace(tzinfo=None))
        grainy.append(one.n_patches >= LEAST_PATCHES)
        views += one.view
        newest = one.made_at if newest is None else max(newest, one.made_at)
    has_grain = np.array(grainy, bool)
    stacked = np.frombuffer(views, np.int8).reshape(-1, VIEW_PX, VIEW_PX)
    stacked[~has_grain] = 0
    return _sorted(
        ViewIndex(np.array(digests, "S64"), np.array(moments, "M8[us]"), stacked, has_grain, newest)
    )


def _sorted(index: ViewIndex) -> ViewIndex:
    order = np.lexsort((index.digests, index.moments))
    if np.array_equal(order, np.arange(len(order))):
        return index
    return ViewIndex(
        index.digests[order], index.moments[order], index.views[order], index.has_grain[order], index.newest
    )
