"""The JSON of one analysed radiograph, the same for `radikal detect --json` and the page's download."""

from typing import Any

from core.domain.indication import ISO_6520
from core.domain.inspection import DetectionResult

_DECIMALS_PX = 2
_DECIMALS_FRACTION = 6


def detection_to_dict(result: DetectionResult, path: str) -> dict[str, Any]:
    """The documented object of one image: image, model, calibration, every detection of the result.

    The image's `sha256` is that of its file; `frame`, from 1, stands there only where a file holds several.

    Args:
        result: with calibrated detections.
        path: what to call the image, as the user named it.

    Raises:
        ValueError: when the detections carry no probabilities; a raw score is never passed off as one.
    """
    radiograph, model = result.radiograph, result.model
    calibration = model.calibration
    return {
        "image": {
            "path": path,
            **({} if radiograph.frame is None else {"frame": radiograph.frame}),
            "sha256": radiograph.file_sha256,
            "width": radiograph.width,
            "height": radiograph.height,
            "bit_depth": radiograph.bit_depth,
            "mm_per_px": radiograph.pitch.mm_per_px if radiograph.pitch else None,
        },
        "model": {"name": model.name, "version": model.version, "sha256": model.sha256},
        "calibration": {
            "id": calibration.calibration_id,
            "method": calibration.method,
            "score_cut": calibration.score_cut,
        },
        "operating_probability": calibration.operating_probability,
        "elapsed_ms": round(result.elapsed_ms, 1),
        "detections": detection_rows(result),
    }


def detection_rows(result: DetectionResult) -> list[dict[str, Any]]:
    """One dict per detection: bbox (xyxy, px), class, iso6520, score, probability; highest score first.

    Raises:
        ValueError: when the detections carry no probabilities.
    """
    found = result.detections
    if found.probabilities is None:
        raise ValueError("the detections were not calibrated: no probabilities")
    return [
        {
            "bbox": [round(float(v), _DECIMALS_PX) for v in box],
            "class": found_class.value,
            "iso6520": ISO_6520[found_class],
            "score": round(float(score), _DECIMALS_FRACTION),
            "probability": round(float(probability), _DECIMALS_FRACTION),
        }
        for box, found_class, score, probability in zip(
            found.boxes, found.classes, found.scores, found.probabilities, strict=True
        )
    ]
