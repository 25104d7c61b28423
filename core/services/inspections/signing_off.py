"""Signing an inspection: the password again, the content frozen under a seal, differences kept."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from core.domain.accounts import Identity
from core.domain.errors import BadInputError, ImmutableRecordError, StaleVersionError
from core.domain.objections import objection_line, objections
from core.domain.override import Override
from core.domain.permissions import Action, require
from core.domain.reading import disagreements
from core.domain.records import (
    DISPOSITIONS,
    Annotation,
    AnnotationSource,
    Disposition,
    Inspection,
    InspectionState,
    ReshootReason,
    Signature,
    new_id,
)
from core.domain.signing import INSPECTED
from core.services.accounts.certificates import certificate_to_sign
from core.services.inspections.correction_queue import queue_signed
from core.services.inspections.film_first import first_look_content, require_unveiled
from core.services.inspections.inspecting import decision_content, inspection_content
from core.services.inspections.judging import Judgement, judgement_from
from core.services.inspections.measuring import copy_measures, measured_content
from core.services.inspections.readings import Reading, reading_of
from core.services.inspections.seeing import seen_content
from core.services.inspections.signatures import Sealer
from core.store.unit_of_work import Store, Work
from core.store.workbench import KeptDisagreement


class ConfirmsPassword(Protocol):
    """The part of the accounts that signing calls."""

    def confirm_password(self, identity: Identity, password: str, *, address: str) -> None:
        """Return when it is the password of this account, else raise SignInRefusedError."""


class SigningOffService:
    """Signatures in one workspace.

    Args:
        store: the workspace's.
        accounts: asks for the password again.
        sealer: makes and checks signatures.
        judge: the verdict on a reading.
        make_id: gives ids.
    """

    def __init__(
        self,
        store: Store,
        accounts: ConfirmsPassword,
        sealer: Sealer,
        *,
        judge: Callable[[Reading], Judgement],
        make_id: Callable[[], str] = new_id,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._sealer = sealer
        self._judge = judge
        self._make_id = make_id

    def sign(
        self,
        identity: Identity,
        inspection_id: str,
        password: str,
        *,
        expected_version: int,
        expected_reading: int,
        address: str,
        override: Override | None = None,
    ) -> Signature:
        """The signature under an inspection, which nobody changes from now on.

        Args:
            identity: who signs.
            inspection_id: what is signed.
            password: the account's, asked for again.
            expected_version: of the decision, as the signer sees it.
            expected_reading: version of the reading, as the signer sees it.
            address: of the client; wrong passwords count against it.
            override: why it is signed in spite of what stands against it, as the signer saw that; None where
                nothing does.

        Raises:
            NotAllowedError: the role may not sign, or signing needs a valid certificate and there is none.
            SignInRefusedError: the password is another one.
            UnknownRecordError: there is no such inspection.
            ImmutableRecordError: it is signed already.
            BadInputError: a first look is not done, no disposition is set, re-shoot without a reason, or
                something stands against the disposition and `override` says nothing to it, or speaks of
                something else.
            StaleVersionError: decision or reading changed since; nothing was signed.
        """
        require(identity, Action.SIGNATURES_ADD)
        with self._store.read() as work:
            certificate_to_sign(work, identity)
            judged = reading_of(work, inspection_id)
            require_unveiled(work, inspection_id)
        judgement = self._judge(judged)
        _require_signable(judged, expected_reading)
        override = _answered(judged.inspection, judgement, override, identity)
        self._accounts.confirm_password(identity, password, address=address)
        with self._store.write() as work:
            work.inspections.require_version(inspection_id, expected_version)
            reading = reading_of(work, inspection_id)
            _require_signable(reading, expected_reading)
            if override is not None:
                work.inspections.set_override(inspection_id, override)
                reading = replace(reading, inspection=replace(reading.inspection, override=override))
            content = signed_content(
                reading, judgement.to_dict(), beside_content(work, reading.inspection, identity.user_id)
            )
            signature = self._sealer.sign(work, identity, reading.inspection, content, INSPECTED)
            work.signatures.keep_judgement(signature.signature_id, judgement.to_dict())
            work.inspections.set_state(inspection_id, InspectionState.SIGNED)
            work.disagreements.add(self._differences(work, reading))
            queue_signed(work, reading)
            work.audit.record(
                identity,
                action="inspection.signed",
                object_type="inspection",
                object_id=inspection_id,
                after={"content": signature.content_sha256, "meaning": signature.meaning},
                details={
                    "meaning": signature.meaning,
                    "version": expected_version,
                    "disposition": str(reading.inspection.disposition),
                    "verdict": judgement.words,
                    **_override_details(override),
                },
            )
        return signature

    def revise(self, identity: Identity, inspection_id: str) -> Inspection:
        """A new, open inspection that begins where the signed one ended.

        Raises:
            NotAllowedError: the role may not decide.
            UnknownRecordError: there is no such inspection.
            BadInputError: it is not signed, so it can be changed itself.
        """
        require(identity, Action.INSPECTIONS_DECIDE)
        with self._store.write() as work:
            signed = reading_of(work, inspection_id)
            if signed.inspection.is_open:
                raise BadInputError("the inspection is not signed yet: change it itself")
            revision = replace(
                signed.inspection,
                inspection_id=self._make_id(),
                inspector_id=identity.account_id,
                created_at=work.now,
                version=1,
                updated_at=work.now,
                updated_by=identity.account_id,
                state=InspectionState.OPEN,
                revision_of=inspection_id,
                opened_at=work.now,
                override=None,
            )
            work.inspections.add(revision)
            copied = self._copied(work, identity, signed, revision)
            work.annotations.append(copied)
            copy_measures(work, identity, inspection_id, revision.inspection_id)
            work.inspections.set_found(revision.inspection_id, copied.boxes)
            if (zone := work.zones.get(inspection_id)) is not None:
                work.zones.put(revision.inspection_id, zone, by=identity.user_id, at=work.now)
            work.audit.record(
                identity,
                action="inspection.revised",
                object_type="inspection",
                object_id=revision.inspection_id,
                after=inspection_content(revision),
                details={"revision_of": inspection_id},
            )
        return revision

    def is_intact(self, signature: Signature) -> bool:
        """True when nothing about the signature was changed since."""
        return self._sealer.is_intact(signature)

    def _differences(self, work: Work, reading: Reading) -> list[KeptDisagreement]:
        inspection = reading.inspection
        return [
            KeptDisagreement(
                disagreement_id=self._make_id(),
                inspection_id=inspection.inspection_id,
                image_sha256=inspection.image_sha256,
                kind=one.kind.value,
                indication=one.indication.to_box(),
                created_at=work.now,
            )
            for one in disagreements(inspection.detections, reading.indications)
        ]

    def _copied(self, work: Work, identity: Identity, signed: Reading, revision: Inspection) -> Annotation:
        return Annotation(
            annotation_id=self._make_id(),
            image_sha256=revision.image_sha256,
            track=revision.inspection_id,
            inspection_id=revision.inspection_id,
            version=1,
            source=AnnotationSource.HUMAN,
            author_id=identity.user_id,
            boxes=tuple(one.to_box() for one in signed.indications),
            note="",
            created_at=work.now,
        )


def beside_content(work: Work, inspection: Inspection, signer_id: str) -> dict[str, Any]:
    """What is signed beside reading and decision: what was seen, measured, and found before the model was
    shown; each is left out where there is none, as in what earlier releases signed.
    """
    inspection_id = inspection.inspection_id
    return {
        **seen_content(work, inspection, signer_id),
        **measured_content(work, inspection_id),
        **first_look_content(work, inspection_id),
    }


def signed_content(
    reading: Reading, judgement: Mapping[str, Any], beside: Mapping[str, Any]
) -> dict[str, Any]:
    """The content under a signature: model, reading, decision, image quality, verdict and override.

    The override is left out where nothing stood against the disposition, as in what earlier releases signed.

    Args:
        reading: the inspector's.
        judgement: the verdict.
        beside: see `beside_content`.
    """
    content = {
        "inspection": inspection_content(reading.inspection),
        "decision": decision_content(reading.inspection),
        "reading": {
            "version": reading.version,
            "indications": [one.to_box() for one in reading.indications],
        },
        "image_quality": reading.inspection.image_quality,
        "judgement": judgement,
        **beside,
    }
    if reading.inspection.override is not None:
        content["override"] = reading.inspection.override.to_dict()
    return content


def judgement_as_signed(work: Work, signatures: Sequence[Signature]) -> Judgement | None:
    """The verdict that the inspector signed, word for word; None where nobody signed or none was kept."""
    signed = next((one for one in signatures if one.meaning == INSPECTED), None)
    kept = None if signed is None else work.signatures.judgement(signed.signature_id)
    return None if kept is None else judgement_from(kept)


def _answered(
    inspection: Inspection, judgement: Judgement, override: Override | None, signer: Identity
) -> Override | None:
    """The override as it is signed; None where nothing stands against the disposition.

    Raises:
        BadInputError: it does not answer exactly what stands against it.
    """
    assert inspection.disposition is not None  # required before
    assert judgement.standing is not None  # only what was signed earlier has none
    found = objections(inspection.disposition, judgement.standing)
    if override is None:
        if found:
            raise BadInputError(f"{objection_line(found)}: to sign all the same takes a reason and a note")
        return None
    if override.objections != found:
        now = objection_line(found) or "nothing"
        raise BadInputError(f"what stands against it changed since you looked, now: {now}")
    return replace(override, signer_id=signer.user_id)


def _override_details(override: Override | None) -> dict[str, str]:
    if override is None:
        return {}
    return {"against": objection_line(override.objections), "override": override.reason.value}


def _require_signable(reading: Reading, expected_reading: int) -> None:
    if not reading.inspection.is_open:
        raise ImmutableRecordError("the inspection is signed already")
    if reading.version != expected_reading:
        raise StaleVersionError("the reading", yours=expected_reading, stored=reading.version)
    if reading.inspection.disposition is None:
        raise BadInputError(f"set a disposition before you sign: {', '.join(DISPOSITIONS)}")
    _require_reshoot_reason(reading.inspection)


def _require_reshoot_reason(inspection: Inspection) -> None:
    if inspection.disposition is not Disposition.RESHOOT:
        return
    if inspection.reshoot_reason is None:
        raise BadInputError("choose why the radiograph is taken again before you sign")
    if inspection.reshoot_reason is ReshootReason.OTHER and not inspection.note.strip():
        raise BadInputError("say in the note why the radiograph is taken again before you sign")
