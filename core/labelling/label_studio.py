"""Label Studio's own JSON: a list of tasks, regions in percent of the image.

`rotation` turns a rectangle clockwise about its top left corner, in degrees. Rectangles and polygons are
read; brushes, ellipses, key points and choices are named and left out. A task is taken from the one
annotation that was submitted, of several from the one marked as ground truth. Drafts, skipped annotations and
predictions are no labels.
"""

import json
import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from core.domain.errors import DatasetError
from core.labelling.entries import LabelEntry, LabelFile, LabelFormat
from core.labelling.labelled import LabelledBox, LabelledImage, labelled_box
from core.labelling.outlines import Corner, bounds, rotated_box

_RECTANGLE, _POLYGON = "rectanglelabels", "polygonlabels"
#: Keys of a task's data that usually hold the image; else the only one that looks like a file is taken.
_IMAGE_KEYS = ("image", "img", "photo", "picture", "url")


def label_studio_chunks(images: Iterable[LabelledImage]) -> Iterator[str]:
    """The text of a file of tasks, an image at a time. Percents keep an edge within 1e-9 px to 100,000 px."""
    yield "["
    for number, image in enumerate(images, 1):
        result = [_region(image, index, box) for index, box in enumerate(image.boxes, 1)]
        data: dict[str, Any] = {"image": image.file_name, "width": image.width, "height": image.height}
        if image.sha256:
            data["sha256"] = image.sha256
        annotation = {"id": number, "result": result, "was_cancelled": False, "ground_truth": False}
        task = {"id": number, "data": data, "annotations": [annotation], "predictions": []}
        yield (",\n" if number > 1 else "\n") + json.dumps(task, ensure_ascii=False)
    yield "\n]\n"


def _region(image: LabelledImage, index: int, box: LabelledBox) -> dict[str, Any]:
    x1, y1, x2, y2 = box.bbox
    kind, value = _RECTANGLE, {
        "x": x1 / image.width * 100,
        "y": y1 / image.height * 100,
        "width": (x2 - x1) / image.width * 100,
        "height": (y2 - y1) / image.height * 100,
        "rotation": 0,
    }  # fmt: skip
    if box.polygon:
        points = [[x / image.width * 100, y / image.height * 100] for x, y in box.polygon]
        kind, value = _POLYGON, {"points": points, "closed": True}  # type: ignore[dict-item]  # other keys
    return {
        "id": f"r{index}",
        "type": kind,
        "from_name": "label",
        "to_name": "image",
        "original_width": image.width,
        "original_height": image.height,
        "image_rotation": 0,
        "value": {**value, kind: [box.label]},
        **({"meta": box.finer} if box.finer else {}),
    }


def entries_of_label_studio(content: Any, name: str) -> LabelFile:
    """What a file of tasks says, image by image.

    Args:
        content: the file, parsed.
        name: of it, for messages.

    Raises:
        DatasetError: it is no list of tasks.
    """
    if not isinstance(content, list) or not all(
        isinstance(task, dict) and "data" in task for task in content
    ):
        raise DatasetError(
            f"{name}: expected the tasks of Label Studio; export them as JSON, not as JSON-MIN"
        )
    return LabelFile(LabelFormat.LABEL_STUDIO, tuple(_entry(task, name) for task in content))


