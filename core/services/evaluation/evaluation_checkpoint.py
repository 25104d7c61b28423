"""The results of a measuring job so far, kept in its folder so that a resume goes on from there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core.evaluate.outcome import ImageOutcome
from core.labelling.coco import CocoImage
from core.services.evaluation.recorded_images import recorded_of
from core.store.array_files import Arrays


@dataclass(frozen=True, slots=True, eq=False)
class FoundOnImage:
    """The detections on one image, and the time they took, ms."""

    outcome: ImageOutcome
    elapsed_ms: float


def write_chunk(path: Path, found: Sequence[FoundOnImage]) -> None:
    """Keep what was found on some images in a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays: Arrays = {"elapsed_ms": np.array([one.elapsed_ms for one in found])}
    for index, one in enumerate(found):
        outcome = one.outcome
        arrays |= {
            f"boxes{index}": outcome.boxes,
            f"scores{index}": outcome.scores,
            f"labels{index}": np.array(outcome.labels, np.str_),
            f"probabilities{index}": outcome.probabilities,
        }
    temporary = path.with_suffix(".new.npz")
    np.savez(temporary, allow_pickle=False, **arrays)
    temporary.replace(path)


def read_chunk(path: Path, images: Sequence[CocoImage]) -> list[FoundOnImage] | None:
    """The kept results of these images, None where nothing was kept."""
    if not path.is_file():
        return None
    found = []
    with np.load(path, allow_pickle=False) as kept:
        for index, image in enumerate(images):
            outcome = replace(
                recorded_of(image),
                boxes=kept[f"boxes{index}"],
                scores=kept[f"scores{index}"],
                labels=tuple(str(one) for one in kept[f"labels{index}"]),
                probabilities=kept[f"probabilities{index}"],
            )
            found.append(FoundOnImage(outcome, float(kept["elapsed_ms"][index])))
    return found
