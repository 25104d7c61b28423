"""Workspaces: a store of images and records with the services over it."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from core.domain.accounts import Identity
from core.domain.errors import NotAllowedError
from core.domain.reading import setup_from
from core.services.images.copies import CopySearch
from core.services.images.image_quality import ImageQualityService
from core.services.images.images import ImageService
from core.services.images.place_notes import PlaceNotes
from core.services.images.scales import ScaleService
from core.services.inspections.correction_queue import CorrectionQueue
from core.services.inspections.film_first import FilmFirstService
from core.services.inspections.first_looks import FirstLookService
from core.services.inspections.history import HistoryService
from core.services.inspections.history_export import HistoryExportService
from core.services.inspections.inspecting import InspectionService
from core.services.inspections.inspection_record import InspectionRecordService
from core.services.inspections.judging import Judgement, JudgingService
from core.services.inspections.measuring import MeasuringService
from core.services.inspections.open_readings import OpenReadingService
from core.services.inspections.readings import Reading, ReadingService
from core.services.inspections.rule_editing import RuleSetEditingService
from core.services.inspections.second_review import SecondReviewService
from core.services.inspections.seeing import SeeingService
from core.services.inspections.signatures import Sealer
from core.services.inspections.signing_off import ConfirmsPassword, SigningOffService
from core.services.inspections.worklists import WorklistService
from core.services.inspections.zones import ZoneService
from core.services.labels.browsing import ImageBrowsing
from core.services.labels.label_files import LabelFiles
from core.services.labels.label_imports import LabelImports
from core.services.labels.labels import LabelService
from core.services.labels.own_classes import OwnClassService
from core.store.blobs import Blobs, BlobStore
from core.store.feature_files import FeatureFiles
from core.store.unit_of_work import Store


@dataclass(frozen=True, slots=True, eq=False)
class Workspace:
    """A store of images, inspections and annotations, with the services over it.

    Attributes:
        key: tells workspaces apart; empty for the real one.
    """

    key: str
    store: Store
    blobs: Blobs
    images: ImageService
    scales: ScaleService
    notes: PlaceNotes
    copies: CopySearch
    image_quality: ImageQualityService
    inspections: InspectionService
    readings: ReadingService
    open_readings: OpenReadingService
    seeing: SeeingService
    zones: ZoneService
    film_first: FilmFirstService
    first_looks: FirstLookService
    measuring: MeasuringService
    judging: JudgingService
    signing_off: SigningOffService
    reviews: SecondReviewService
    worklist: WorklistService
    rules: RuleSetEditingService
    history: HistoryService
    history_export: HistoryExportService
    records: InspectionRecordService
    queue: CorrectionQueue
    labels: LabelService
    label_files: LabelFiles
    label_imports: LabelImports
    own_classes: OwnClassService
    browsing: ImageBrowsing
    features: FeatureFiles


class NoAccounts:
    """Refuses every signature where nobody has an account."""

    def confirm_password(self, identity: Identity, password: str, *, address: str) -> None:
        """Refuse."""
        raise NotAllowedError("without an account nothing can be signed")


def make_workspace(
    key: str,
    store: Store,
    originals: Path,
    *,
    blobs: Blobs | None = None,
    limit_bytes: int | None = None,
    accounts: ConfirmsPassword | None = None,
    seal_key: bytes | None = None,
    earlier_seal_keys: Sequence[bytes] = (),
) -> Workspace:
    """The services over one store and its originals.

    Args:
        key: tells workspaces apart.
        store: its database.
        originals: folder of its files; features lie beside it.
        blobs: what keeps the files, where it is not that folder.
        limit_bytes: of originals, None for no limit.
        accounts: asks signers for their password; None where nobody has an account.
        seal_key: seals signatures; None takes one that is forgotten with the process.
        earlier_seal_keys: sealed earlier ones.
    """
    blobs = blobs or BlobStore(originals)
    labels = LabelService(store)
    images, judging = ImageService(blobs, store, limit_bytes=limit_bytes), JudgingService(store)
    copies = CopySearch(store, partial(images.load, keep=False))
    quality = ImageQualityService(store, images, copies)
    asked, sealer = (
        accounts or NoAccounts(),
        Sealer(seal_key or secrets.token_bytes(32), earlier=earlier_seal_keys),
    )

    def judge(reading: Reading) -> Judgement:
        inspection = reading.inspection
        setup = setup_from(inspection.setup)
        return judging.judge(
            reading.indications,
            setup,
            images.pitch(inspection.image_sha256, setup),
            inspection.image_quality,
            is_stated=inspection.disposition is not None,
            detections=inspection.detections,
        )

    return Workspace(
        key=key,
        store=store,
        blobs=blobs,
        images=images,
        scales=ScaleService(store, images, quality),
        notes=PlaceNotes(store),
        copies=copies,
        image_quality=quality,
        inspections=InspectionService(store, quality),
        readings=ReadingService(store),
        open_readings=OpenReadingService(store),
        seeing=SeeingService(store),
        zones=ZoneService(store, images),
        film_first=FilmFirstService(store),
        first_looks=FirstLookService(store),
        measuring=MeasuringService(store, images),
        judging=judging,
        signing_off=SigningOffService(store, asked, sealer, judge=judge),
        reviews=SecondReviewService(store, asked, sealer),
        worklist=WorklistService(store),
        rules=RuleSetEditingService(store),
        history=HistoryService(store),
        history_export=HistoryExportService(store),
        records=InspectionRecordService(store),
        queue=CorrectionQueue(store),
        labels=labels,
        label_files=LabelFiles(store, blobs),
        label_imports=LabelImports(store, images, labels),
        own_classes=OwnClassService(store),
        browsing=ImageBrowsing(store),
        features=FeatureFiles(originals.parent / "features"),
    )