def _entry(task: Mapping[str, Any], name: str) -> LabelEntry:
    place = f"task {task.get('id', 'without id')} of {name}"
    data = task["data"] if isinstance(task["data"], Mapping) else {}
    annotation, problem = _submitted(task)
    regions = [one for one in annotation.get("result") or () if isinstance(one, Mapping)]
    marked = {str(one["to_name"]) for one in regions if one.get("to_name") is not None}
    image = _image_of(data, marked) or str(task.get("file_upload") or "")
    if len(marked) > 1:
        problem = problem or f"its regions are of several images: {', '.join(sorted(marked))}"
    elif any(isinstance(value, list) for value in data.values()) and not image:
        problem = "the task holds several images, and which region is of which is not said by name"
    elif not image:
        problem = "the task names no image, or several"
    if problem:
        return LabelEntry(image or place, place, problem=problem)
    size: tuple[int, int] | None = None
    if isinstance(data.get("width"), int) and isinstance(data.get("height"), int):
        size = (data["width"], data["height"])
    boxes, refused = [], []
    for number, region in enumerate(annotation.get("result") or (), 1):
        kind = region.get("type") if isinstance(region, Mapping) else _RECTANGLE
        if kind not in (_RECTANGLE, _POLYGON, "rectangle", "polygon"):
            if kind != "relation":
                refused.append(f"region {number}: a {kind} is neither a rectangle nor a polygon")
            continue
        try:
            of = (int(region["original_width"]), int(region["original_height"]))
            if region.get("item_index"):
                raise ValueError(f"is on page {region['item_index'] + 1} of a task of several pages")
            if size not in (None, of):
                raise ValueError("has the size of another image")
            boxes.append(_box(region, of))
            size = of
        except (KeyError, TypeError, AttributeError):
            refused.append(f"region {number} is not written as Label Studio writes it")
        except ValueError as error:
            refused.append(f"region {number} {error}")
    digest = data.get("sha256")
    return LabelEntry(image, place, tuple(boxes), size, str(digest) if digest else None, tuple(refused))


def _submitted(task: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    """The annotation that counts, and the reason where there is none."""
    told = [one for one in task.get("annotations") or () if isinstance(one, Mapping)]
    found = [one for one in told if not one.get("was_cancelled")]
    if len(found) > 1:
        found = [one for one in found if one.get("ground_truth")] or found
    if len(found) == 1:
        return found[0], ""
    if found:
        return {}, f"{len(found)} people labelled it, and none of their annotations is the ground truth"
    return {}, "nobody submitted an annotation of it"


def _image_of(data: Mapping[str, Any], marked: Collection[str]) -> str:
    """What the regions name, else what is called an image, else the only thing that looks like a file."""
    files = [value for value in data.values() if isinstance(value, str) and "." in value.rsplit("/", 1)[-1]]
    for key in (*(marked if len(marked) == 1 else ()), *_IMAGE_KEYS):
        if isinstance(data.get(key), str):
            return str(data[key])
    return files[0] if len(files) == 1 else ""


def _box(region: Mapping[str, Any], size: tuple[int, int]) -> LabelledBox:
    """The box of a region in px.

    Raises:
        ValueError: it is not understood.
        KeyError, TypeError, AttributeError: it is not written as Label Studio does.
    """
    value = region["value"]
    labels = value.get(_RECTANGLE) or value.get(_POLYGON) or value.get("labels") or []
    if len(labels) != 1:
        raise ValueError(f"bears {len(labels)} labels; one is expected")
    if region.get("image_rotation"):
        raise ValueError("is of an image that was turned for labelling; turn it back there and export again")
    width, height = size
    polygon: tuple[Corner, ...] = ()
    if "points" in value:
        polygon = tuple((float(x) / 100 * width, float(y) / 100 * height) for x, y in value["points"])
        if len(polygon) < 3:
            raise ValueError("has fewer than three corners")
        box = bounds(polygon)
    else:
        x, y, w, h = (float(value[key]) / 100 for key in ("x", "y", "width", "height"))
        box = (x * width, y * height, (x + w) * width, (y + h) * height)
        if turned := float(value.get("rotation") or 0) % 360:
            polygon = rotated_box(box, turned, pivot=(box[0], box[1]))
            box = bounds(polygon)
    if not all(map(math.isfinite, box)) or box[2] <= box[0] or box[3] <= box[1]:
        raise ValueError("has no area")
    told = region.get("meta")
    return labelled_box(box, str(labels[0]), (told if isinstance(told, Mapping) else {}).get, polygon)
