"""What the worker works on and the examination looks at: a workspace with its audit log."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from core.audit.chain import keyring
from core.audit.findings import Verification
from core.audit.verification import verify
from core.domain.accounts import Identity, Role, User
from core.services.workspaces import Workspace, make_workspace
from core.store.anchor_file import AnchorFile
from core.store.audit_trail import AuditTrail
from core.store.clock import now_utc
from core.store.database import open_database
from core.store.unit_of_work import Store

#: Who works there.
SOMEBODY = Identity("u-0123456789abcdef", "somebody", Role.REVIEWER)
_RING = keyring(b"a key for tests, as long as a key" * 2)


@dataclass(frozen=True, slots=True)
class Place:
    """A workspace opened by one process, its audit log, and where its originals lie."""

    workspace: Workspace
    trail: AuditTrail
    originals: Path

    @classmethod
    def open(cls, url: str, folder: Path, *, clock: Callable[[], datetime] = now_utc) -> Self:
        """The services over the database at `url` and what lies in `folder`."""
        engine = open_database(url)
        anchors = AnchorFile(folder / "audit" / "anchors.jsonl")
        trail = AuditTrail(engine, _RING, anchors=anchors, clock=clock)
        store = Store(engine, open_audit=trail.open, after_write=trail.after_write, clock=clock)
        originals = folder / "originals"
        return cls(make_workspace("", store, originals), trail, originals)

    def add_somebody(self) -> None:
        """Make the account that works here."""
        with self.workspace.store.write() as work:
            user = User(
                user_id=SOMEBODY.user_id,
                name=SOMEBODY.name,
                full_name=None,
                role=SOMEBODY.role,
                is_active=True,
                must_change_password=False,
                credentials_version=1,
                created_at=work.now,
            )
            work.users.add(user, password_hash=None)

    def verify(self) -> Verification:
        """What verifying the audit log comes to."""
        assert self.trail.anchors is not None
        with self.workspace.store.read() as work:
            anchors = self.trail.anchors.read().anchors
            return verify(work.audit.rows(), work.audit.head(), anchors, self.trail.ring)

    def close(self) -> None:
        """Let go of the database."""
        self.workspace.store.engine.dispose()
