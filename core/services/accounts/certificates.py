"""Certificates of people: kept by admins, shown to their holders, checked when somebody signs."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from core.domain.accounts import Identity
from core.domain.certificates import Certificate, Scheme, Standing, day_of, standing
from core.domain.errors import BadInputError, NotAllowedError, UnknownRecordError
from core.domain.permissions import Action, require
from core.domain.records import new_id
from core.services.accounts.account_rules import changing, set_policy
from core.store.unit_of_work import Store, Work

#: The policy under which signing needs a valid certificate.
SIGNING = "signing"
_NEEDED = "needs_certificate"


class CertificateService:
    """Certificates as admins change them. Every change is one transaction with its line in the audit log.

    Args:
        store: the real one; guests have no certificates.
        make_id: of a certificate.
    """

    def __init__(self, store: Store, *, make_id: Callable[[], str] = new_id) -> None:
        self._store = store
        self._make_id = make_id

    def all(self, identity: Identity) -> Mapping[str, list[Certificate]]:
        """Everybody's by user id, the one that is valid for longest first.

        Raises:
            NotAllowedError: the role may not manage users.
        """
        require(identity, Action.USERS_MANAGE)
        with self._store.read() as work:
            return work.certificates.by_user()

    def standings(self, identity: Identity) -> Mapping[str, Standing]:
        """How far everybody who has a certificate is certified today in UTC, by user id.

        Raises:
            NotAllowedError: the role may not manage users.
        """
        require(identity, Action.USERS_MANAGE)
        with self._store.read() as work:
            return {user_id: standing_now(work, user_id) for user_id in work.certificates.by_user()}

    def today(self) -> date:
        """The day by the store's clock, in UTC."""
        with self._store.read() as work:
            return day_of(work.now)

    def own(self, identity: Identity) -> tuple[list[Certificate], Standing]:
        """One's own, and how far they hold today.

        Raises:
            NotAllowedError: there is no account.
        """
        require(identity, Action.PASSWORD_CHANGE)
        with self._store.read() as work:
            return work.certificates.of(identity.user_id), standing_now(work, identity.user_id)

    def add(
        self,
        identity: Identity,
        user_id: str,
        *,
        scheme: Scheme,
        method: str,
        level: int,
        number: str,
        valid_until: date,
    ) -> Certificate:
        """The certificate that the person has from now on.

        Raises:
            NotAllowedError: the role may not manage users.
            UnknownUserError: there is no such account, or its person was erased.
            BadInputError: it cannot be, or the person has one of this scheme, method and number already.
        """
        with changing(self._store, identity, user_id) as change:
            new = Certificate(self._make_id(), scheme, method.strip(), level, number.strip(), valid_until)
            if any(_name(one) == _name(new) for one in change.work.certificates.of(user_id)):
                raise BadInputError(f"{change.name} has this certificate already: {new.words}")
            change.work.certificates.put(user_id, new)
            _record(change.work, identity, user_id, "certificate.added", after=new)
        return new

    def change(self, identity: Identity, user_id: str, certificate: Certificate) -> Certificate:
        """The certificate as it is from now on; signatures keep it as it was when they were given.

        Raises:
            NotAllowedError, UnknownUserError: as `add`.
            UnknownRecordError: the person has no such certificate any more.
        """
        with changing(self._store, identity, user_id) as change:
            before = _existing(change.work, user_id, certificate.certificate_id)
            if before != certificate:
                change.work.certificates.put(user_id, certificate)
                _record(change.work, identity, user_id, "certificate.changed", before, certificate)
        return certificate

    def remove(self, identity: Identity, user_id: str, certificate_id: str) -> None:
        """Remove the certificate; signatures keep it.

        Raises:
            NotAllowedError, UnknownUserError, UnknownRecordError: as `change`.
        """
        with changing(self._store, identity, user_id) as change:
            before = _existing(change.work, user_id, certificate_id)
            change.work.certificates.remove(user_id, certificate_id)
            _record(change.work, identity, user_id, "certificate.removed", before)

    def is_required(self, identity: Identity) -> bool:
        """True when signing needs a valid certificate.

        Raises:
            NotAllowedError: there is no account.
        """
        require(identity, Action.PASSWORD_CHANGE)
        with self._store.read() as work:
            return is_certificate_required(work)

    def set_required(self, identity: Identity, is_required: bool) -> None:
        """Let signing need a valid certificate from now on, or not.

        Raises:
            NotAllowedError: the role may not manage users.
        """
        set_policy(self._store, identity, SIGNING, {_NEEDED: is_required}, unset={_NEEDED: False})


def is_certificate_required(work: Work) -> bool:
    """True when signing needs a valid certificate; it does not unless an admin said so."""
    kept = work.policies.get(SIGNING)
    return bool(kept and kept[_NEEDED])


def standing_now(work: Work, user_id: str) -> Standing:
    """How far this person is certified today, in UTC."""
    certificates = work.certificates.of(user_id)
    return standing(certificates, day_of(work.now), is_required=is_certificate_required(work))


def certificate_to_sign(work: Work, identity: Identity) -> Certificate | None:
    """The certificate that goes with a signature given now, None where none is valid and none is needed.

    Raises:
        NotAllowedError: one is needed, and this person has no valid one.
    """
    now = standing_now(work, identity.user_id)
    if not now.may_sign:
        raise NotAllowedError(now.refusal)
    return now.valid


def _existing(work: Work, user_id: str, certificate_id: str) -> Certificate:
    for one in work.certificates.of(user_id):
        if one.certificate_id == certificate_id:
            return one
    raise UnknownRecordError("this certificate was removed meanwhile")


def _name(one: Certificate) -> tuple[str, str, str]:
    return one.scheme.value, one.method.upper(), one.number


def _record(
    work: Work,
    identity: Identity,
    user_id: str,
    action: str,
    before: Certificate | None = None,
    after: Certificate | None = None,
) -> None:
    """The line in the audit log; a certificate's number names a person, so the log holds none of it."""
    told = after or before
    assert told is not None
    details = _content(told)
    if before is not None and after is not None:
        details["is_number_changed"] = before.number != after.number
    work.audit.record(
        identity,
        action=action,
        object_type="user",
        object_id=user_id,
        before=None if before is None else _content(before),
        after=None if after is None else _content(after),
        details=details,
    )


def _content(one: Certificate) -> dict[str, Any]:
    content = one.to_dict()
    del content["number"]
    return {"certificate": one.certificate_id, **content}
