"""Signatures: what was signed by whom, under a keyed seal that shows any change."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from core.audit.canonical import canonical_json, digest
from core.domain.accounts import Identity
from core.domain.records import Inspection, Signature, new_id
from core.keys import keyed_digest
from core.services.accounts.certificates import certificate_to_sign
from core.store.unit_of_work import Work


class Sealer:
    """Makes and checks signatures.

    Args:
        key: seals them.
        earlier: keys that sealed earlier ones.
        make_id: gives ids.
    """

    def __init__(
        self, key: bytes, *, earlier: Sequence[bytes] = (), make_id: Callable[[], str] = new_id
    ) -> None:
        self._key = key
        self._earlier = tuple(earlier)
        self._make_id = make_id

    def sign(
        self, work: Work, signer: Identity, inspection: Inspection, content: Mapping[str, Any], meaning: str
    ) -> Signature:
        """A signature by `signer` over `content` and their certificate, stored within `work`.

        Raises:
            NotAllowedError: signing needs a valid certificate, and the signer has none.
        """
        certificate = certificate_to_sign(work, signer)
        kept = None if certificate is None else certificate.to_dict()
        signature = Signature(
            signature_id=self._make_id(),
            inspection_id=inspection.inspection_id,
            inspection_version=inspection.version,
            signer_id=signer.user_id,
            meaning=meaning,
            content_sha256=digest(certified(content, kept)),
            signed_at=work.now,
            seal="",
        )
        sealed = replace(signature, seal=self._seal(signature, self._key))
        work.signatures.add(sealed)
        if kept is not None:
            work.signatures.keep_certificate(sealed.signature_id, kept)
        return sealed

    def is_intact(self, signature: Signature) -> bool:
        """False when anything about the signature was changed since."""
        bare = replace(signature, seal="")
        return any(self._seal(bare, key) == signature.seal for key in (self._key, *self._earlier))

    def _seal(self, signature: Signature, key: bytes) -> str:
        content = {name: getattr(signature, name) for name in Signature.__slots__ if name != "seal"}
        return keyed_digest(key, canonical_json(content).decode("ascii"))


def certified(content: Mapping[str, Any], certificate: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The content as it is signed: with the signer's certificate, where they have a valid one."""
    return content if certificate is None else {**content, "certificate": dict(certificate)}
