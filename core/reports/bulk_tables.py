"""Readings of an archive as two Parquet tables: one row a picture, one row a detection."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_ROWS_A_GROUP = 2_000
PICTURES = pa.schema(
    [
        ("file", pa.string()),
        ("path", pa.string()),
        ("sha256", pa.string()),
        ("frame", pa.int32()),
        ("width_px", pa.int32()),
        ("height_px", pa.int32()),
        ("mm_per_px", pa.float64()),
        ("polarity", pa.string()),
        ("polarity_warning", pa.string()),
        ("model", pa.string()),
        ("version", pa.int32()),
        ("weights_sha256", pa.string()),
        ("calibration_id", pa.string()),
        ("operating_probability", pa.float64()),
        ("n_reported", pa.int32()),
        ("highest_probability", pa.float64()),
        ("is_familiar", pa.bool_()),
        ("picked", pa.string()),
        ("elapsed_ms", pa.float64()),
    ]
)
DETECTIONS = pa.schema(
    [
        ("sha256", pa.string()),
        ("frame", pa.int32()),
        ("x1_px", pa.float64()),
        ("y1_px", pa.float64()),
        ("x2_px", pa.float64()),
        ("y2_px", pa.float64()),
        ("class", pa.string()),
        ("score", pa.float64()),
        ("probability", pa.float64()),
    ]
)


def picture_row(file: str, document: dict[str, Any]) -> dict[str, Any]:
    """The row of a picture; lengths in px and mm, times in ms.

    Args:
        file: of the archive that holds it.
        document: as `detection_to_dict` makes it.
    """
    image, model = document["image"], document["model"]
    probabilities = [one["probability"] for one in document["detections"]]
    return {
        "file": file,
        "path": image["path"],
        "sha256": image["sha256"],
        "frame": image.get("frame"),
        "width_px": image["width"],
        "height_px": image["height"],
        "mm_per_px": image["mm_per_px"],
        "polarity": image["polarity"],
        "polarity_warning": document.get("polarity_warning"),
        "model": model["name"],
        "version": model["version"],
        "weights_sha256": model["sha256"],
        "calibration_id": document["calibration"]["id"],
        "operating_probability": document["operating_probability"],
        "n_reported": sum(p >= document["operating_probability"] for p in probabilities),
        "highest_probability": max(probabilities, default=None),
        "is_familiar": document.get("familiarity", {}).get("is_familiar"),
        "picked": document.get("picked"),
        "elapsed_ms": document["elapsed_ms"],
    }


def detection_rows(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The row of each detection of a picture, also below the operating probability; boxes in px."""
    image = document["image"]
    for found in document["detections"]:
        x1, y1, x2, y2 = found["bbox"]
        yield {
            "sha256": image["sha256"],
            "frame": image.get("frame"),
            "x1_px": x1,
            "y1_px": y1,
            "x2_px": x2,
            "y2_px": y2,
            "class": found["class"],
            "score": found["score"],
            "probability": found["probability"],
        }


def write_table(path: Path, schema: pa.Schema, rows: Iterable[dict[str, Any]]) -> int:
    """Write the rows, a group of them in memory at a time; how many they were."""
    n_rows, rows = 0, iter(rows)
    with pq.ParquetWriter(path, schema) as writer:
        while group := list(islice(rows, _ROWS_A_GROUP)):
            writer.write_table(pa.Table.from_pylist(group, schema=schema))
            n_rows += len(group)
    return n_rows
