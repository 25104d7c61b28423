"""Taking in radiographs, and getting them back."""

import threading
from collections import OrderedDict

from core.domain.radiograph import Polarity, Radiograph
from core.imaging.read import read_radiograph
from core.store.blobs import BlobNotFoundError, BlobStore
from core.store.images import ImageRepository

#: Radiographs kept decoded; a 5000 x 1300 film takes 13 MB.
_KEPT_IN_MEMORY = 6


class ImageService:
    """Radiographs by the sha256 of their original bytes. Safe to share between threads."""

    def __init__(self, blobs: BlobStore, rows: ImageRepository) -> None:
        self._blobs = blobs
        self._rows = rows
        self._recent: OrderedDict[tuple[str, Polarity], Radiograph] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, data: bytes, name: str, *, polarity: Polarity = Polarity.UNKNOWN) -> Radiograph:
        """The radiograph in `data`, now stored: its original bytes and what is known about it.

        It is read first, so bytes that are no radiograph leave nothing behind. The same bytes again
        change nothing, whatever their name.

        Args:
            data: the whole file.
            name: as the user knows it.
            polarity: used when the file does not say.

        Raises:
            UnreadableImageError: one clear line; nothing was stored.
        """
        radiograph = read_radiograph(data, name, polarity=polarity)
        self._blobs.put(data)
        self._rows.add(radiograph, name, len(data))
        self._keep(polarity, radiograph)
        return radiograph

    def load(self, sha256: str, *, polarity: Polarity | None = None) -> Radiograph:
        """The radiograph whose original bytes have this digest.

        Args:
            sha256: 64 hex digits.
            polarity: used when the file does not say; None takes what was said when it came first.

        Raises:
            BlobNotFoundError: no such image.
            BlobDamagedError: the stored bytes changed.
        """
        stored = self._rows.find(sha256)
        if stored is None:
            raise BlobNotFoundError(f"no image {sha256[:12]} is stored")
        asked = stored.polarity if polarity is None else polarity
        with self._lock:
            if (known := self._recent.get((sha256, asked))) is not None:
                self._recent.move_to_end((sha256, asked))
                return known
        radiograph = read_radiograph(self._blobs.get(sha256), stored.name, polarity=asked)
        self._keep(asked, radiograph)
        return radiograph

    def name(self, sha256: str) -> str:
        """The name that the image was first handed in under.

        Raises:
            BlobNotFoundError: no such image.
        """
        stored = self._rows.find(sha256)
        if stored is None:
            raise BlobNotFoundError(f"no image {sha256[:12]} is stored")
        return stored.name

    def _keep(self, asked: Polarity, radiograph: Radiograph) -> None:
        with self._lock:
            self._recent[(radiograph.sha256, asked)] = radiograph
            while len(self._recent) > _KEPT_IN_MEMORY:
                self._recent.popitem(last=False)
