"""Simulated radiographs on disk, with their ground truth as COCO."""

import json
import struct
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from core.domain.indication import IndicationClass
from core.simulate.config import SimulationConfig
from core.simulate.render import DEFAULT, SimulatedRadiograph, simulate_weld
from core.simulate.truth import Mask, SimulatedFlaw

TRUTH_FILE = "truth.json"
#: Signature and IHDR chunk; other chunks may follow from here.
_PNG_HEADER = 8 + 25
_SMALLEST = 9
CATEGORIES = tuple(c for c in IndicationClass if c is not IndicationClass.UNCLASSIFIED)


def write_dataset(
    out: Path,
    *,
    count: int,
    seed: int,
    config: SimulationConfig = DEFAULT,
    compression: int = _SMALLEST,
    progress: Callable[[int], None] = lambda _done: None,
) -> Path:
    """Path of the truth.json beside `count` 16-bit PNGs of the seeds `seed` .. `seed + count - 1`.

    A lower `compression`, 0 to 9, writes larger files of the same pixels several times faster. `progress` is
    called after each radiograph; whatever it raises ends the work.

    Raises:
        OSError: when the folder cannot be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    entries = []
    for one in range(seed, seed + count):
        radiograph = simulate_weld(one, config)
        name = f"weld_{one:06d}.png"
        (out / name).write_bytes(encode_png(radiograph, compression))
        entries.append((name, radiograph))
        progress(len(entries))
    truth = coco_truth(entries)
    path = out / TRUTH_FILE
    path.write_text(json.dumps(truth) + "\n", encoding="utf-8")
    return path


def encode_png(radiograph: SimulatedRadiograph, compression: int = _SMALLEST) -> bytes:
    """The pixels as a 16-bit greyscale PNG; the values run to 2^bit_depth - 1, not to 65535.

    The chunk sBIT tells the significant bits, pHYs the pixel pitch (PNG specification, 11.3).
    """
    is_done, buffer = cv2.imencode(".png", radiograph.pixels, [cv2.IMWRITE_PNG_COMPRESSION, compression])
    assert is_done
    content = buffer.tobytes()
    px_per_metre = round(1000 / radiograph.mm_per_px)
    extra = _chunk(b"sBIT", bytes([radiograph.bit_depth]))
    extra += _chunk(b"pHYs", struct.pack(">IIB", px_per_metre, px_per_metre, 1))
    return content[:_PNG_HEADER] + extra + content[_PNG_HEADER:]


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def coco_truth(radiographs: Iterable[tuple[str, SimulatedRadiograph]]) -> dict[str, Any]:
    """The COCO content for (file name, radiograph) pairs.

    Boxes are COCO's [x, y, width, height]; masks are COCO's uncompressed run lengths (column by column
    over the whole image, starting with the number of zeros). Beyond COCO: images carry `series`,
    `mm_per_px`, `polarity`, `bit_depth`, `plate_mm`, `seed`; annotations `kind`, `iso6520`,
    `size_mm` [length, width, height], `visible`, `cnr`.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image_id, (name, radiograph) in enumerate(radiographs, start=1):
        images.append(_image_entry(image_id, name, radiograph))
        for flaw in radiograph.truth:
            shape = radiograph.pixels.shape
            annotations.append(_annotation(len(annotations) + 1, image_id, flaw, (shape[0], shape[1])))
    categories = [{"id": i, "name": str(c)} for i, c in enumerate(CATEGORIES, start=1)]
    return {
        "info": {"description": "Simulated weld radiographs with known flaws (RadiKal)"},
        "licenses": [
            {"id": 1, "name": "CC0-1.0", "url": "https://creativecommons.org/publicdomain/zero/1.0/"}
        ],
        "categories": categories,
        "images": images,
        "annotations": annotations,
    }


def _image_entry(image_id: int, name: str, radiograph: SimulatedRadiograph) -> dict[str, Any]:
    height, width = radiograph.pixels.shape
    return {
        "id": image_id,
        "file_name": name,
        "width": width,
        "height": height,
        "license": 1,
        "series": Path(name).stem,
        "mm_per_px": round(radiograph.mm_per_px, 6),
        "polarity": str(radiograph.polarity),
        "bit_depth": radiograph.bit_depth,
        "plate_mm": round(radiograph.plate_mm, 3),
        "seed": radiograph.seed,
    }


def _annotation(number: int, image_id: int, flaw: SimulatedFlaw, shape: tuple[int, int]) -> dict[str, Any]:
    x1, y1, x2, y2 = flaw.bbox
    return {
        "id": number,
        "image_id": image_id,
        "category_id": CATEGORIES.index(flaw.flaw_class) + 1,
        "bbox": [x1, y1, x2 - x1, y2 - y1],
        "area": int(flaw.mask.sum()),
        "iscrowd": 0,
        "segmentation": {"size": list(shape), "counts": run_lengths(flaw.mask, (int(x1), int(y1)), shape)},
        "kind": str(flaw.kind),
        "iso6520": flaw.iso6520,
        "size_mm": [round(v, 3) for v in flaw.size_mm],
        "visible": flaw.visible,
        "cnr": round(flaw.cnr, 3),
    }


def run_lengths(mask: Mask, corner: tuple[int, int], shape: tuple[int, int]) -> list[int]:
    """COCO's uncompressed run lengths of `mask` placed with its top left at `corner` (x, y) in `shape`."""
    height, width = shape
    x0, y0 = corner
    strip = np.zeros((height, mask.shape[1]), bool)
    strip[y0 : y0 + mask.shape[0]] = mask
    flat = strip.T.ravel()
    changes = np.flatnonzero(np.diff(flat.astype(np.int8))) + 1
    starts = np.concatenate([[0], changes, [flat.size]])
    runs = np.diff(starts).tolist()
    if flat[0]:
        runs = [0, *runs]
    before, after = x0 * height, (width - x0 - mask.shape[1]) * height
    runs[0] += before
    if len(runs) % 2:
        runs[-1] += after
    elif after:
        runs.append(after)
    return [int(run) for run in runs]
