"""Certifying what a model version may route by itself, on parts that trained and calibrated nothing."""

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime

from core.calibrate.routing import Assurance
from core.calibrate.routing_certificate import CertifiedSubject, PartScore, RoutingCertificate, certify
from core.domain.model_version import ModelVersion
from core.domain.ports import ModelSource
from core.registry.seen import seen_by
from core.services.evaluation.evaluating import Progress
from core.services.evaluation.recorded_images import read_recorded
from core.services.inference.detecting import DetectService
from core.services.routing.routing_certificates import RoutingCertificates, image_score
from core.services.routing.routing_set import Parts, RoutingSet, leave_out_what_was_used, parts_of, set_digest


class RoutingService:
    """Makes routing certificates and knows which is in force."""

    def __init__(
        self,
        detect: DetectService,
        models: ModelSource,
        certificates: RoutingCertificates,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._detect = detect
        self._models = models
        self.certificates = certificates
        self._clock = clock

    def certify(
        self,
        asked: RoutingSet,
        level: Assurance,
        *,
        model: str,
        version: int | None = None,
        alias: str = "champion",
        progress: Progress | None = None,
    ) -> RoutingCertificate:
        """The certificate that the parts allow, also when it is that nothing can be certified; not yet kept.

        The score of an image is the largest probability that the version reports on it at its own score
        cut, 0 when it reports nothing. A part counts once, by its worst image: of a defective part the
        lowest score among the images with a recorded indication, of a clean part the highest of all.

        Args:
            asked: the images.
            level: risk and confidence.
            model: "weld" or "casting".
            version: of the model; None takes the one that bears `alias`.
            alias: "champion" or "challenger".
            progress: called after each image.

        Raises:
            ModelNotFoundError: there is no such version.
            DatasetError: COCO files, images and their sizes do not belong together.
            UnreadableImageError: an image cannot be read.
        """
        resolved, folder = self._models.resolve(model, version=version, alias=alias)
        parts = parts_of(asked)
        leave_out_what_was_used(parts, asked.images_dir, folder, seen_by(self._models, resolved, folder))
        scores = self._scores(parts, asked, resolved, progress)
        subject = CertifiedSubject(
            model=resolved.name,
            version=resolved.version,
            model_sha256=resolved.sha256,
            calibration_id=resolved.calibration.calibration_id,
            operating_probability=resolved.calibration.operating_probability,
            set_sha256=set_digest(parts, asked.images_dir),
            device=self._detect.device,
        )
        return certify(
            subject,
            level,
            scores,
            made_at=self._clock(),
            left_out=parts.left_out,
            unchecked=parts.unchecked,
        )

    def _scores(
        self, parts: Parts, asked: RoutingSet, version: ModelVersion, progress: Progress | None
    ) -> list[PartScore]:
        found: dict[tuple[str, bool], list[float]] = defaultdict(list)
        total = sum(1 for _ in parts.images())
        for done, (name, is_defective, image) in enumerate(parts.images(), start=1):
            radiograph = read_recorded(image, asked.images_dir, asked.polarity)
            result = self._detect.detect(
                radiograph, image.file_name, model=version.name, version=version.version
            )
            probabilities = result.detections.probabilities
            assert probabilities is not None  # the service calibrates
            found[name, is_defective].append(image_score(probabilities))
            if progress is not None:
                progress(done, total)
        return [
            PartScore(name, is_defective, len(scores), min(scores) if is_defective else max(scores))
            for (name, is_defective), scores in found.items()
        ]
