"""The audit log of one database across its transactions: what seals it, and when to anchor it."""

import logging
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core.audit.chain import Anchor, Keyring, anchor_of, keyring
from core.domain.errors import WorkbenchError
from core.store.anchor_file import AnchorFile
from core.store.anchor_place import AnchorPlace
from core.store.audit_events import AuditRepository
from core.store.clock import now_utc
from core.store.unit_of_work import Store

log = logging.getLogger(__name__)
#: An anchor is due after so many events, or with the next event after so long.
EVERY_EVENTS = 100
EVERY = timedelta(minutes=10)


class AuditTrail:
    """Opens the log within transactions and anchors it after them. Safe to share between threads.

    Args:
        engine: the database.
        ring: seals and verifies.
        anchors: where anchors go; None for a log that is thrown away with its database.
        copy: a second place for them, which whoever holds the first cannot write to; None without one.
        clock: tells the time, UTC.
    """

    def __init__(
        self,
        engine: Engine,
        ring: Keyring,
        *,
        anchors: AnchorFile | None,
        copy: AnchorPlace | None = None,
        clock: Callable[[], datetime] = now_utc,
    ) -> None:
        self.ring = ring
        self.anchors = anchors
        self.copy = copy
        self._copying = ThreadPoolExecutor(1, "anchors") if copy else None  # so that nobody waits for it
        self._engine = engine
        self._clock = clock
        self._counting = threading.Lock()
        self._anchoring = threading.Lock()
        self._n_events = 0  # appended since the last anchor of this process
        self._anchored_at: datetime | None = None
        self._is_known = False  # when the last anchor was written, by whichever process

    def open(self, session: Session, now: datetime) -> AuditRepository:
        """The log within one transaction."""
        return AuditRepository(session, now, self.ring, on_append=self._count)

    def after_write(self) -> None:
        """Anchor the log when it is due. What fails is logged: the act it follows is done and stays done."""
        try:
            if self._is_due():
                self.anchor()
        except (OSError, SQLAlchemyError, WorkbenchError):
            log.exception("the audit log could not be anchored")

    def anchor(self) -> Anchor | None:
        """The anchor that was written for the newest event; None when there is nothing new or nowhere to.

        A head that does not bear our seal is not anchored: that would make it look genuine.

        Raises:
            OSError: it could not be written.
            DatabaseUnavailableError: the head could not be read.
        """
        if self.anchors is None:
            return None
        with self._anchoring:
            now = self._clock()
            self._reset(now)
            with Session(self._engine) as session:
                head = self.open(session, now).head()
            if head is None or not head.is_genuine(self.ring):
                return None
            if any(
                last.is_genuine(self.ring) and (last.seq, last.hash) == (head.seq, head.hash)
                for last in self.anchors.read().anchors[-1:]
            ):
                return None
            anchor = anchor_of(head, now, self.ring)
            try:
                self.anchors.append(anchor)
            except OSError:
                self._count(EVERY_EVENTS)  # due again with the next event
                raise
            if self._copying is not None:
                self._copying.submit(self._copy, anchor)
            return anchor

    def close(self) -> None:
        """Anchor what was not anchored yet, and wait for the second place."""
        if self._n_events:
            self._n_events = EVERY_EVENTS
            self.after_write()
        if self._copying is not None:
            self._copying.shutdown()

    def _copy(self, anchor: Anchor) -> None:
        """Keep the anchor in the second place, too; a failure is logged, and the next anchor tries again."""
        assert self.copy is not None
        try:
            self.copy.append(anchor)
        except OSError:
            log.exception("the anchor of event %d could not be written to the second place", anchor.seq)

    def _count(self, n_events: int) -> None:
        with self._counting:
            self._n_events += n_events

    def _reset(self, now: datetime) -> None:
        with self._counting:
            self._n_events, self._anchored_at, self._is_known = 0, now, True

    def _is_due(self) -> bool:
        with self._counting:
            if self.anchors is None or not self._n_events:
                return False
            if self._n_events >= EVERY_EVENTS:
                return True
            if not self._is_known:
                written = self.anchors.read().anchors
                self._anchored_at = written[-1].at if written else None
                self._is_known = True
            return self._anchored_at is None or not (
                timedelta(0) <= self._clock() - self._anchored_at < EVERY
            )


def open_store(database: Engine, trail: AuditTrail | None = None) -> Store:
    """Transactions on `database` with its audit log; without `trail`, for a database that is thrown away."""
    if trail is None:
        trail = AuditTrail(database, keyring(secrets.token_bytes(32)), anchors=None)
    return Store(database, open_audit=trail.open, after_write=trail.after_write)
