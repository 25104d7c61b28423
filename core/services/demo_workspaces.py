"""Throw-away workspaces of the demo's guests: who gets one, and how long it lasts."""

import logging
import math
import shutil
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from core.domain.accounts import Identity, Role, User
from core.domain.errors import BadInputError, WorkbenchError
from core.services.workspaces import Workspace, make_workspace
from core.store.database import open_database, upgrade
from core.store.unit_of_work import Store

#: Bytes of originals that a guest may hand in.
GUEST_BYTES = 300 * 2**20
#: Nobody who acted within so many seconds is put out for a newcomer.
BUSY_S = 15 * 60
_DATABASE = "workspace.db"
log = logging.getLogger(__name__)


class NoWorkspaceError(BadInputError):
    """The guest has no workspace, and this is not the place to make one."""


class DemoFullError(WorkbenchError):
    """There is no workspace for another guest now.

    Attributes:
        minutes: until somebody may have to make room, at least 1.
    """

    def __init__(self, told: str, minutes: int) -> None:
        super().__init__(told)
        self.minutes = minutes


@dataclass(slots=True, eq=False)
class _Opened:
    """The workspace of a guest.

    Attributes:
        address: that the guest came from.
        used_at, acted_at: when it was looked at last, and when the guest did something last, seconds.
    """

    workspace: Workspace
    address: str
    used_at: float
    acted_at: float


class DemoWorkspaces:
    """One workspace for each guest, removed when it was not used for a while. Safe to share between threads.

    Nothing in it survives a restart: what an earlier process left in the folder is removed at the start.

    Args:
        folder: holds them; nothing else may be in it.
        open_store: wires a database to its audit log.
        idle_s: seconds without use after which a workspace ends.
        limit_bytes: of originals a guest may hand in.
        max_guests, max_per_address: with more, a newcomer takes the place of a guest who has not acted for
            `BUSY_S`, within the own address where that is full; else nobody is let in.
        on_end: told the guest's user id.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        folder: Path,
        open_store: Callable[[Engine], Store],
        *,
        idle_s: float = 3600,
        limit_bytes: int = GUEST_BYTES,
        max_guests: int = 50,
        max_per_address: int = 20,
        on_end: Callable[[str], None] = lambda _guest: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._open_store = open_store
        self._idle_s = idle_s
        self._limit_bytes = limit_bytes
        self._max_guests = max_guests
        self._max_per_address = max_per_address
        self._on_end = [on_end]
        self._clock = clock
        self._open: dict[str, _Opened] = {}
        self._lock = threading.RLock()
        self._is_swept = False

    def when_ended(self, tell: Callable[[str], None]) -> None:
        """Tell somebody else, too, when a guest's workspace ended."""
        self._on_end.append(tell)

    def of(self, guest: Identity) -> Workspace:
        """The guest's workspace, made on the first call.

        Raises:
            DemoFullError: there is no room for another guest, or for another one from this address.
            NoWorkspaceError: the guest has none, and it is not known where the guest comes from.
        """
        with self._lock:
            self.sweep()
            now = self._clock()
            if guest.user_id not in self._open:
                address = self._admit(guest)
                self._open[guest.user_id] = _Opened(self._make(guest), address, now, now)
            opened = self._open[guest.user_id]
            opened.used_at = now
            return opened.workspace

    def act(self, guest: Identity) -> None:
        """The guest did something; nothing happens when there is no workspace."""
        with self._lock:
            if (opened := self._open.get(guest.user_id)) is not None:
                opened.acted_at = self._clock()

    def end(self, user_id: str) -> None:
        """Remove everything of this guest; nothing happens when there is nothing."""
        with self._lock:
            opened = self._open.pop(user_id, None)
            if opened is not None:
                opened.workspace.store.engine.dispose()
                shutil.rmtree(self._folder / user_id, ignore_errors=True)
                log.info("demo workspace %s ended", user_id)
        if opened is not None:
            for tell in self._on_end:
                tell(user_id)

    def sweep(self) -> None:
        """End what was not used for long; on the first call also remove what an earlier process left."""
        with self._lock:
            if not self._is_swept:
                shutil.rmtree(self._folder, ignore_errors=True)
                self._is_swept = True
            oldest = self._clock() - self._idle_s
            for user_id in [key for key, opened in self._open.items() if opened.used_at < oldest]:
                self.end(user_id)

    def close(self) -> None:
        """End all of them."""
        with self._lock:
            for user_id in list(self._open):
                self.end(user_id)

    def _admit(self, guest: Identity) -> str:
        """The address of a newcomer for whom there is room now."""
        if guest.address is None:
            raise NoWorkspaceError("there is no workspace of this guest: open a page of the demo first")
        own = [user_id for user_id, opened in self._open.items() if opened.address == guest.address]
        if len(own) >= self._max_per_address:
            self._make_room(own, f"{len(own)} guests from your network use the demo")
        if len(self._open) >= self._max_guests:
            self._make_room(self._open, f"{len(self._open)} guests use the demo")
        return guest.address

    def _make_room(self, among: Iterable[str], told: str) -> None:
        """End the workspace of whoever has not acted for longest."""
        idle = min(among, key=lambda user_id: self._open[user_id].acted_at)
        left_s = self._open[idle].acted_at + BUSY_S - self._clock()
        if left_s > 0:
            raise DemoFullError(f"{told} at the moment, and no more can at once", math.ceil(left_s / 60))
        self.end(idle)

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
