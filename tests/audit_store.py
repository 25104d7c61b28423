"""A store with its audit log, sealed with a fixed key, for tests on a real database."""

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, text

from core.audit.chain import Keyring, keyring
from core.audit.findings import FindingKind, Verification
from core.audit.verification import verify
from core.domain.accounts import Identity, Role
from core.store.anchor_file import AnchorFile
from core.store.audit_trail import AuditTrail
from core.store.unit_of_work import Store
from tests.services.recording import Clock

RING = keyring(b"k" * 32)
START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
ADMIN = Identity("u-00000000000000ad", "head", Role.ADMIN)
SOMEBODY = Identity("u-00000000000000aa", "somebody", Role.INSPECTOR)


class AuditedStore:
    """A store, its trail, and a clock that a test sets."""

    def __init__(self, engine: Engine, folder: Path, ring: Keyring = RING) -> None:
        self.engine = engine
        self.clock = Clock(START)
        self.anchors = AnchorFile(folder / "audit" / "anchors.jsonl")
        self.trail = AuditTrail(engine, ring, anchors=self.anchors, clock=self.clock)
        self.store = Store(
            engine, open_audit=self.trail.open, clock=self.clock, after_write=self.trail.after_write
        )

    def act(self, n_events: int = 1, *, identity: Identity = SOMEBODY, action: str = "image.added") -> None:
        """So many transactions of one event each."""
        for number in range(n_events):
            with self.store.write() as work:
                work.audit.record(
                    identity,
                    action=action,
                    object_type=action.split(".")[0],
                    object_id=f"o-{number}",
                    before={"n": 0},
                    after={"n": number + 1.5},
                    details={"n": number, "share": number / 7, "said": "Riß – 裂"},
                )

    def verify(self) -> Verification:
        """What verifying comes to, without a trace of it in the log."""
        with self.store.read() as work:
            work.audit.hold_still()
            return verify(work.audit.rows(), work.audit.head(), self.anchors.read().anchors, self.trail.ring)

    def tamper(self, *statements: str) -> None:
        """Statements that somebody runs who has the database, but not the key."""
        with self.engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))


def named(verification: Verification) -> list[tuple[FindingKind, int]]:
    """Kind and place of each finding."""
    return [(finding.kind, finding.seq) for finding in verification.findings]
