"""Training images with virtual flaws on real films."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt

from core.domain.errors import DatasetError
from core.domain.radiograph import Polarity, Radiograph
from core.evaluate.cells import cells_of_length
from core.imaging.normalise import normalise
from core.imaging.read import read_radiograph_file
from core.labelling.film_cells import BAM_CELL_PX, FilmRecord, FilmStatus, read_film_cells
from core.simulate.kinds import mix_with
from core.simulate.seam import find_seam
from core.simulate.truth import SimulatedFlaw
from core.simulate.virtual import superpose_flaws
from core.training.images import CLASS_IDS, TrainingImage, outlined
from core.training.mask_target import mask_target
from core.training.recipe import VirtualSource

#: So far beyond the seam's edge a recorded indication may reach, in half widths of the seam.
_REACH = 1.6
_FULL = (1 << 16) - 1


def virtual_images(
    source: VirtualSource, polarity: Polarity, data_dir: Path, *, has_mask: bool = False
) -> Iterator[TrainingImage]:
    """The images of `source`, `variants` of each film.

    Args:
        source: which films and how many variants.
        polarity: the network's.
        data_dir: holds the records and the films.
        has_mask: whether the images bear outlines.

    Raises:
        DatasetError: when a film is not in the records, or holds something else than whole numbers.
        UnreadableImageError: when a film cannot be read.
    """
    records = {PurePosixPath(r.file_name).stem: r for r in read_film_cells(data_dir / source.virtual)}
    seed = source.seed
    for stem in source.films:
        record = records.get(stem)
        if record is None:
            raise DatasetError(f"{source.virtual} knows no film {stem}")
        radiograph = read_radiograph_file(data_dir / record.file_name, polarity=source.polarity)
        if radiograph.pixels.dtype == np.float32:
            raise DatasetError(f"{record.file_name}: virtual flaws need the whole grey values of a scan")
        for number in range(source.variants):
            made = _variant(radiograph, record, source, polarity=polarity, seed=seed, has_mask=has_mask)
            yield replace(made, is_mined=source.is_mined and number == 0)
            seed += 1


def free_stretches(record: FilmRecord, cell_px: float = BAM_CELL_PX) -> list[tuple[int, int]]:
    """First and behind-last column of each stretch more than one cell away from all that is recorded.

    Args:
        record: of a film; none of its columns is free when nobody looked at it.
        cell_px: width of a centimetre, px.
    """
    if record.status is FilmStatus.NOT_RECORDED:
        return []
    n_cells = -int(-record.width // cell_px)
    taken = np.zeros(n_cells + 2, np.bool_)  # cells count from 1
    for entry in record.indications:
        for cell in cells_of_length(entry.start_cell, entry.length_mm, n_cells=n_cells):
            taken[max(cell - 1, 0) : cell + 2] = True
    stretches: list[tuple[int, int]] = []
    for cell in range(1, n_cells + 1):
        first, last = round((cell - 1) * cell_px), min(round(cell * cell_px), record.width)
        if taken[cell]:
            continue
        if stretches and stretches[-1][1] == first:
            stretches[-1] = (stretches[-1][0], last)
        else:
            stretches.append((first, last))
    return stretches


def _variant(
    radiograph: Radiograph,
    record: FilmRecord,
    source: VirtualSource,
    *,
    polarity: Polarity,
    seed: int,
    has_mask: bool,
) -> TrainingImage:
    rng = np.random.default_rng(seed)
    grey = radiograph.pixels.astype(np.float32) / float((1 << radiograph.bit_depth) - 1)
    free = free_stretches(record)
    truth: list[SimulatedFlaw] = []
    for columns in free:
        made = superpose_flaws(
            grey,
            rng,
            mm_per_px=source.mm_per_px,
            columns=columns,
            mix=mix_with(source.mix),
            flaw_groups=source.flaw_groups,
        )
        grey, truth = made.grey, truth + list(made.truth)
    pixels = np.rint(grey * np.float32(_FULL)).astype(np.uint16)
    unknown = _recorded_seam(radiograph, free)
    boxes = np.array([t.bbox for t in truth], np.float32).reshape(-1, 4)
    class_ids = [CLASS_IDS.get(t.flaw_class.value, -1) for t in truth]
    return TrainingImage(
        pixels=normalise(pixels, polarity=radiograph.polarity, model_polarity=polarity).astype(np.float16),
        boxes=np.concatenate((boxes, unknown)),
        class_ids=np.array([*class_ids, *(-1 for _ in unknown)], np.int64),
        is_ignored=np.array([*(not t.visible for t in truth), *(True for _ in unknown)], np.bool_),
        series=Path(record.file_name).stem,
        weight=source.weight / (source.variants * len(source.films)),
        identity={
            "sha256": radiograph.sha256,
            "file_name": record.file_name,
            "series": Path(record.file_name).stem,
            "seed": seed,
        },
        mask=mask_target(pixels.shape, outlined(truth), unknown) if has_mask else None,
    )


def _recorded_seam(radiograph: Radiograph, free: list[tuple[int, int]]) -> npt.NDArray[np.float32]:
    """(N, 4) xyxy px: the seam where something is recorded, or so near that it may reach there."""
    centre, half = find_seam(radiograph.pixels.astype(np.float32))
    edges = [0, *(x for stretch in free for x in stretch), radiograph.width]
    boxes = []
    for first, last in zip(edges[0::2], edges[1::2], strict=True):
        if last > first:
            rows = centre[first:last]
            reach = _REACH * half[first:last]
            top, bottom = float((rows - reach).min()), float((rows + reach).max())
            boxes.append((first, max(top, 0.0), last, min(bottom, radiograph.height)))
    return np.array(boxes, np.float32).reshape(-1, 4)
