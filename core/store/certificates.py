"""The repositories of certificates, of policies that an admin sets for everybody, and of own preferences."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.domain.certificates import Certificate, Scheme
from core.store.account_tables import CertificateRow, PolicyRow, PreferenceRow


class CertificateRepository:
    """Rows of `certificates` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def put(self, user_id: str, certificate: Certificate) -> None:
        """Store the certificate of this person, in place of an earlier state of it."""
        row = self._session.get(CertificateRow, certificate.certificate_id)
        if row is None:
            row = CertificateRow(certificate_id=certificate.certificate_id, user_id=user_id)
            self._session.add(row)
        row.scheme = certificate.scheme.value
        row.method, row.level = certificate.method, certificate.level
        row.number, row.valid_until = certificate.number, certificate.valid_until
        self._session.flush()

    def remove(self, user_id: str, certificate_id: str) -> None:
        """Remove it; nothing happens when this person has no such certificate."""
        mine = (CertificateRow.user_id == user_id, CertificateRow.certificate_id == certificate_id)
        self._session.execute(delete(CertificateRow).where(*mine))

    def of(self, user_id: str) -> list[Certificate]:
        """Those of this person, the one that is valid for longest first."""
        query = select(CertificateRow).where(CertificateRow.user_id == user_id)
        query = query.order_by(CertificateRow.valid_until.desc(), CertificateRow.certificate_id)
        return [_certificate(row) for row in self._session.scalars(query)]

    def by_user(self) -> dict[str, list[Certificate]]:
        """Everybody's by user id, each as `of` gives them."""
        query = select(CertificateRow).order_by(
            CertificateRow.valid_until.desc(), CertificateRow.certificate_id
        )
        found: dict[str, list[Certificate]] = {}
        for row in self._session.scalars(query):
            found.setdefault(row.user_id, []).append(_certificate(row))
        return found


class PolicyRepository:
    """Rows of `policies` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, name: str) -> Mapping[str, Any] | None:
        """What was set under this name, None when nobody set anything."""
        row = self._session.get(PolicyRow, name)
        return None if row is None else row.value

    def put(self, name: str, value: Mapping[str, Any], *, by: str | None, at: datetime) -> None:
        """Set it, in place of an earlier value."""
        self._session.merge(PolicyRow(name=name, value=dict(value), set_by=by, set_at=at))
        self._session.flush()


class PreferenceRepository:
    """Rows of `preferences` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, user_id: str, name: str) -> Mapping[str, Any] | None:
        """What this person chose under this name, None when nothing."""
        row = self._session.get(PreferenceRow, (user_id, name))
        return None if row is None else row.value

    def put(self, user_id: str, name: str, value: Mapping[str, Any]) -> None:
        """Keep the choice, in place of an earlier one."""
        self._session.merge(PreferenceRow(user_id=user_id, name=name, value=dict(value)))
        self._session.flush()


def _certificate(row: CertificateRow) -> Certificate:
    return Certificate(
        certificate_id=row.certificate_id,
        scheme=Scheme(row.scheme),
        method=row.method,
        level=row.level,
        number=row.number,
        valid_until=row.valid_until,
    )
