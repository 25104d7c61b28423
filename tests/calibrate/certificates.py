"""Routing certificates for tests."""

from collections.abc import Sequence
from datetime import UTC, datetime

from core.calibrate.routing import Assurance
from core.calibrate.routing_certificate import CertifiedSubject, PartScore, RoutingCertificate, certify

MADE_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def subject(**changes: object) -> CertifiedSubject:
    """Weld v2 with its operating probability at 0.4."""
    about: dict[str, object] = {
        "model": "weld",
        "version": 2,
        "model_sha256": "ab" * 32,
        "calibration_id": "cal-1",
        "operating_probability": 0.4,
        "set_sha256": "cd" * 32,
        "device": "cpu",
    }
    return CertifiedSubject(**(about | changes))  # type: ignore[arg-type]


def certificate(
    defective: Sequence[float] = (0.3,) * 60,
    clean: Sequence[float] = (),
    *,
    about: CertifiedSubject | None = None,
    level: Assurance | None = None,
    made_at: datetime = MADE_AT,
) -> RoutingCertificate:
    """One over parts of these scores; as it stands it accepts below 0.3."""
    parts = [PartScore(f"series:D{n}", True, 3, score) for n, score in enumerate(defective)]
    parts += [PartScore(f"series:C{n}", False, 3, score) for n, score in enumerate(clean)]
    return certify(
        about or subject(),
        level or Assurance(0.05, 0.95),
        parts,
        made_at=made_at,
        left_out=("1 part trained it",),
        unchecked=("nothing",),
    )
