"""Workspaces: the real store for accounts, a throw-away one for each guest."""

import logging
import secrets
import shutil
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import Engine

from core.domain.accounts import Identity, Role, User
from core.domain.errors import NotAllowedError
from core.domain.reading import setup_from
from core.services.images.copies import CopySearch
from core.services.images.image_quality import ImageQualityService
from core.services.images.images import ImageService
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
from core.services.labels.label_files import LabelFiles
from core.services.labels.labels import LabelService
from core.store.blobs import BlobStore
from core.store.database import open_database, upgrade
from core.store.unit_of_work import Store

log = logging.getLogger(__name__)
_DATABASE = "workspace.db"


@dataclass(frozen=True, slots=True, eq=False)
class Workspace:
    """A store of images, inspections and annotations, with the services over it.

    Attributes:
        key: tells workspaces apart; empty for the real one.
    """

    key: str
    store: Store
    blobs: BlobStore
    images: ImageService
    scales: ScaleService
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
    limit_bytes: int | None = None,
    accounts: ConfirmsPassword | None = None,
    seal_key: bytes | None = None,
    earlier_seal_keys: Sequence[bytes] = (),
) -> Workspace:
    """The services over one store and its folder of originals.

    Args:
        key: tells workspaces apart.
        store: its database.
        originals: its files.
        limit_bytes: of originals, None for no limit.
        accounts: asks signers for their password; None where nobody has an account.
        seal_key: seals signatures; None takes one that is forgotten with the process.
        earlier_seal_keys: sealed earlier ones.
    """
    blobs = BlobStore(originals)
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
        )

    return Workspace(
        key=key,
        store=store,
        blobs=blobs,
        images=images,
        scales=ScaleService(store, images, quality),
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
        label_files=LabelFiles(store, blobs, labels),
    )


class DemoWorkspaces:
    """One workspace for each guest, removed when it was not used for a while. Safe to share between threads.

    Nothing in it survives a restart: what an earlier process left in the folder is removed at the start.

    Args:
        folder: holds them; nothing else may be in it.
        open_store: wires a database to its audit log.
        idle_s: seconds without use after which a workspace ends.
        limit_bytes: of originals a guest may hand in.
        max_guests: with more, the one that was not used for longest ends.
        on_end: told the guest's user id.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        folder: Path,
        open_store: Callable[[Engine], Store],
        *,
        idle_s: float = 3600,
        limit_bytes: int = 300 * 2**20,
        max_guests: int = 50,
        on_end: Callable[[str], None] = lambda _guest: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._open_store = open_store
        self._idle_s = idle_s
        self._limit_bytes = limit_bytes
        self._max_guests = max_guests
        self._on_end = [on_end]
        self._clock = clock
        self._open: OrderedDict[str, tuple[Workspace, float]] = OrderedDict()
        self._lock = threading.RLock()
        self._is_swept = False

    def when_ended(self, tell: Callable[[str], None]) -> None:
        """Tell somebody else, too, when a guest's workspace ended."""
        self._on_end.append(tell)

    def of(self, guest: Identity) -> Workspace:
        """The guest's workspace, made on the first call."""
        with self._lock:
            self.sweep()
            if guest.user_id not in self._open:
                while len(self._open) >= self._max_guests:
                    self.end(next(iter(self._open)))
                self._open[guest.user_id] = (self._make(guest), self._clock())
            workspace, _ = self._open[guest.user_id]
            self._open[guest.user_id] = (workspace, self._clock())
            self._open.move_to_end(guest.user_id)
            return workspace

    def end(self, user_id: str) -> None:
        """Remove everything of this guest; nothing happens when there is nothing."""
        with self._lock:
            workspace, _ = self._open.pop(user_id, (None, 0.0))
            if workspace is not None:
                workspace.store.engine.dispose()
                shutil.rmtree(self._folder / user_id, ignore_errors=True)
                log.info("demo workspace %s ended", user_id)
        if workspace is not None:
            for tell in self._on_end:
                tell(user_id)

    def sweep(self) -> None:
        """End what was not used for long; on the first call also remove what an earlier process left."""
        with self._lock:
            if not self._is_swept:
                shutil.rmtree(self._folder, ignore_errors=True)
                self._is_swept = True
            oldest = self._clock() - self._idle_s
            for user_id in [key for key, (_, used) in self._open.items() if used < oldest]:
                self.end(user_id)

    def close(self) -> None:
        """End all of them."""
        with self._lock:
            for user_id in list(self._open):
                self.end(user_id)

    def _make(self, guest: Identity) -> Workspace:
        folder = self._folder / guest.user_id
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        shutil.copy(self._template(), folder / _DATABASE)
        store = self._open_store(open_database(f"sqlite:///{folder / _DATABASE}"))
        with store.write() as work:
            account = User(
                user_id=guest.user_id,
                name=None,
                full_name=None,
                role=Role.GUEST,
                is_active=True,
                must_change_password=False,
                credentials_version=1,
                created_at=work.now,
            )
            work.users.add(account, password_hash=None)
        return make_workspace(guest.user_id, store, folder / "originals", limit_bytes=self._limit_bytes)

    def _template(self) -> Path:
        """An empty database at the newest schema; migrating takes longer than copying."""
        path = self._folder / "template.db"
        if not path.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            engine = open_database(f"sqlite:///{path}")
            upgrade(engine)
            with engine.connect() as connection:  # one whole file again, without its write-ahead log
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            engine.dispose()
        return path
