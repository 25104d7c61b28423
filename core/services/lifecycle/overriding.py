"""Promoting against the gate: one person asks and says why, a second one consents."""

from collections.abc import Mapping
from typing import Any

from core.domain.accounts import Identity
from core.domain.errors import BadInputError, FieldFaultsError, NotAllowedError
from core.domain.permissions import Action, may, require
from core.domain.records import new_id
from core.domain.serving import ChangeKind, PromotionRequest, RequestState, ServingChange
from core.services.lifecycle.alias_moves import AliasMover, Move, require_as_seen, require_sound
from core.services.lifecycle.promoting import PromotionService
from core.store.unit_of_work import Store, Work

#: The field that a request needs.
NOTE = "note"


class OverrideService:
    """Requests to promote a version that the gate refused.

    Every method raises NotAllowedError for a role without the right to it.

    Args:
        store: the real one.
        mover: moves the alias.
        promoting: asks the gate.
    """

    def __init__(self, store: Store, mover: AliasMover, promoting: PromotionService) -> None:
        self._store = store
        self._mover = mover
        self._promoting = promoting

    def ask(self, identity: Identity, move: Move) -> PromotionRequest:
        """The request; nothing serves otherwise until a second person consents.

        Raises:
            NotAllowedError: the role may not promote, or no account asks.
            FieldFaultsError: there is no note.
            BadInputError: the gate is green, or the same was asked for already.
            StaleVersionError: the alias moved since it was looked at.
        """
        require(identity, Action.MODELS_PROMOTE)
        require_sound(move)
        if identity.account_id is None:
            raise NotAllowedError("a person has to ask; a command overrides the gate with a note")
        if not move.note.strip():
            raise FieldFaultsError({NOTE: "an override needs a note that says why"})
        self._mover.catch_up()
        report = self._promoting.gate(identity, move.model, move.version, set_digest=move.set_digest)
        if report.is_green:
            raise BadInputError("the gate is green: promote the version, nobody has to consent")
        candidate = self._mover.version(move.model, move.version)
        with self._store.write() as work:
            work.serving.hold()
            require_as_seen(work, move)
            _require_not_asked(work, move)
            request = PromotionRequest(
                request_id=new_id(),
                model_name=move.model,
                alias=move.alias,
                version=move.version,
                model_sha256=candidate.sha256,
                current_version=move.seen,
                gate=report.to_dict(),
                note=move.note.strip(),
                state=RequestState.OPEN,
                requested_by=identity.account_id,
                requested_at=work.now,
            )
            work.promotion_requests.add(request)
            _audit(work, identity, request, "requested")
        return request

    def waiting(self, identity: Identity, model: str) -> list[tuple[PromotionRequest, str]]:
        """Requests that wait for a second person, each with the name of who asked, oldest first."""
        require(identity, Action.MODELS_READ)
        with self._store.read() as work:
            return [
                (request, _name(work, request.requested_by))
                for request in work.promotion_requests.open_of(model)
            ]

    def consent(self, identity: Identity, request_id: str) -> ServingChange:
        """The change that a second person let happen.

        Raises:
            NotAllowedError: the role may not consent, it is one's own request, or who asked may not promote
                any more.
            UnknownRecordError, BadInputError: there is no such request, it is closed, or the version is not
                what it was.
            Further: see `AliasMover.move`. In all cases nothing was changed.
        """
        require(identity, Action.MODELS_CONSENT)
        with self._store.read() as work:
            request = _open_request(work, request_id)
            _require_second_person(work, identity, request)

        def granted(work: Work) -> Mapping[str, Any]:
            asked = _open_request(work, request_id)
            _require_second_person(work, identity, asked)
            if self._mover.version(asked.model_name, asked.version).sha256 != asked.model_sha256:
                raise BadInputError(f"v{asked.version} is not the model any more that was asked for")
            _close(work, identity, asked, RequestState.GRANTED)
            return {"changed_by": asked.requested_by, "consent_by": identity.account_id}

        move = Move(
            request.model_name, request.version, request.alias, request.current_version, note=request.note
        )
        return self._mover.move(identity, move, ChangeKind.OVERRIDDEN, gate=request.gate, within=granted)

    def refuse(self, identity: Identity, request_id: str) -> PromotionRequest:
        """The request as it was, declined now, or withdrawn by who asked.

        Raises:
            UnknownRecordError, BadInputError: there is no such request, or it is closed.
        """
        require(identity, Action.MODELS_CONSENT)
        with self._store.write() as work:
            request = _open_request(work, request_id)
            is_own = request.requested_by == identity.account_id
            _close(work, identity, request, RequestState.WITHDRAWN if is_own else RequestState.DECLINED)
        return request


def _require_not_asked(work: Work, move: Move) -> None:
    for request in work.promotion_requests.open_of(move.model):
        if (request.alias, request.version) == (move.alias, move.version):
            raise BadInputError(f"v{move.version} as {move.alias} is asked for already and waits for consent")


def _open_request(work: Work, request_id: str) -> PromotionRequest:
    request = work.promotion_requests.find(request_id)
    if request.state is not RequestState.OPEN:
        raise BadInputError(f"the request was {request.state.value} already; nothing was changed")
    return request


def _require_second_person(work: Work, identity: Identity, request: PromotionRequest) -> None:
    if identity.account_id is None or identity.account_id == request.requested_by:
        raise NotAllowedError("a second person has to consent, not the one who asked")
    asker = work.users.find(request.requested_by)
    if asker is None or not asker.is_active or not may(asker.role, Action.MODELS_PROMOTE):
        raise NotAllowedError("whoever asked may not promote any more: decline the request")


def _close(work: Work, identity: Identity, request: PromotionRequest, state: RequestState) -> None:
    work.promotion_requests.close(request.request_id, state, by=identity.account_id, at=work.now)
    _audit(work, identity, request, state.value)


def _audit(work: Work, identity: Identity, request: PromotionRequest, what: str) -> None:
    work.audit.record(
        identity,
        action=f"model.override_{what}",
        object_type="promotion_request",
        object_id=request.request_id,
        details={
            "alias": f"{request.model_name}/{request.alias}",
            "version": request.version,
            "model_sha256": request.model_sha256,
            "current_version": request.current_version,
            "reasons": list(request.gate.get("reasons", ())),
            "requested_by": request.requested_by,
        },
    )


def _name(work: Work, user_id: str) -> str:
    user = work.users.find(user_id)
    return user_id if user is None else user.shown_name
