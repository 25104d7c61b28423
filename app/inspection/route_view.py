"""What the viewer shows of an image's route: one line, and the reasons behind it."""

from typing import Any

from core.domain.inspection import DetectionResult
from core.domain.records import Inspection
from core.services.inspections.judging import failed_checks
from core.services.routing.routing_certificates import RoutingCertificates
from core.services.routing.routing_images import image_score, route_image

#: Shown with every route, so that it is taken for nothing else.
ROUTE_IS = (
    "The route is where the model would send this image; "
    "it is neither the verdict of a rule nor a disposition."
)


def route_data(
    result: DetectionResult, inspection: Inspection, certificates: RoutingCertificates
) -> dict[str, Any]:
    """Plain data for the viewer: `route`, `is_certified`, `text` and `reasons`.

    Args:
        result: what the model reported.
        inspection: its record, with the report of the image-quality gate.
        certificates: those that are kept.
    """
    probabilities = result.detections.probabilities
    if probabilities is None:
        raise ValueError("a raw score routes nothing: the detections were not calibrated")
    model = inspection.model
    standing = certificates.standing(model.name, sha256=model.sha256, calibration_id=model.calibration_id)
    found = route_image(
        image_score(probabilities),
        standing,
        has_quality=inspection.image_quality is not None,
        failed_quality=failed_checks(inspection.image_quality),
    )
    text = f"routing: {found.route}" if found.is_certified else f"routing: not certified, so {found.route}"
    return {
        "route": found.route.value,
        "is_certified": found.is_certified,
        "text": text,
        "reasons": [*found.reasons, ROUTE_IS],
    }
