"""What the database, the originals and the audit log must look like after a process was killed."""

from collections import defaultdict
from dataclasses import dataclass, field
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.audit.canonical import digest
from core.domain.records import LABELS
from core.services.images.orphan_cleanup import sweep_originals
from core.services.inspections.annotations import annotation_content
from core.services.inspections.inspecting import decision_content, inspection_content
from core.services.workspaces import Workspace
from core.store.record_tables import AnnotationRow, AuditEventRow
from tests.crash.place import Place
from tests.integrity import check_integrity

_ALL = 1_000_000
_VERSIONED = ("decision", "labels", "reading")
Acts = dict[tuple[str, str], str]


@dataclass
class Ledger:
    """Every act that is known to be stored, as the digest of its content by kind and id.

    Attributes:
        n_acknowledged: acts the killed processes said were done.
        n_unheard: acts that were committed whole, but whose acknowledgement the kill cut off.
        n_left_behind: half-written files, and originals whose row was not written any more.
    """

    known: Acts = field(default_factory=dict)
    n_acknowledged: int = 0
    n_unheard: int = 0
    n_left_behind: int = 0

    def examine(self, place: Place, acknowledged: Acts, *, n_in_flight: int, n_refused: int = 0) -> None:
        """Assert that all of `acknowledged` is there and that nothing is there in part.

        Args:
            place: opened anew, nobody else at work.
            acknowledged: what the killed processes said was done.
            n_in_flight: acts that may have been interrupted at once.
            n_refused: acts that were refused: of each, bytes without a row may be left, and nothing else.
        """
        assert check_integrity(place.workspace.store.engine) == []
        assert place.verify().findings == ()
        audited = audited_acts(place.workspace)
        self.known |= acknowledged
        self.n_acknowledged += len(acknowledged)
        assert {key: audited.get(key) for key in self.known} == self.known, "acknowledged, and not there"
        unheard = {key: content for key, content in audited.items() if key not in self.known}
        assert len(unheard) <= n_in_flight, "written by nobody"
        self.known |= unheard
        self.n_unheard += len(unheard)
        assert_records_are_whole(place.workspace, audited)
        self._examine_files(place, n_in_flight + n_refused)

    def figures(self) -> dict[str, int]:
        """What was counted, under the names of `benchmarks/soak.json`."""
        return {
            "acknowledged": self.n_acknowledged,
            "committed_unheard": self.n_unheard,
            "files_swept": self.n_left_behind,
        }

    def _examine_files(self, place: Place, n_most: int) -> None:
        originals = place.originals
        images = {name for kind, name in self.known if kind == "image"}
        left_behind = [path for path in originals.glob("*/*") if path.name not in images]
        assert len(left_behind) <= n_most
        for path in left_behind:
            assert path.name.startswith(".incoming-") or sha256(path.read_bytes()).hexdigest() == path.name
        workspace = place.workspace
        assert sweep_originals(workspace.blobs, workspace.store, older_than_s=0) == len(left_behind)
        self.n_left_behind += len(left_behind)
        assert {path.name for path in originals.glob("*/*")} == images
        for name in images:
            workspace.blobs.get(name)  # verifies the digest


def audited_acts(workspace: Workspace) -> Acts:
    """The audit log as acts; each stands there once. Changes of records without an act are left out."""
    acts: Acts = {}
    query = select(AuditEventRow).where(AuditEventRow.action != "records.written")
    with Session(workspace.store.engine) as session:
        for event in session.scalars(query.order_by(AuditEventRow.seq)):
            key = _key(event)
            assert key not in acts
            acts[key] = event.after_hash or event.object_id
    return acts


def assert_records_are_whole(workspace: Workspace, audited: Acts) -> None:
    """Assert that the records are those of the audit log, neither more nor less, content for content."""
    _assert_no_gaps(audited)
    stored: Acts = {}
    decided: dict[str, int] = {}
    with workspace.store.read() as work:
        for image in work.images.latest(_ALL):
            stored["image", image.sha256] = image.sha256
            assert workspace.blobs.has(image.sha256), "a row points to a file that is not there"
        inspections = work.inspections.latest(_ALL)
    for inspection in inspections:
        stored["inspection", inspection.inspection_id] = digest(inspection_content(inspection))
        decided[inspection.inspection_id] = inspection.version
        if inspection.version > 1:
            key = f"{inspection.inspection_id}/{inspection.version}"
            stored["decision", key] = digest(decision_content(inspection))
    with Session(workspace.store.engine) as session:
        for row in session.scalars(select(AnnotationRow)):
            kind, of = ("labels", row.image_sha256) if row.track == LABELS else ("reading", row.track)
            stored[kind, f"{of}/{row.version}"] = digest(
                annotation_content(row)  # a row has the attributes that it looks at
            )
    assert {key: audited[key] for key in audited if not _is_superseded(key, decided)} == stored


def _is_superseded(key: tuple[str, str], decided: dict[str, int]) -> bool:
    """True for a decision that another one followed: only the log and its digest tell of it."""
    thing, _, version = key[1].rpartition("/")
    return key[0] == "decision" and int(version) < decided[thing]


def _assert_no_gaps(audited: Acts) -> None:
    versions = defaultdict(list)
    for kind, name in audited:
        if kind in _VERSIONED:
            thing, _, version = name.rpartition("/")
            versions[kind, thing].append(int(version))
    for (kind, thing), found in versions.items():
        first = 2 if kind == "decision" else 1  # an inspection starts at version 1, undecided
        assert found == list(range(first, first + len(found))), f"{kind} {thing}"


def _key(event: AuditEventRow) -> tuple[str, str]:
    kind = {
        "image.added": "image",
        "inspection.recorded": "inspection",
        "inspection.decided": "decision",
        "annotation.saved": "labels",
        "reading.saved": "reading",
    }[event.action]
    parts = [event.object_id, event.details.get("version")]
    return kind, "/".join(str(part) for part in parts if part is not None)
