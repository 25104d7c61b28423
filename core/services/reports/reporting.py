"""Reports of inspections: the record as it is, judged as it was when it was signed."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from core.domain.accounts import Identity
from core.domain.errors import BadInputError, ModelNotFoundError
from core.domain.exposure import stated_by_file
from core.domain.model_version import ModelVersion
from core.domain.permissions import Action, require
from core.domain.ports import ModelSource
from core.domain.radiograph import Radiograph
from core.domain.reading import Setup, setup_from
from core.domain.records import Inspection, Signature
from core.domain.signing import INSPECTED
from core.imaging.display import auto_window
from core.reports.inspection_report import (
    InspectionReport,
    SetupFacts,
    SignedBy,
    Window,
)
from core.reports.report_content import judged, model_facts, quality_checks, reported_indications
from core.reports.report_csv import report_csv
from core.reports.report_json import report_json
from core.reports.report_pdf import report_pdf
from core.services.images.images import pitch_of
from core.services.inspections.film_first import first_look_of
from core.services.inspections.measuring import recorded_lines
from core.services.inspections.readings import reading_of
from core.services.inspections.seeing import seen_shares
from core.services.inspections.signing_off import judgement_as_signed
from core.services.reports.report_record import (
    Names,
    chain,
    image_facts,
    n_below,
    overridden,
    require_not_blind,
    reviewed,
    signed_digests,
)
from core.services.workspaces import Workspace
from core.store.blobs import BlobDamagedError, BlobNotFoundError

_AUTOMATIC = "automatic, percentiles 0.5 and 99.5"
_CHOSEN = "as chosen by whoever wrote the report"


@dataclass(frozen=True, slots=True)
class ChosenWindow:
    """The window in which somebody looked at the radiograph; grey values.

    Raises:
        BadInputError: not finite, or `hi` is not above `lo`.
    """

    lo: float
    hi: float
    is_inverted: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.lo) and math.isfinite(self.hi) and self.lo < self.hi):
            raise BadInputError(f"expected a window from black to white, got {self.lo:g} to {self.hi:g}")


class ReportingService:
    """Reports from one workspace.

    Args:
        workspace: holds the inspections.
        models: knows the model versions and their cards.
        standing: drift and qualification of the version behind an inspection, in words; None each where there
            is nothing to tell.
    """

    def __init__(
        self,
        workspace: Workspace,
        models: ModelSource,
        standing: Callable[[Inspection], tuple[str | None, str | None]] = lambda _inspection: (None, None),
    ) -> None:
        self._workspace = workspace
        self._models = models
        self._standing = standing

    def report(
        self, identity: Identity, inspection_id: str, *, window: ChosenWindow | None = None
    ) -> InspectionReport:
        """The report of this inspection as of now.

        A signed inspection bears the verdict that was signed, word for word.

        Args:
            identity: who asks.
            inspection_id: the inspection.
            window: None takes the automatic one.

        Raises:
            NotAllowedError: the role may not look at inspections or at radiographs, or this person is to be
                the second one and has not finished the own reading.
            UnknownRecordError: there is no such inspection.
            BlobNotFoundError, BlobDamagedError: its radiograph is gone or changed.
        """
        require(identity, Action.INSPECTIONS_READ)
        require(identity, Action.IMAGES_READ)
        with self._workspace.store.read() as work:
            reading = reading_of(work, inspection_id)
            inspection = reading.inspection
            require_not_blind(work, identity, inspection)
            signatures = work.signatures.of_inspection(inspection_id)
            at = min((one.signed_at for one in signatures if one.meaning == INSPECTED), default=None)
            image = work.images.find(inspection.image_sha256)
            if image is None:
                raise BlobNotFoundError(f"no image {inspection.image_sha256[:12]} is stored")
            pitch = pitch_of(work, image, setup_from(inspection.setup), until=at)
            names = Names(work)
            reviews = tuple(reviewed(one, names) for one in work.reviews.of_inspection(inspection_id))
            earlier, later = chain(work, inspection, names)
            inspector = names.of(inspection.inspector_id)
            override = overridden(inspection, names)
            signed_names = {one.signature_id: names.of(one.signer_id) for one in signatures}
            certificates = {
                one.signature_id: work.signatures.certificate(one.signature_id) for one in signatures
            }
            judgement = judgement_as_signed(work, signatures)
            shares = seen_shares(work, inspection, signatures)
            measures = recorded_lines(work, inspection, signatures)
            look = first_look_of(work, inspection)
        if judgement is None:
            judgement = self._workspace.judging.judge(
                reading.indications,
                setup_from(inspection.setup),
                pitch,
                inspection.image_quality,
                is_stated=inspection.disposition is not None,
                detections=inspection.detections,
            )
        drift, qualification = self._standing(inspection)
        with self._workspace.store.read() as work:
            digests = signed_digests(work, reading, signatures, judgement.to_dict())
        return InspectionReport(
            inspection_id=inspection.inspection_id,
            state=inspection.state.value,
            version=inspection.version,
            created_at=inspection.created_at,
            updated_at=inspection.updated_at,
            inspector=inspector,
            disposition=inspection.disposition.value if inspection.disposition else None,
            note=inspection.note,
            reading_version=reading.version,
            image=image_facts(inspection, image, pitch),
            model=model_facts(inspection, self._version_of(inspection)),
            familiarity=inspection.familiarity.to_dict() if inspection.familiarity else None,
            window=self._window(inspection, window),
            setup=_setup_facts(setup_from(inspection.setup)),
            image_quality=quality_checks(inspection.image_quality),
            indications=reported_indications(inspection, reading.indications, judgement.verdict, pitch),
            n_below=n_below(inspection),
            judged=judged(
                judgement.verdict,
                judgement.withheld,
                judgement.notes,
                word=judgement.word.value if judgement.standing else None,
                summary=judgement.summary,
                n_open=judgement.standing.n_open if judgement.standing else None,
            ),
            signatures=tuple(
                self._signed(
                    one,
                    signed_names[one.signature_id],
                    digests.get(one.signature_id),
                    certificates[one.signature_id],
                )
                for one in signatures
            ),
            reviews=reviews,
            earlier=earlier,
            later=later,
            detections=tuple(dict(one) for one in inspection.detections),
            reshoot_reason=inspection.reshoot_reason.value if inspection.reshoot_reason else None,
            override=override,
            seen_percent=None if shares is None else round(100 * shares.radiograph, 1),
            zone_seen_percent=None if shares is None or shares.zone is None else round(100 * shares.zone, 1),
            measures=tuple(asdict(one) for one in measures) or None,
            first_look=None if look is None else look.words,
            exposure=setup_from(inspection.setup).exposure.to_dict() or None,
            exposure_of_file=stated_by_file(image.fields).to_dict() or None,
            not_read=self._unread(image.sha256),
            drift=drift,
            qualification=qualification,
        )

    def pdf(self, report: InspectionReport) -> bytes:
        """The report on A4 pages with the radiograph; it carries the JSON as an attachment.

        Raises:
            BlobNotFoundError, BlobDamagedError: the radiograph is gone or changed.
        """
        return report_pdf(report, self._radiograph(report).pixels)

    def csv(self, report: InspectionReport) -> bytes:
        """The report with one line an indication."""
        return report_csv(report)

    def json(self, report: InspectionReport) -> bytes:
        """The whole report."""
        return report_json(report)

    def _radiograph(self, report: InspectionReport) -> Radiograph:
        return self._workspace.images.load(report.image.sha256)

    def _version_of(self, inspection: Inspection) -> ModelVersion | None:
        try:
            version, _ = self._models.resolve(inspection.model.name, version=inspection.model.version)
        except ModelNotFoundError:
            return None
        return version if version.sha256 == inspection.model.sha256 else None

    def _window(self, inspection: Inspection, chosen: ChosenWindow | None) -> Window:
        if chosen is not None:
            return Window(chosen.lo, chosen.hi, chosen.is_inverted, _CHOSEN)
        pixels = self._workspace.images.load(inspection.image_sha256).pixels
        return Window(*auto_window(pixels), False, _AUTOMATIC)

    def _unread(self, sha256: str) -> tuple[str, ...] | None:
        """What else the file holds and nobody read; None where that is nothing, or the file is gone."""
        try:
            return self._workspace.images.load(sha256).unread or None
        except (BlobNotFoundError, BlobDamagedError):
            return None

    def _signed(
        self,
        one: Signature,
        printed_name: str,
        content: str | None,
        certificate: Mapping[str, Any] | None,
    ) -> SignedBy:
        return SignedBy(
            signature_id=one.signature_id,
            printed_name=printed_name,
            meaning=one.meaning,
            signed_at=one.signed_at,
            inspection_version=one.inspection_version,
            content_sha256=one.content_sha256,
            is_seal_intact=self._workspace.signing_off.is_intact(one),
            is_as_signed=None if content is None else one.content_sha256 == content,
            certificate=certificate,
        )


def _setup_facts(setup: Setup) -> SetupFacts:
    """The setup as it is reported; a film number or position that nobody gave is None."""
    stated = {"film_number": setup.film_number or None, "position": setup.position or None}
    values = {name: value for name, value in setup.to_dict().items() if name != "exposure"}
    return SetupFacts(**{**values, **stated})
