"""Taking in radiographs, and getting them back."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from core.domain.accounts import Identity
from core.domain.errors import BadInputError
from core.domain.exposure import Exposure
from core.domain.permissions import Action, require
from core.domain.radiograph import PitchSource, PixelPitch, Polarity, Radiograph
from core.domain.reading import Setup
from core.domain.scale import scale_of
from core.imaging.fingerprint import fingerprint
from core.imaging.names import clean_name
from core.imaging.read import read_radiograph
from core.services.images.copies import kept_fingerprint
from core.store.blobs import BlobNotFoundError, Blobs
from core.store.fingerprints import KeptFingerprint
from core.store.images import PictureFacts, StoredImage, facts_of
from core.store.unit_of_work import Store, Work
from core.store.workbench import KeptScale
from core.tracing import span

#: Radiographs kept decoded; a 5000 x 1300 film takes 13 MB.
_KEPT_IN_MEMORY = 6


class ImageService:
    """Radiographs by their sha256. Safe to share between threads.

    Args:
        blobs: the original bytes.
        store: what is known about them.
        limit_bytes: of all originals together, None for no limit.
    """

    def __init__(self, blobs: Blobs, store: Store, *, limit_bytes: int | None = None) -> None:
        self._blobs = blobs
        self._store = store
        self._limit_bytes = limit_bytes
        self._recent: OrderedDict[tuple[str, Polarity], Radiograph] = OrderedDict()
        self._lock = threading.Lock()

    def add(
        self,
        identity: Identity,
        data: bytes,
        name: str,
        *,
        polarity: Polarity = Polarity.UNKNOWN,
        frame: int | None = None,
    ) -> Radiograph:
        """The radiograph in `data`, now stored: its bytes, what is known about it, its fingerprint.

        It is read first, so bytes that are no radiograph leave nothing behind. The same bytes again
        change nothing, whatever their name. A file of several frames is stored once, as it came.

        Args:
            identity: who hands it in.
            data: the whole file.
            name: as the user knows it; what could deceive in it is dropped.
            polarity: used when the file does not say.
            frame: number of one frame in a file of several, from 1.

        Raises:
            NotAllowedError: the role may not hand in radiographs.
            UnreadableImageError: one clear line; nothing was stored.
            BadInputError: the workspace is full.
        """
        radiograph, taken = self._take_in(identity, lambda: data, name, polarity=polarity, frame=frame)
        with self._store.write() as work:
            self.keep_within(work, identity, taken)
        self._keep(polarity, radiograph)
        return radiograph

    def take_in(
        self,
        identity: Identity,
        read: Callable[[], bytes],
        name: str,
        *,
        frame: int | None = None,
        n_waiting: int = 0,
    ) -> "TakenImage":
        """The first half of `add`: the bytes are stored, no row yet; `keep_within` writes that.

        Args:
            identity: who hands it in.
            read: gives the whole file, also while the row is written.
            name: as the user knows it.
            frame: number of one frame in a file of several, from 1.
            n_waiting: bytes of files that were taken in and have no row yet.

        Raises:
            NotAllowedError, UnreadableImageError, BadInputError: as `add`.
        """
        return self._take_in(identity, read, name, frame=frame, n_waiting=n_waiting)[1]

    def keep_within(self, work: Work, identity: Identity, taken: "TakenImage") -> None:
        """Write the row of an image that was taken in, within a transaction of the caller.

        Raises:
            NotAllowedError: the role may not hand in radiographs.
        """
        require(identity, Action.IMAGES_ADD)
        facts = taken.facts
        _, is_new = work.images.add(
            facts, taken.name, taken.n_bytes, at=work.now, uploaded_by=identity.account_id
        )
        if taken.fingerprint is not None and not work.fingerprints.has(facts.sha256):
            work.fingerprints.add(taken.fingerprint, at=work.now)
        if not self._blobs.has(facts.file_sha256):
            self._blobs.put(taken.read())  # swept before the row was there; from here on nobody may
        work.audit.record(
            identity,
            action="image.added" if is_new else "image.added_again",
            object_type="image",
            object_id=facts.sha256,
            details=_facts(facts, taken.n_bytes),
        )

    def _take_in(
        self,
        identity: Identity,
        read: Callable[[], bytes],
        name: str,
        *,
        polarity: Polarity = Polarity.UNKNOWN,
        frame: int | None = None,
        n_waiting: int = 0,
    ) -> "tuple[Radiograph, TakenImage]":
        require(identity, Action.IMAGES_ADD)
        name, data = clean_name(name), read()
        with span("read file", radikal_bytes=len(data)):
            radiograph = read_radiograph(data, name, polarity=polarity, frame=frame)
        is_known = self._is_fingerprinted(radiograph.sha256)
        self._require_room(radiograph.file_sha256, len(data), n_waiting)
        with span("fingerprint"):
            made = None if is_known else kept_fingerprint(fingerprint(radiograph))
        self._blobs.put(data)
        return radiograph, TakenImage(facts_of(radiograph), name, len(data), made, read)

    def load(self, sha256: str, *, polarity: Polarity | None = None, keep: bool = True) -> Radiograph:
        """The radiograph of this digest.

        Args:
            sha256: 64 hex digits; of the file, or of one frame of it.
            polarity: used when the file does not say; None takes what was said when it came first.
            keep: in memory, because somebody looks at it.

        Raises:
            BlobNotFoundError: no such image.
            BlobDamagedError: the stored bytes changed.
        """
        asked = self.facts(sha256).polarity if polarity is None else polarity
        with self._lock:
            if (known := self._recent.get((sha256, asked))) is not None:
                self._recent.move_to_end((sha256, asked))
                return known
        stored = self.facts(sha256)
        data = self._blobs.get(stored.file_sha256)
        radiograph = read_radiograph(data, stored.name, polarity=asked, frame=stored.frame)
        if (pitch := self.pitch(sha256)) is not None:
            radiograph = replace(radiograph, pitch=pitch)
        if keep:
            self._keep(asked, radiograph)
        return radiograph

    def forget(self, sha256: str) -> None:
        """Read the image again when it is loaded next, e.g. because another scale counts now."""
        with self._lock:
            for key in [key for key in self._recent if key[0] == sha256]:
                del self._recent[key]

    def facts(self, sha256: str) -> StoredImage:
        """The database row of the image: name, size, depth, scale, uploader.

        Raises:
            BlobNotFoundError: no such image.
        """
        with self._store.read() as work:
            stored = work.images.find(sha256)
        if stored is None:
            raise BlobNotFoundError(f"no image {sha256[:12]} is stored")
        return stored

    def pitch(self, sha256: str, setup: Setup | None = None) -> PixelPitch | None:
        """The scale that counts for the image with this setup; see `pitch_of`.

        Raises:
            BlobNotFoundError: no such image.
        """
        with self._store.read() as work:
            stored = work.images.find(sha256)
            if stored is None:
                raise BlobNotFoundError(f"no image {sha256[:12]} is stored")
            return pitch_of(work, stored, setup)

    def name(self, sha256: str) -> str:
        """The name that the image was first handed in under.

        Raises:
            BlobNotFoundError: no such image.
        """
        return self.facts(sha256).name

    def _is_fingerprinted(self, sha256: str) -> bool:
        with self._store.read() as work:
            return work.fingerprints.has(sha256)

    def _require_room(self, file_sha256: str, n_bytes: int, n_waiting: int) -> None:
        """Ask the database first, also where there is no limit: when it is away, no file is written."""
        with self._store.read() as work:
            if work.images.has_file(file_sha256) or self._limit_bytes is None:
                return
            held = work.images.total_bytes()
        if held + n_waiting + n_bytes > self._limit_bytes:
            raise BadInputError(
                f"this workspace holds at most {self._limit_bytes // 2**20} MB of radiographs; "
                "sign in to an account to keep more"
            )

    def _keep(self, asked: Polarity, radiograph: Radiograph) -> None:
        with self._lock:
            self._recent[(radiograph.sha256, asked)] = radiograph
            while len(self._recent) > _KEPT_IN_MEMORY:
                self._recent.popitem(last=False)


@dataclass(frozen=True, slots=True, eq=False)
class TakenImage:
    """An image whose bytes are stored and whose row is not yet written.

    Attributes:
        facts: what the row says of the picture.
        name: fit to be shown.
        n_bytes: of its file.
        fingerprint: None where the picture is known already.
        read: the bytes of the file once more.
    """

    facts: PictureFacts
    name: str
    n_bytes: int
    fingerprint: KeptFingerprint | None
    read: Callable[[], bytes]


def _facts(radiograph: PictureFacts, n_bytes: int) -> dict[str, Any]:
    """Details for the audit log."""
    facts: dict[str, Any] = {"n_bytes": n_bytes, "format": radiograph.file_format}
    if radiograph.frame is not None:
        facts |= {"file": radiograph.file_sha256, "frame": radiograph.frame}
    return facts


def pitch_of(
    work: Work, image: StoredImage, setup: Setup | None = None, *, until: datetime | None = None
) -> PixelPitch | None:
    """The scale that counts for the image with this setup, see `core.domain.scale.scale_of`.

    Args:
        work: the transaction.
        image: its row.
        setup: of the inspection; None takes what a person entered for the image, else what its file says.
        until: the moment for which it is asked; None is now.
    """
    kept = work.scales.newest(image.sha256, until=until)
    entered = None if kept is None else entered_pitch(kept)
    return scale_of(entered, image.pitch, Exposure() if setup is None else setup.exposure)


def entered_pitch(kept: KeptScale) -> PixelPitch:
    """The scale that a person drew on the image, at the object, or typed, of the film or detector."""
    return PixelPitch(kept.mm_per_px, PitchSource.TYPED if kept.is_typed else PitchSource.USER)
