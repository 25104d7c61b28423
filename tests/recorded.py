"""A COCO data set in which a given detector is right about every second box."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from core.engine.detector import Detector
from core.imaging.encode import encode_png
from core.imaging.normalise import normalise

SERIES = ("A", "A", "B", "B", "C", "C")


def write_recorded(
    folder: Path, detector: Detector, *, category: str = "defect", size: tuple[int, int] = (96, 128)
) -> Path:
    """The COCO file, beside its images: noise, with every second detection above 0.05 as recorded boxes."""
    folder.mkdir(parents=True, exist_ok=True)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, series in enumerate(SERIES, start=1):
        pixels = np.random.default_rng(number).integers(0, 65535, size, np.uint16)
        name = f"{series}_{number}.png"
        (folder / name).write_bytes(encode_png(pixels))
        images.append(
            {"id": number, "file_name": name, "width": size[1], "height": size[0], "series": series}
        )
        for x1, y1, x2, y2 in detector.detect(normalise(pixels)).above(0.05).boxes[::2].astype(float):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": 1,
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                }
            )
    content = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": category}]}
    path = folder / "truth.json"
    path.write_text(json.dumps(content))
    return path
