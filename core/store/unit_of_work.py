"""One transaction over all tables: everything in it is kept, or nothing is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from core.store.annotations import AnnotationRepository
from core.store.api_keys import ApiAnswerRepository, ApiKeyRepository
from core.store.audit_events import AuditRepository
from core.store.certificates import CertificateRepository
from core.store.clock import now_utc
from core.store.comparison_views import ComparisonViewRepository
from core.store.data_versions import DataVersionRepository
from core.store.database import writing
from core.store.evaluations import EvaluationRepository
from core.store.films import (
    FirstLookRepository,
    MeasurementRepository,
    SeenAreaRepository,
    ZoneRepository,
)
from core.store.fingerprints import FingerprintRepository
from core.store.image_browse import ImageBrowse
from core.store.images import ImageRepository
from core.store.inspection_history import InspectionHistory
from core.store.inspections import InspectionRepository, ReviewRepository, SignatureRepository
from core.store.jobs import JobRepository
from core.store.monitoring import (
    DecidedRepository,
    DriftAlarmRepository,
    FrozenRepository,
    ObservationRepository,
    QualificationRepository,
    ShadowRepository,
)
from core.store.own_classes import OwnClassRepository
from core.store.place_notes import PlaceNoteRepository
from core.store.policies import PolicyRepository, PreferenceRepository
from core.store.queue import QueueRepository
from core.store.serving import PromotionRequestRepository, ServingRepository
from core.store.sessions import KnownAddressRepository, SessionRepository, SignInFailureRepository
from core.store.shared_counts import RequestCountRepository, SightingRepository
from core.store.users import UserRepository
from core.store.workbench import (
    DisagreementRepository,
    RuleSetRepository,
    ScaleRepository,
    TemplateRepository,
    WorklistRepository,
)


class Work:
    """The repositories of one transaction, each made when it is used first; of no use after it ended.

    Attributes:
        now: the moment the transaction began, UTC; everything it writes bears it.
    """

    def __init__(self, session: Session, audit: AuditRepository, now: datetime) -> None:
        self.now = now
        self.audit = audit
        self._session = session

    users = cached_property(lambda work: UserRepository(work._session))
    certificates = cached_property(lambda work: CertificateRepository(work._session))
    policies = cached_property(lambda work: PolicyRepository(work._session))
    preferences = cached_property(lambda work: PreferenceRepository(work._session))
    api_keys = cached_property(lambda work: ApiKeyRepository(work._session))
    api_answers = cached_property(lambda work: ApiAnswerRepository(work._session))
    request_counts = cached_property(lambda work: RequestCountRepository(work._session))
    sightings = cached_property(lambda work: SightingRepository(work._session))
    sessions = cached_property(lambda work: SessionRepository(work._session))
    failures = cached_property(lambda work: SignInFailureRepository(work._session))
    known_addresses = cached_property(lambda work: KnownAddressRepository(work._session))
    images = cached_property(lambda work: ImageRepository(work._session))
    fingerprints = cached_property(lambda work: FingerprintRepository(work._session))
    inspections = cached_property(lambda work: InspectionRepository(work._session))
    history = cached_property(lambda work: InspectionHistory(work._session))
    annotations = cached_property(lambda work: AnnotationRepository(work._session))
    reviews = cached_property(lambda work: ReviewRepository(work._session))
    signatures = cached_property(lambda work: SignatureRepository(work._session))
    jobs = cached_property(lambda work: JobRepository(work._session, now=work.now))
    worklist = cached_property(lambda work: WorklistRepository(work._session))
    templates = cached_property(lambda work: TemplateRepository(work._session))
    rule_sets = cached_property(lambda work: RuleSetRepository(work._session))
    scales = cached_property(lambda work: ScaleRepository(work._session))
    disagreements = cached_property(lambda work: DisagreementRepository(work._session))
    serving = cached_property(lambda work: ServingRepository(work._session))
    promotion_requests = cached_property(lambda work: PromotionRequestRepository(work._session))
    seen_areas = cached_property(lambda work: SeenAreaRepository(work._session))
    zones = cached_property(lambda work: ZoneRepository(work._session))
    measurements = cached_property(lambda work: MeasurementRepository(work._session))
    first_looks = cached_property(lambda work: FirstLookRepository(work._session))
    queue = cached_property(lambda work: QueueRepository(work._session, now=work.now))
    image_browse = cached_property(lambda work: ImageBrowse(work._session))
    own_classes = cached_property(lambda work: OwnClassRepository(work._session))
    data_versions = cached_property(lambda work: DataVersionRepository(work._session))
    evaluations = cached_property(lambda work: EvaluationRepository(work._session))
    comparison_views = cached_property(lambda work: ComparisonViewRepository(work._session))
    place_notes = cached_property(lambda work: PlaceNoteRepository(work._session))
    observations = cached_property(lambda work: ObservationRepository(work._session))
    drift_alarms = cached_property(lambda work: DriftAlarmRepository(work._session))
    shadow = cached_property(lambda work: ShadowRepository(work._session))
    qualifications = cached_property(lambda work: QualificationRepository(work._session))
    decided = cached_property(lambda work: DecidedRepository(work._session))
    frozen = cached_property(lambda work: FrozenRepository(work._session))


class Store:
    """Opens transactions on a database. Safe to share between threads.

    Args:
        engine: at the newest schema.
        open_audit: makes the audit log of one transaction from its session and its moment.
        clock: tells the time, UTC.
        after_write: called after every committed write, e.g. to anchor the audit log.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        open_audit: Callable[[Session, datetime], AuditRepository],
        clock: Callable[[], datetime] = now_utc,
        after_write: Callable[[], None] = lambda: None,
    ) -> None:
        self._engine = engine
        self._open_audit = open_audit
        self._clock = clock
        self._after_write = after_write

    @property
    def engine(self) -> Engine:
        """The database underneath, for looking after it."""
        return self._engine

    def now(self) -> datetime:
        """The moment that a transaction would begin at now, UTC."""
        return self._clock()

    @contextmanager
    def write(self) -> Iterator[Work]:
        """A transaction that may change things: committed at the end, rolled back on any error.

        On SQLite writers take turns from the start. The audit log is appended to last, so that the turn
        that all writers share there is short.
        """
        with Session(writing(self._engine)) as session, session.begin():
            work = self._work(session)
            yield work
            session.flush()
            work.audit.flush()
        self._after_write()

    @contextmanager
    def read(self) -> Iterator[Work]:
        """A transaction that only looks; what it would change is rolled back."""
        with Session(self._engine) as session:
            yield self._work(session)
            session.rollback()

    def _work(self, session: Session) -> Work:
        now = self._clock()
        return Work(session, self._open_audit(session, now), now)
