"""The repository of certificates."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.domain.certificates import Certificate, Scheme
from core.store.account_tables import CertificateRow


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


def _certificate(row: CertificateRow) -> Certificate:
    return Certificate(
        certificate_id=row.certificate_id,
        scheme=Scheme(row.scheme),
        method=row.method,
        level=row.level,
        number=row.number,
        valid_until=row.valid_until,
    )
