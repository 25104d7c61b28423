"""What boxes look like to a model version, in files that can be made again: a bounded cache."""

import contextlib
import io
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.domain.radiograph import Polarity
from core.store.whole_file import write_whole

#: Images of one version, and versions, whose features are kept; the oldest go first.
MOST_IMAGES, MOST_VERSIONS = 5_000, 4
_VERSION_DIGITS = 16


@dataclass(frozen=True, slots=True, eq=False)
class BoxFeatures:
    """Boxes of one image as a version sees them.

    Attributes:
        boxes: (N, 4) float32 xyxy px.
        features: (N, D) float16.
        pictures: (N, s, s) uint8, each box with what is around it.
    """

    boxes: npt.NDArray[np.float32]
    features: npt.NDArray[np.float16]
    pictures: npt.NDArray[np.uint8]


class FeatureFiles:
    """A folder of features by version and image. What cannot be read counts as not there.

    Args:
        folder: made when the first is kept.
        most_images: of one version.
    """

    def __init__(self, folder: Path, *, most_images: int = MOST_IMAGES) -> None:
        self._folder, self._most_images = folder, most_images

    def find(
        self, model_sha256: str, image_sha256: str, polarity: Polarity, boxes: npt.NDArray[np.float32]
    ) -> BoxFeatures | None:
        """Those of these boxes (N, 4), in their order; None when one of them is not there."""
        try:
            body = self._path(model_sha256, image_sha256, polarity).read_bytes()
            with np.load(io.BytesIO(body), allow_pickle=False) as kept:
                found = BoxFeatures(kept["boxes"], kept["features"], kept["pictures"])
        except (OSError, ValueError, KeyError, EOFError):
            return None
        is_same = (found.boxes[None] == boxes[:, None]).all(axis=2)
        if not is_same.any(axis=1).all():
            return None
        places = is_same.argmax(axis=1)
        return BoxFeatures(found.boxes[places], found.features[places], found.pictures[places])

    def keep(self, model_sha256: str, image_sha256: str, polarity: Polarity, made: BoxFeatures) -> None:
        """Keep them in place of earlier ones of that image; a full disk keeps none."""
        path = self._path(model_sha256, image_sha256, polarity)
        buffer = io.BytesIO()
        np.savez(buffer, boxes=made.boxes, features=made.features, pictures=made.pictures)
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, buffer.getvalue(), mark=f".{os.getpid()}")
            _remove_oldest(path.parent.glob("*.npz"), self._most_images)
            _remove_oldest((one for one in self._folder.iterdir() if one.is_dir()), MOST_VERSIONS)

    def _path(self, model_sha256: str, image_sha256: str, polarity: Polarity) -> Path:
        return self._folder / model_sha256[:_VERSION_DIGITS] / f"{image_sha256}-{polarity.value}.npz"


def _remove_oldest(paths: Iterable[Path], at_most: int) -> None:
    """Remove the files, or folders of files, that were changed longest ago, until so many are left."""
    by_age = sorted(paths, key=lambda path: path.stat().st_mtime)
    for path in by_age[: max(len(by_age) - at_most, 0)]:
        if path.is_dir():
            for file in path.iterdir():
                file.unlink(missing_ok=True)
            path.rmdir()
        else:
            path.unlink(missing_ok=True)
