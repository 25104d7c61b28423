"""The JSON of one analysed radiograph, the same for `radikal detect --json` and the page's download."""

from typing import Any

from core.domain.inspection import DetectionResult
from core.domain.kinds import family_of
from core.domain.radiograph import PixelPitch
from core.domain.sizing import size_of_row
from core.domain.zone import Zone
from core.imaging.zone import judged_zone


def detection_to_dict(result: DetectionResult, path: str) -> dict[str, Any]:
    """The documented object of one image: image, model, calibration, every detection of the result.

    The image's `sha256` is that of its file; `frame`, from 1, stands there only where a file holds several,
    and is called `page`, too, in a TIFF. `not_read` says what else the file holds and nobody reads. A
    detection has an `outline` only where the model drew one, and beside it its `size`, which is `of` the
    outline where that is closer than the box. `familiarity` stands there only where the
    version can tell: where its `is_familiar` is false, no probability is verified for this kind of image.
    Where a `zone` to be judged was found, each detection says whether it lies `in_zone`.

    Args:
        result: with calibrated detections.
        path: what to call the image, as the user named it.

    Raises:
        ValueError: when the detections carry no probabilities; a raw score is never passed off as one.
    """
    radiograph, model = result.radiograph, result.model
    calibration = model.calibration
    zone = judged_zone(radiograph.pixels, family_of(model.name), radiograph.polarity)
    is_page = radiograph.frame is not None and radiograph.file_format == "TIFF"
    return {
        "image": {
            "path": path,
            **({} if radiograph.frame is None else {"frame": radiograph.frame}),
            **({"page": radiograph.frame} if is_page else {}),
            "sha256": radiograph.file_sha256,
            "width": radiograph.width,
            "height": radiograph.height,
            "bit_depth": radiograph.bit_depth,
            "polarity": radiograph.polarity.value,
            "polarity_ground": radiograph.polarity_ground.value,
            "mm_per_px": radiograph.pitch.mm_per_px if radiograph.pitch else None,
            **({"not_read": list(radiograph.unread)} if radiograph.unread else {}),
        },
        "model": {"name": model.name, "version": model.version, "sha256": model.sha256},
        "calibration": {
            "id": calibration.calibration_id,
            "method": calibration.method,
            "score_cut": calibration.score_cut,
        },
        "operating_probability": calibration.operating_probability,
        **({} if (seen := result.familiarity) is None else {"familiarity": seen.to_dict()}),
        "elapsed_ms": round(result.elapsed_ms, 1),
        **({} if zone is None else {"zone": zone.to_dict()}),
        "detections": _rows(result, zone),
    }


def _rows(result: DetectionResult, zone: Zone | None) -> list[dict[str, Any]]:
    """What each detection says of itself, its outline, and on which side of the zone it lies."""
    rows = result.rows()
    if zone is not None:
        for row in rows:
            row["in_zone"] = zone.holds(row["bbox"])
    pitch = result.radiograph.pitch
    for row, outline in zip(rows, result.detections.outlines or (None,) * len(rows), strict=True):
        if outline is not None:
            row["size"] = _with_mm(size_of_row(row), pitch)
            row["outline"] = outline.to_dict(pitch.mm_per_px if pitch else None)
    return rows


def _with_mm(size: dict[str, Any], pitch: PixelPitch | None) -> dict[str, Any]:
    """The size with its sides in mm too, where a scale is known."""
    if pitch is None:
        return size
    sides = {f"{side}_mm": round(size[f"{side}_px"] * pitch.mm_per_px, 3) for side in ("length", "width")}
    return size | sides
