"""The queue of corrections: it fills by itself, people take from it, and nobody does the same twice."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.domain.accounts import Identity, Role
from core.domain.correction import CorrectionCase, Reason
from core.domain.correction_findings import doubtful_findings, findings_of_reading, findings_of_review
from core.domain.errors import BadInputError, UnknownRecordError
from core.domain.permissions import Action, may, require
from core.domain.reading import indication_from
from core.domain.records import Inspection, InspectionState, new_id
from core.services.inspections.own_review import SideBySide
from core.services.inspections.readings import Reading
from core.store.queue import QueueFilter, QueueItem, QueueState
from core.store.unit_of_work import Store, Work

#: An item comes back to everybody when whoever took it was not seen for so long.
LEASE = timedelta(minutes=5)
#: Inspections that are looked through when the queue is opened, the newest first.
CAUGHT_UP = 200
#: The kind of the job that compares champion and challenger, and how many images it looks at usually.
DISAGREE, COMPARED_IMAGES = "disagree", 50
_LONGEST_WHY = 1_000
_LONGEST_PAGE = 200


@dataclass(frozen=True, slots=True)
class QueuePage:
    """Some lines of the queue.

    Attributes:
        items: the most urgent first.
        next_place: hand it in as `before` for the next page; None on the last one.
        n_found: how many there are on all pages.
        counts: how many there are of each state and reason, whatever the filter.
        names: of everybody who occurs, by user id.
        now: the moment that leases are measured against.
    """

    items: tuple[QueueItem, ...]
    next_place: tuple[float, str] | None
    n_found: int
    counts: Mapping[tuple[QueueState, Reason], int]
    names: Mapping[str, str]
    now: datetime


class CorrectionQueue:
    """The queue of one workspace. Safe to share between threads.

    Args:
        store: the workspace's; its clock tells when a lease has run out.
        make_id: gives ids.
        lease: how long an item stays with whoever took it.
    """

    def __init__(
        self, store: Store, *, make_id: Callable[[], str] = new_id, lease: timedelta = LEASE
    ) -> None:
        self._store = store
        self._make_id = make_id
        self._lease = lease
        self._looked_until: datetime | None = None
        self._lock = threading.Lock()

    def page(
        self,
        identity: Identity,
        wanted: QueueFilter,
        *,
        limit: int = 50,
        before: tuple[float, str] | None = None,
    ) -> QueuePage:
        """A page of the items that `wanted` lets through, the most urgent first.

        Raises:
            NotAllowedError: the role does not work with the queue.
        """
        require(identity, Action.QUEUE_WORK)
        limit = max(1, min(limit, _LONGEST_PAGE))
        with self._store.read() as work:
            found = work.queue.search(wanted, limit + 1, before=before)
            items = tuple(found[:limit])
            people = {one.assigned_to for one in items} | {one.closed_by for one in items}
            people |= {one.lease.user_id for one in items if one.lease}
            people |= {one.sent.sent_by for one in items if one.sent}
            return QueuePage(
                items=items,
                next_place=items[-1].place if len(found) > limit else None,
                n_found=work.queue.count(wanted),
                counts=work.queue.counts(),
                names=names_of(work, people),
                now=work.now,
            )

    def get(self, identity: Identity, item_id: str) -> QueueItem:
        """The item.

        Raises:
            NotAllowedError: the role does not work with the queue.
            UnknownRecordError: there is no such item.
        """
        require(identity, Action.QUEUE_WORK)
        with self._store.read() as work:
            return _existing(work, item_id)

    def take_next(
        self, identity: Identity, wanted: QueueFilter | None = None, *, but_not: Sequence[str] = ()
    ) -> QueueItem | None:
        """The most urgent item that is free for this person, theirs for a while; None when nothing waits.

        Everything else that is open about the same image is taken with it.

        Args:
            identity: who wants to work.
            wanted: filters.
            but_not: images that are left out, such as the one just looked at.

        Raises:
            NotAllowedError: the role does not work with the queue.
        """
        require(identity, Action.QUEUE_WORK)
        with self._store.write() as work:
            found = work.queue.next_for(identity.user_id, wanted or QueueFilter(), but_not=but_not)
            if found is not None:
                work.queue.lease(found.image_sha256, identity.user_id, work.now + self._lease)
            return found

    def peek(
        self, identity: Identity, wanted: QueueFilter | None = None, *, but_not: Sequence[str] = ()
    ) -> QueueItem | None:
        """The item that `take_next` would give now; nothing is taken.

        Raises:
            NotAllowedError: the role does not work with the queue.
        """
        require(identity, Action.QUEUE_WORK)
        with self._store.read() as work:
            return work.queue.next_for(identity.user_id, wanted or QueueFilter(), but_not=but_not)

    def hold(self, identity: Identity, image_sha256: str) -> Mapping[str, str]:
        """Names of others who are at this image, by id; what is free about it is this person's for a while.

        Raises:
            NotAllowedError: the role does not work with the queue.
        """
        require(identity, Action.QUEUE_WORK)
        with self._store.read() as work:
            items = work.queue.of_image(image_sha256)
            holders = {one.holder(work.now) for one in items} - {None, identity.user_id}
            names = names_of(work, holders)
            ends = [
                one.lease.until for one in items if one.holder(work.now) == identity.user_id and one.lease
            ]
            is_fresh = len(ends) == len(items) and min(ends, default=work.now) > work.now + self._lease / 2
        if items and not is_fresh:  # a transaction that writes for each look would hold up everybody
            with self._store.write() as work:
                work.queue.lease(image_sha256, identity.user_id, work.now + self._lease)
        return names

    def release(self, identity: Identity, image_sha256: str) -> None:
        """Give back what this person holds of the image.

        Raises:
            NotAllowedError: the role does not work with the queue.
        """
        require(identity, Action.QUEUE_WORK)
        with self._store.write() as work:
            work.queue.release(image_sha256, identity.user_id)

    def assign(
        self, identity: Identity, item_id: str, user_id: str | None, *, expected_version: int
    ) -> QueueItem:
        """The item, meant for somebody, or with None for whoever comes.

        Raises:
            NotAllowedError: the role does not work with the queue.
            UnknownRecordError: there is no such item, or nobody of this id who may work with it.
            StaleVersionError: somebody changed the item since.
        """
        require(identity, Action.QUEUE_WORK)
        with self._store.write() as work:
            item = _existing(work, item_id)
            if user_id is not None and user_id not in _workers(work):
                raise UnknownRecordError("nobody of this name works with the queue")
            work.queue.change(item, expected_version=expected_version, assigned_to=user_id)
            _tell(work, identity, item, "queue.assigned", to=user_id)
            return _existing(work, item_id)

    def skip(self, identity: Identity, item_id: str, why: str, *, expected_version: int) -> QueueItem:
        """The item, closed without a correction.

        Raises:
            NotAllowedError: the role does not work with the queue.
            UnknownRecordError: there is no such item.
            BadInputError: nobody says why, or it is not open.
            StaleVersionError: somebody changed the item since.
        """
        require(identity, Action.QUEUE_WORK)
        reason = _checked_why(why)
        with self._store.write() as work:
            item = _existing(work, item_id)
            if item.state is not QueueState.OPEN:
                raise BadInputError(f"the item is {item.state.value} already")
            close(work, identity, item, QueueState.SKIPPED, note=reason, expected_version=expected_version)
            return _existing(work, item_id)

    def skip_image(self, identity: Identity, image_sha256: str, why: str) -> int:
        """Close the open items of the image without a correction, except those of others; returns the number.

        Raises:
            NotAllowedError: the role does not work with the queue.
            BadInputError: nobody says why.
        """
        require(identity, Action.QUEUE_WORK)
        reason = _checked_why(why)
        with self._store.write() as work:
            return close_all(work, identity, image_sha256, QueueState.SKIPPED, note=reason)

    def reopen(self, identity: Identity, item_id: str, *, expected_version: int) -> QueueItem:
        """The item, open again.

        Raises:
            NotAllowedError: the role does not work with the queue.
            UnknownRecordError: there is no such item.
            StaleVersionError: somebody changed the item since.
        """
        require(identity, Action.QUEUE_WORK)
        with self._store.write() as work:
            item = _existing(work, item_id)
            work.queue.change(
                item, expected_version=expected_version, state=QueueState.OPEN.value, closed_by=None, note=""
            )
            _tell(work, identity, item, "queue.reopened")
            return _existing(work, item_id)

    def workers(self, identity: Identity) -> Mapping[str, str]:
        """Names by user id of everybody who may work with the queue.

        Raises:
            NotAllowedError: the role does not work with the queue.
        """
        require(identity, Action.QUEUE_WORK)
        with self._store.read() as work:
            return _workers(work)

    def catch_up(self, identity: Identity, *, limit: int = CAUGHT_UP) -> int:
        """Queue findings of inspections new to this process, at most the `limit` newest; returns the number.

        Signing and reviewing queue their differences themselves; this finds what was signed before there was
        a queue, and toss-ups in inspections that nobody signed.

        Raises:
            NotAllowedError: the role does not work with the queue.
        """
        require(identity, Action.QUEUE_WORK)
        with self._lock:
            with self._store.read() as work:
                opened = {one: one.opened_at for one in work.inspections.latest(limit) if one.opened_at}
                since = self._looked_until
                new = [one for one, at in opened.items() if since is None or at > since]
                findings = [found for one in new for found in findings_of(work, one)]
            added = 0
            if findings:
                with self._store.write() as work:
                    added = put(work, findings, self._make_id)
            if opened:
                self._looked_until = max(opened.values())
            return added


def put(work: Work, findings: Sequence[CorrectionCase], make_id: Callable[[], str] = new_id) -> int:
    """Queue the findings that are new, leave the others as they are; returns the number added."""
    return work.queue.put([(make_id(), one) for one in findings])


def queue_signed(work: Work, reading: Reading) -> None:
    """Queue where a reading that is being signed differs from the model, within the same transaction."""
    put(work, _of_signed(reading))


def queue_reviewed(work: Work, both: SideBySide) -> None:
    """Queue where both readers differ, within the transaction that concludes the review."""
    first = both.first
    put(work, findings_of_review(first.inspection, first.indications, both.own.reading.indications))


def findings_of(work: Work, inspection: Inspection) -> list[CorrectionCase]:
    """The findings of an inspection as it is stored now."""
    kept = work.annotations.latest(inspection.image_sha256, inspection.inspection_id)
    if kept is None:  # nobody said anything
        return doubtful_findings(inspection, ())
    said = [indication_from(box) for box in kept.boxes]
    found = doubtful_findings(inspection, said)
    is_signed = inspection.state is not InspectionState.OPEN
    return [*findings_of_reading(inspection, said), *found] if is_signed else found


def close(
    work: Work, identity: Identity, item: QueueItem, state: QueueState, *, note: str, expected_version: int
) -> None:
    """Close the item within `work`, with its line in the audit log.

    Raises:
        StaleVersionError: somebody changed the item since.
    """
    work.queue.change(
        item,
        expected_version=expected_version,
        state=state.value,
        note=note,
        closed_by=identity.account_id,
        leased_by=None,
        leased_until=None,
    )
    _tell(work, identity, item, f"queue.{state.value}", why=note)


def close_all(work: Work, identity: Identity, image_sha256: str, state: QueueState, *, note: str = "") -> int:
    """Close the open items of an image within `work`, except those leased to others; returns the number."""
    free = [
        one for one in work.queue.of_image(image_sha256) if one.holder(work.now) in (None, identity.user_id)
    ]
    for one in free:
        close(work, identity, one, state, note=note, expected_version=one.version)
    return len(free)


def names_of(work: Work, user_ids: set[str | None]) -> dict[str, str]:
    """Printed names by user id: the full name, else the sign-in name; "guest" for guests."""
    found = {user_id: work.users.find(user_id) for user_id in sorted(filter(None, user_ids))}
    return {
        user_id: "guest" if user.role is Role.GUEST else user.full_name or user.shown_name
        for user_id, user in found.items()
        if user is not None
    }


def _of_signed(reading: Reading) -> list[CorrectionCase]:
    inspection, said = reading.inspection, reading.indications
    return [*findings_of_reading(inspection, said), *doubtful_findings(inspection, said)]


def _existing(work: Work, item_id: str) -> QueueItem:
    found = work.queue.find(item_id)
    if found is None:
        raise UnknownRecordError("there is no such item in the queue")
    return found


def _workers(work: Work) -> dict[str, str]:
    users = [user for user in work.users.all() if user.is_active and may(user.role, Action.QUEUE_WORK)]
    return names_of(work, {user.user_id for user in users})


def _checked_why(why: str) -> str:
    cleaned = " ".join(why.split())
    if not 0 < len(cleaned) <= _LONGEST_WHY:
        raise BadInputError(f"say why it is skipped, in 1 to {_LONGEST_WHY} characters")
    return cleaned


def _tell(work: Work, identity: Identity, item: QueueItem, action: str, **details: str | None) -> None:
    work.audit.record(
        identity,
        action=action,
        object_type="queue_item",
        object_id=item.item_id,
        details={"image": item.image_sha256, "reason": item.reason.value, **details},
    )
