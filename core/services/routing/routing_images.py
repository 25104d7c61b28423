"""Routing an image by its certificate, and to review whenever anything speaks against that."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.calibrate.routing import Limit, Route
from core.calibrate.routing_certificate import RoutingCertificate
from core.services.routing.routing_certificates import Standing


@dataclass(frozen=True, slots=True)
class ImageRoute:
    """The route of one image and why.

    Attributes:
        route: never accept or reject without a certificate.
        is_certified: a certificate of this version is in force.
        reasons: one line each, at least one.
    """

    route: Route
    is_certified: bool
    reasons: tuple[str, ...]


def image_score(probabilities: Sequence[float] | npt.NDArray[np.floating[Any]]) -> float:
    """The largest probability of an image's detections above the score cut; 0.0 when nothing was reported."""
    return float(np.max(probabilities)) if len(probabilities) else 0.0


def route_image(
    score: float, standing: Standing, *, has_quality: bool, failed_quality: Sequence[str]
) -> ImageRoute:
    """The route of the image.

    Args:
        score: see `image_score`.
        standing: what speaks for the version that reported.
        has_quality: its image quality was assessed.
        failed_quality: what the image-quality gate found wrong, one line each.
    """
    certificate = standing.certificate
    if certificate is None or not certificate.is_certified:
        return ImageRoute(Route.REVIEW, False, (standing.reason,))
    if failed_quality or not has_quality:
        why = failed_quality or ("the image quality was not assessed",)
        return ImageRoute(Route.REVIEW, True, tuple(why))
    route = certificate.route(score)
    accept_below, reject_from = certificate.accept.threshold or 0.0, certificate.reject_from
    at = f"largest probability {score:.3f}"
    missed, stopped = (
        _bound(limit, kind, certificate)
        for limit, kind in ((certificate.accept, "defective"), (certificate.reject, "clean"))
    )
    words = {
        Route.ACCEPT: f"{at}, below {accept_below:.3f}: {missed}",
        Route.REVIEW: f"{at}, from {accept_below:.3f} to below {reject_from:.3f}",
        Route.REJECT: f"{at}, at or above {reject_from:.3f}: {stopped}",
    }
    return ImageRoute(route, True, (words[route],))


def _bound(limit: Limit, kind: str, certificate: RoutingCertificate) -> str:
    if not limit.is_certified:
        return f"the operating point; how many {kind} parts go there is not bounded"
    level = certificate.level
    return (
        f"at most a share of {level.risk:.4g} of {kind} parts goes there, with a confidence of "
        f"{level.confidence:.4g} ({limit.n_wrong} of {limit.n_parts} parts did, bound {limit.bound:.4f})"
    )
