"""Frames that a tiny network learns to read within a minute: bright pores, and a square that is none."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.imaging.encode import encode_png

HEIGHT, WIDTH = 256, 320
_LEVEL, _NOISE, _PORE, _MARKER = 20_000, 900, 9_000, 12_000
_MARGIN_PX, _APART_PX = 24, 40

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A radiograph with known content.

    Attributes:
        pixels: uint16, (256, 320); bright is thin.
        pores: their boxes x1, y1, x2, y2 in pixels.
        marker: the box of the square.
    """

    pixels: npt.NDArray[np.uint16]
    pores: tuple[Box, ...]
    marker: Box

    @property
    def png(self) -> bytes:
        """The file, 16 bits deep."""
        return encode_png(self.pixels)


def frame(seed: int, n_pores: int = 8) -> Frame:
    """A frame, the same for the same seed."""
    rng = np.random.default_rng(seed)
    places = _places(rng, n_pores + 1)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    image = rng.normal(_LEVEL, _NOISE, (HEIGHT, WIDTH))
    pores = []
    for cx, cy in places[1:]:
        radius = rng.uniform(6, 10)
        distance = np.hypot(x - cx, y - cy)
        image += _PORE * np.sqrt(np.clip(1 - (distance / radius) ** 2, 0, 1))
        pores.append((cx - radius, cy - radius, cx + radius, cy + radius))
    cx, cy = places[0]
    marker = (cx - 10, cy - 10, cx + 10, cy + 10)
    image[(abs(x - cx) <= 10) & (abs(y - cy) <= 10)] += _MARKER
    return Frame(np.clip(image, 0, 65_535).astype(np.uint16), tuple(pores), marker)


def write_frames(folder: Path, seeds: Sequence[int], *, with_markers: bool = False) -> Path:
    """A COCO file beside its images, a series each; `with_markers` records the squares as defects, too."""
    folder.mkdir(parents=True, exist_ok=True)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, seed in enumerate(seeds, start=1):
        made, name = frame(seed), f"frame_{seed}.png"
        (folder / name).write_bytes(made.png)
        images.append(
            {"id": number, "file_name": name, "width": WIDTH, "height": HEIGHT, "series": f"part-{seed}"}
        )
        for x1, y1, x2, y2 in (*made.pores, *([made.marker] if with_markers else [])):
            box = {"id": len(annotations) + 1, "image_id": number, "category_id": 1}
            annotations.append(box | {"bbox": [x1, y1, x2 - x1, y2 - y1]})
    content = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "defect"}]}
    path = folder / "truth.json"
    path.write_text(json.dumps(content))
    return path


def _places(rng: np.random.Generator, n: int) -> list[tuple[float, float]]:
    """Centres that are far enough from each other and from the edge."""
    found: list[tuple[float, float]] = []
    while len(found) < n:
        x = rng.uniform(_MARGIN_PX, WIDTH - _MARGIN_PX)
        y = rng.uniform(_MARGIN_PX, HEIGHT - _MARGIN_PX)
        if all(np.hypot(x - a, y - b) >= _APART_PX for a, b in found):
            found.append((float(x), float(y)))
    return found
