"""The images that a release specification names."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from core.domain.detections import FloatArray
from core.domain.errors import DatasetError
from core.domain.radiograph import Polarity
from core.imaging.normalise import normalise
from core.labelling.coco import CocoImage, read_coco
from core.labelling.split import members_of, names_of, read_split
from core.services.evaluation.evaluating import Progress
from core.services.evaluation.recorded_images import cluster_name, read_recorded, select_images
from core.simulate.dataset import TRUTH_FILE, write_dataset


@contextmanager
def images_of(
    entry: Mapping[str, Any], data: Path, splits: Path
) -> Iterator[tuple[Path, Path, list[str] | None]]:
    """(COCO file, images folder, series or None) of an entry; simulated ones are made, and removed after.

    Args:
        entry: `coco`, perhaps with `split` and `part`, less the series and views of `without` (a split list
            and its part, as FILE:PART), or `simulated` with `count` and `seed`.
        data: folder of the COCO files and images.
        splits: folder of the split lists.

    Raises:
        DatasetError: a split list lacks the part, or `without` leaves nothing.
    """
    if "simulated" in entry:
        with tempfile.TemporaryDirectory() as folder:
            write_dataset(Path(folder), **entry["simulated"])
            yield Path(folder) / TRUTH_FILE, Path(folder), None
        return
    series = None
    if "split" in entry:
        series = members_of(read_split(splits / entry["split"]), entry["part"])
    if "without" in entry:
        name, _, part = str(entry["without"]).partition(":")
        excluded = set(members_of(read_split(splits / name), part))
        images = select_images(read_coco(data / entry["coco"]), data, series)
        series = [Path(image.file_name).stem for image in images if not names_of(image) & excluded]
        if not series:
            raise DatasetError(f"{entry['without']} leaves no image of {entry['coco']}")
    yield data / entry["coco"], data, series


def normalised_images(
    entries: Sequence[Mapping[str, Any]],
    polarity: Polarity,
    data: Path,
    splits: Path,
    progress: Progress | None = None,
    *,
    at_most: int | None = None,
) -> Iterator[tuple[FloatArray, str]]:
    """Each image that the entries name, (H, W) normalised, and the part that it shows.

    Args:
        entries: as `images_of` takes them, perhaps with `polarity` of the images.
        polarity: to bring them into.
        data: folder of the COCO files and images.
        splits: folder of the split lists.
        progress: called after each image.
        at_most: so many images of each part of an entry, evenly over those that there are; None takes all.
    """
    for entry in entries:
        stated = Polarity(entry.get("polarity", "unknown"))
        with images_of(entry, data, splits) as (coco, folder, series):
            images = select_images(read_coco(coco), folder, series)
            images = images if at_most is None else _thinned(images, at_most)
            for done, image in enumerate(images, start=1):
                read = read_recorded(image, folder, stated)
                yield (
                    normalise(read.pixels, polarity=read.polarity, model_polarity=polarity),
                    cluster_name(image),
                )
                if progress is not None:
                    progress(done, len(images))


def _thinned(images: Sequence[CocoImage], at_most: int) -> list[CocoImage]:
    """At most so many images of each part, evenly over those that there are, in order of the parts."""
    by_part: dict[str, list[CocoImage]] = {}
    for image in images:
        by_part.setdefault(cluster_name(image), []).append(image)
    return [
        own[index]
        for own in by_part.values()
        for index in np.unique(np.linspace(0, len(own) - 1, at_most).round().astype(int))
    ]
