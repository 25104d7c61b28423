"""The images that a release specification names."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.labelling.split import members_of, read_split
from core.simulate.dataset import TRUTH_FILE, write_dataset


@contextmanager
def images_of(
    entry: Mapping[str, Any], data: Path, splits: Path
) -> Iterator[tuple[Path, Path, list[str] | None]]:
    """(COCO file, images folder, series or None) of an entry; simulated ones are made, and removed after.

    Args:
        entry: `coco`, perhaps with `split` and `part`, or `simulated` with `count` and `seed`.
        data: folder of the COCO files and images.
        splits: folder of the split lists.

    Raises:
        DatasetError: the split list lacks the part.
    """
    if "simulated" in entry:
        with tempfile.TemporaryDirectory() as folder:
            write_dataset(Path(folder), **entry["simulated"])
            yield Path(folder) / TRUTH_FILE, Path(folder), None
        return
    series = None
    if "split" in entry:
        series = members_of(read_split(splits / entry["split"]), entry["part"])
    yield data / entry["coco"], data, series
