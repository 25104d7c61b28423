"""People, results and stores for tests of what is kept."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
from sqlalchemy import Engine

from core.domain.accounts import Identity, Role, User
from core.domain.detections import CellOrigin, Detections, View
from core.domain.errors import SignInRefusedError
from core.domain.indication import IndicationClass
from core.domain.inspection import DetectionResult
from core.domain.model_version import CalibrationRecord, ModelVersion
from core.domain.radiograph import Polarity, Radiograph
from core.domain.reading import Call, ReadIndication
from core.domain.records import AnnotationSource
from core.store.audit_trail import open_store
from core.store.unit_of_work import Store

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> None:
        """Move on, e.g. `minutes=5`."""
        self.now += timedelta(**duration)


def add_user(store: Store, role: Role = Role.INSPECTOR, name: str | None = None) -> Identity:
    """A new account and who acts with it."""
    with store.write() as work:
        n = len(work.users.all()) + 1
        user = User(
            user_id=f"u-{n:016x}",
            name=name or f"{role.value}{n}",
            full_name=f"Person {n}",
            role=role,
            is_active=True,
            must_change_password=False,
            credentials_version=1,
            created_at=work.now,
        )
        work.users.add(user, password_hash=None)
    return Identity(user.user_id, user.shown_name, role)


def new_store(engine: Engine) -> Store:
    """A store with its audit log on `engine`."""
    return open_store(engine)


def radiograph(digit: str = "a") -> Radiograph:
    """A film of 96 x 64 px whose digest is 64 times `digit`."""
    pixels = np.linspace(0, 4095, 64 * 96).reshape(64, 96).astype(np.uint16)
    return Radiograph(pixels, 12, Polarity.FILM, None, digit * 64, "PNG")


def detection_result(film: Radiograph | None = None, *, version: int = 2, n: int = 2) -> DetectionResult:
    """An analysis with `n` boxes, the first a crack."""
    calibration = CalibrationRecord("0123456789ab", "platt", (1.0, 0.0), 0.05, 0.4, "three films")
    model = ModelVersion("weld", version, "ab" * 32, Polarity.FILM, calibration, {"data_notice": "ours"})
    detections = Detections(
        np.array([[1, 2, 30.5, 12.25], [40, 40, 44, 60]], np.float32)[:n].reshape(-1, 4),
        np.array([0.9, 0.2], np.float32)[:n],
        (IndicationClass.CRACK, IndicationClass.UNCLASSIFIED)[:n],
        (CellOrigin(View(0, 0, 96, 64), 0, 1, 2),) * n,
        np.array([0.8, 0.3], np.float32)[:n],
    )
    return DetectionResult("film.png", film or radiograph(), model, detections, 123.4, "cpu")


def store_image(store: Store, film: Radiograph | None = None, *, by: Identity | None = None) -> str:
    """The digest of an image whose row is stored now; its bytes are not."""
    film = film or radiograph()
    with store.write() as work:
        work.images.add(film, "film.png", 100, at=work.now, uploaded_by=by.account_id if by else None)
    return film.sha256


def demoted(identity: Identity, role: Role) -> Identity:
    """The same person with another role."""
    return replace(identity, role=role)


#: Asked for again by whoever signs.
PASSWORD = "the weld is long"
MINE = ReadIndication(
    "h1", (5, 5, 15, 12), IndicationClass.INCLUSION, AnnotationSource.HUMAN, Call.CONFIRMED, note="slag"
)


class OnePassword:
    """Accounts that all have the same password."""

    def confirm_password(self, identity: Identity, password: str, *, address: str) -> None:
        if password != PASSWORD:
            raise SignInRefusedError("this is not the password of the account; nothing was changed")
