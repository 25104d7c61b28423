"""Recognising copies of earlier images: a fingerprint of each is kept and searched, in one workspace."""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, timedelta

import numpy as np

from core.domain.errors import WorkbenchError
from core.domain.radiograph import Radiograph
from core.imaging.fingerprint import PATCH_PX, VIEW_PX, Fingerprint, find_copy, fingerprint, shortlist
from core.imaging.quality.report import EarlierPictures
from core.services.images.view_index import ViewIndex, view_index
from core.store.fingerprints import KeptFingerprint
from core.store.images import StoredImage
from core.store.unit_of_work import Store, Work

log = logging.getLogger(__name__)
#: A fingerprint is committed at most so long after the moment it bears.
_COMMIT_LIMIT = timedelta(minutes=10)


class CopySearch:
    """Finds the earlier image that an image is a copy of. Safe to share between threads.

    The coarse views of all images stay in memory, about 1.1 kB each; the grain is read of candidates only.

    Args:
        store: the workspace's.
        load: the radiograph of a digest.
    """

    def __init__(self, store: Store, load: Callable[[str], Radiograph]) -> None:
        self._store = store
        self._load = load
        self._index = view_index(())
        self._unreadable: set[str] = set()
        self._lock = threading.Lock()

    def compare(self, radiograph: Radiograph) -> EarlierPictures:
        """A stored image beside those that were handed in before it; one that came later is never meant."""
        self._fingerprint(radiograph)
        with self._store.read() as work:
            index = self._refreshed(work)
            n_images, n_fingerprints = work.fingerprints.counts()
            place = index.place(radiograph.sha256) or 0
            found = shortlist(index.views[place], index.views[:place]) if place else []
            digests = [index.digests[at].decode("ascii") for at, _ in found]
            kept = work.fingerprints.of(digests)
            candidates = [fingerprint_from(kept[one]) for one in digests if one in kept]
        copy = find_copy(radiograph, candidates)
        n_grainy = int(np.count_nonzero(index.has_grain[:place]))
        return EarlierPictures(
            n_earlier=n_grainy,
            copy=copy,
            copy_name="" if copy is None else self._named(copy.sha256),
            n_without_grain=place - n_grainy,
            n_waiting=n_images - n_fingerprints,
        )

    def catch_up(self, limit: int) -> int:
        """Fingerprint up to `limit` images that have none, oldest first; returns the number done.

        They were stored by a release that kept none. One that cannot be read is left out until a restart.
        """
        with self._store.read() as work:
            n_images, n_fingerprints = work.fingerprints.counts()
            if n_images - n_fingerprints <= len(self._unreadable):
                return 0
            missing = work.fingerprints.missing(limit, besides=self._unreadable)
        n_made = 0
        for sha256 in missing:
            try:
                self._fingerprint(self._load(sha256))
                n_made += 1
            except WorkbenchError as error:
                self._unreadable.add(sha256)
                log.warning("no fingerprint of image %s: %s", sha256[:12], error)
        return n_made

    def _fingerprint(self, radiograph: Radiograph) -> None:
        """Keep the fingerprint of a stored image that has none."""
        with self._store.read() as work:
            if work.fingerprints.has(radiograph.sha256):
                return
        made = kept_fingerprint(fingerprint(radiograph))
        with self._store.write() as work:
            work.fingerprints.add(made, at=work.now)

    def _refreshed(self, work: Work) -> ViewIndex:
        """The index with what was added since, by this process or another one."""
        with self._lock:
            _, n_fingerprints = work.fingerprints.counts()
            if len(self._index) != n_fingerprints and self._index.newest is not None:
                since = self._index.newest - _COMMIT_LIMIT
                self._index = self._index.with_views(work.fingerprints.views(since=since))
            if len(self._index) != n_fingerprints:
                self._index = view_index(work.fingerprints.views())
            return self._index

    def _named(self, sha256: str) -> str:
        with self._store.read() as work:
            image = work.images.find(sha256)
        assert image is not None  # a foreign key holds it
        return named(image)


def named(image: StoredImage) -> str:
    """An image in words: its name, and the day it was handed in first."""
    return f"{image.name}, handed in on {image.created_at.astimezone(UTC):%Y-%m-%d}"


def kept_fingerprint(made: Fingerprint) -> KeptFingerprint:
    """The fingerprint as bytes; `fingerprint_from` reads it back."""
    return KeptFingerprint(
        made.sha256,
        made.view.tobytes(),
        made.corners.astype("<i4").tobytes(),
        made.patches.tobytes(),
        made.width,
        made.height,
    )


def fingerprint_from(kept: KeptFingerprint) -> Fingerprint:
    """The fingerprint in these bytes."""
    return Fingerprint(
        kept.image_sha256,
        kept.width,
        kept.height,
        view=np.frombuffer(kept.view, np.int8).reshape(VIEW_PX, VIEW_PX),
        patches=np.frombuffer(kept.patches, np.int8).reshape(-1, PATCH_PX, PATCH_PX),
        corners=np.frombuffer(kept.corners, "<i4").astype(np.int32).reshape(-1, 2),
    )
