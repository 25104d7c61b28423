"""Routing certificates as they are kept, the last one of a version in force, and routing an image by one."""

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.calibrate.routing import Assurance, Route, RoutingThreshold, parts_needed
from core.calibrate.routing_certificate import RoutingCertificate, certificate_from
from core.domain.errors import BadInputError
from core.domain.familiarity import Familiarity
from core.domain.kinds import model_for_new_parts

#: Defaults of `radikal route`.
USUAL_LEVEL = Assurance(risk=0.05, confidence=0.95)


@dataclass(frozen=True, slots=True)
class Standing:
    """The certificate that speaks for a model version now.

    Attributes:
        certificate: None when there is none; it may be one that certifies nothing.
        reason: why images are not routed by a certificate; empty when they are.
    """

    certificate: RoutingCertificate | None
    reason: str


class RoutingCertificates:
    """A folder of certificates. What was read is remembered until its file changes. Safe between threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, tuple[tuple[int, int], RoutingCertificate | None]] = {}
        self._lock = threading.Lock()

    def save(self, certificate: RoutingCertificate) -> Path:
        """The file that now holds it; an earlier one of the same key is replaced.

        Raises:
            OSError: it could not be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / file_name(certificate)
        unfinished = path.with_suffix(".part")
        unfinished.write_text(json.dumps(certificate.to_dict(), indent=1) + "\n", encoding="utf-8")
        unfinished.replace(path)
        return path

    def standing(self, model: str, *, sha256: str, calibration_id: str) -> Standing:
        """The newest certificate of the version with these weights and this calibration.

        A damaged file among those of the model leaves nothing in force: it may have been the last one.
        """
        found: list[RoutingCertificate] = []
        other = model_for_new_parts(model)
        for path in sorted(self._folder.glob(f"{model}-*.json")):
            if other is not None and path.name.startswith(f"{other}-"):
                continue
            certificate = self._certificate(path)
            if certificate is None:
                return Standing(None, f"the certificate {path.name} is damaged: make it again, or remove it")
            found.append(certificate)
        ours = [one for one in found if _covers(one, sha256, calibration_id)]
        if ours:
            last = max(ours, key=lambda one: one.made_at)
            return Standing(last, last.accept.reason)
        if found:
            return Standing(None, "the certificate there is belongs to other weights or another calibration")
        needed = parts_needed(USUAL_LEVEL)
        return Standing(
            None,
            f"no certificate was made for this model; it takes {needed} defective parts that trained and "
            f"calibrated nothing for a risk of {USUAL_LEVEL.risk:.0%} and a confidence of "
            f"{USUAL_LEVEL.confidence:.0%}",
        )

    def _certificate(self, path: Path) -> RoutingCertificate | None:
        try:
            state = path.stat()
            stamp = (state.st_mtime_ns, state.st_size)
            with self._lock:
                known = self._read.get(path.name)
            if known is not None and known[0] == stamp:
                return known[1]
            certificate = _read_file(path)
        except OSError:
            return None
        with self._lock:
            self._read[path.name] = (stamp, certificate)
        return certificate


def file_name(certificate: RoutingCertificate) -> str:
    """The name of its file: the model, then the key."""
    return f"{certificate.subject.model}-{certificate.key}.json"


def _read_file(path: Path) -> RoutingCertificate | None:
    """None when it holds no certificate, or another one than its name says."""
    try:
        certificate = certificate_from(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, BadInputError):
        return None
    return certificate if file_name(certificate) == path.name else None


def _covers(certificate: RoutingCertificate, sha256: str, calibration_id: str) -> bool:
    subject = certificate.subject
    return (subject.model_sha256, subject.calibration_id) == (sha256, calibration_id)


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
    score: float,
    standing: Standing,
    *,
    has_quality: bool,
    failed_quality: Sequence[str],
    familiarity: Familiarity | None = None,
    void: str = "",
) -> ImageRoute:
    """The route of the image.

    Args:
        score: see `image_score`.
        standing: the certificate of the version that reported.
        familiarity: of the image to that version: a certificate says nothing of an image that looks strange.
        void: why no certificate of the version holds now, such as drift; empty where they do.
        has_quality: its image quality was assessed.
        failed_quality: what the image-quality gate found wrong, one line each.
    """
    certificate = standing.certificate
    if certificate is None or not certificate.is_certified:
        return ImageRoute(Route.REVIEW, False, (standing.reason,))
    if void:
        return ImageRoute(Route.REVIEW, False, (f"the certificate is void: {void}",))
    if familiarity is not None and familiarity.is_strange:
        return ImageRoute(Route.REVIEW, False, (f"the certificate is void here: {familiarity.words}",))
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


def _bound(limit: RoutingThreshold, kind: str, certificate: RoutingCertificate) -> str:
    if not limit.is_certified:
        return f"the operating point; how many {kind} parts go there is not bounded"
    level = certificate.level
    return (
        f"at most a share of {level.risk:.4g} of {kind} parts goes there, with a confidence of "
        f"{level.confidence:.4g} ({limit.n_wrong} of {limit.n_parts} parts did, bound {limit.bound:.4f})"
    )
