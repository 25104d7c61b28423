"""How much of what people labelled lies in the zone that is found, and how much of the picture the zone is.

    python benchmarks/zone.py shared/gdxray

Welds: the boxes of `welds.json` on the cropped films and, moved to their place, on the full films that these
were cut from. Castings: the boxes of `castings.json`. The data set is not part of the repository.
"""

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2

from core.domain.kinds import Family
from core.domain.radiograph import Polarity
from core.domain.zone import Zone
from core.imaging.zone import judged_zone


def measure(
    pictures: Iterable[tuple[Path, list[tuple[float, ...]]]], *, is_casting: bool
) -> dict[str, float | int]:
    """Figures over pictures with their boxes (x1, y1, x2, y2)."""
    zones: list[float] = []
    took: list[float] = []
    n_pictures = n_boxes = n_inside = 0
    for path, boxes in pictures:
        pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        begin = time.thread_time()
        zone = _found(pixels, is_casting=is_casting)
        took.append(time.thread_time() - begin)
        n_pictures += 1
        if zone is None:
            continue
        zones.append(zone.share(pixels.shape[1], pixels.shape[0]))
        n_boxes += len(boxes)
        n_inside += sum(zone.holds(box) for box in boxes)
    return {
        "pictures": n_pictures,
        "with a zone": len(zones),
        "boxes on these": n_boxes,
        "inside": n_inside,
        "mean share of the picture": round(sum(zones) / max(1, len(zones)), 3),
        "slowest, s": round(max(took, default=0.0), 3),
    }


def _found(pixels: Any, *, is_casting: bool) -> Zone | None:
    return judged_zone(pixels, Family.CASTING if is_casting else Family.WELD, Polarity.UNKNOWN)


def main() -> None:
    """Print the table."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("folder", type=Path)
    folder = asked.parse_args().folder
    welds, castings = (json.loads((folder / name).read_text()) for name in ("welds.json", "castings.json"))
    boxes = {"weld": _boxes(welds), "casting": _boxes(castings)}
    crops = [(folder / one["file_name"], boxes["weld"][one["id"]]) for one in welds["images"]]
    parents = [
        (folder / one["parent_film"], [_moved(box, one) for box in boxes["weld"][one["id"]]])
        for one in welds["images"]
    ]
    films = [(path, []) for path in sorted((folder / "Welding" / "W0003").glob("*.png"))]
    parts = [(folder / one["file_name"], boxes["casting"][one["id"]]) for one in castings["images"]]
    for name, pictures in (
        ("cropped films", crops),
        ("their full films", parents),
        ("all full films", films),
    ):
        print(name, measure(pictures, is_casting=False))
    print("castings", measure(parts, is_casting=True))


def _boxes(coco: dict[str, Any]) -> dict[int, list[tuple[float, ...]]]:
    found = defaultdict(list)
    for one in coco["annotations"]:
        x, y, width, height = one["bbox"]
        found[one["image_id"]].append((x, y, x + width, y + height))
    return found


def _moved(box: tuple[float, ...], image: dict[str, Any]) -> tuple[float, ...]:
    dx, dy = image["crop_x"], image["crop_y"]
    return box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy


if __name__ == "__main__":
    main()
