"""Checks before a training run: boxes that teach nonsense, images that are held back.

Only what costs little while the pixels are in memory anyway: `radikal data check` looks for more.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from core.domain.errors import DatasetError
from core.labelling.box_checks import box_findings
from core.labelling.coco import read_coco
from core.labelling.finding import DataIssue, FindingKind, error
from core.labelling.split import members_of, names_of, read_split
from core.training.images import TrainingImage
from core.training.recipe import CocoSource, Recipe

_NAMED = 5


def refuse_faults(recipe: Recipe, images: Sequence[TrainingImage], data_dir: Path, split_dir: Path) -> None:
    """Nothing when `images`, loaded by `recipe`, can train.

    Boxes that teach nothing (`is_ignored`) are not looked at, nor are rendered images. Contrast is that of
    the normalised pixels, which is all that the network sees. An image leaks when the same file belongs to
    a series that the split lists of the recipe name and the recipe does not take; files that are not there
    are not compared.

    Raises:
        DatasetError: one line that names the first five faults and says how many there are.
    """
    faults = [*_box_faults(images), *_leaks(recipe, images, data_dir, split_dir)]
    if faults:
        more = "" if len(faults) <= _NAMED else f"; {len(faults) - _NAMED} more"
        named = "; ".join(str(fault) for fault in faults[:_NAMED])
        raise DatasetError(f"these data cannot train, {len(faults)} faults: {named}{more}")


def _box_faults(images: Sequence[TrainingImage]) -> list[DataIssue]:
    found: list[DataIssue] = []
    for image in images:
        if "seed" not in image.identity:  # rendered together with its truth
            height, width = image.pixels.shape
            name, teaching = str(image.identity["file_name"]), image.boxes[~image.is_ignored]
            found += box_findings(name, teaching, size=(width, height), pixels=image.pixels)
    return [finding for finding in found if finding.is_error]


def _leaks(
    recipe: Recipe, images: Sequence[TrainingImage], data_dir: Path, split_dir: Path
) -> list[DataIssue]:
    trained = {str(image.identity["sha256"]): str(image.identity["file_name"]) for image in images}
    found = []
    for file_name, series in held_back(recipe, data_dir, split_dir).items():
        path = data_dir / file_name
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        if digest in trained:
            message = f"the same file as {file_name} of {series}, which this recipe holds back"
            found.append(error(FindingKind.SAME_IMAGE, message, trained[digest]))
    return found


def held_back(recipe: Recipe, data_dir: Path, split_dir: Path) -> dict[str, str]:
    """The images that the split lists of `recipe` name and it does not take: file name to series.

    Raises:
        DatasetError: when a COCO file or a split list cannot be read.
    """
    taken: set[str] = set()
    listed: dict[str, str] = {}
    for source in recipe.sources:
        if isinstance(source, CocoSource) and source.split is not None:
            parts = read_split(split_dir / source.split)
            taken.update(members_of(parts, source.part))
            named = set(members_of(parts, "*"))
            for image in read_coco(data_dir / source.coco).images:
                if names := named.intersection(names_of(image)):
                    listed[image.file_name] = min(names)
    taken -= set(recipe.excluded)
    return {file_name: name for file_name, name in listed.items() if name not in taken}
