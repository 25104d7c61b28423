"""Promoting a model version through the gate, and rolling back. The rule is written in docs/promotion.md."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from core.domain.accounts import COMMAND_LINE, Identity
from core.domain.errors import BadInputError, NotAllowedError, WorkbenchError
from core.domain.model_version import ModelVersion
from core.domain.permissions import Action, require
from core.domain.serving import CHAMPION, NO_VERSION, ChangeKind, ServingChange, rollback_target
from core.evaluate.gate_report import GateEvidence, GateReport, GateRule
from core.evaluate.promotion_gate import judge
from core.services.lifecycle.alias_moves import AliasMover, Move, require_as_seen, require_sound
from core.store.unit_of_work import Store


class GateRefusedError(WorkbenchError):
    """The gate refused; nothing was changed.

    Attributes:
        report: every check and every reason.
    """

    def __init__(self, version: str, report: GateReport) -> None:
        super().__init__(f"the gate refuses {version}, nothing was changed: {'; '.join(report.reasons)}")
        self.report = report


@dataclass(frozen=True, slots=True)
class GateSet:
    """Images that a candidate can be judged on.

    Attributes:
        digest: of images and boxes.
        is_measured: both the candidate and the champion were evaluated on it.
    """

    digest: str
    name: str
    n_images: int
    n_boxes: int
    is_measured: bool


class Evidence(Protocol):
    """A source of measured figures."""

    def sets(self, candidate: ModelVersion, champion: ModelVersion | None) -> Sequence[GateSet]:
        """The evaluation sets of the model, the one to judge on first."""

    def measured(
        self, candidate: ModelVersion, champion: ModelVersion | None, set_digest: str | None
    ) -> GateEvidence:
        """The figures on the set, None for the first of `sets`; those that are missing say why."""


class PromotionService:
    """Moves aliases through the gate. Every method raises NotAllowedError for a role without the right to it.

    Args:
        store: the real one.
        mover: moves them.
        evidence: measured figures for the gate.
        rule: the bounds; None takes the usual ones.
        n_shadow: images that a version read unseen.
    """

    def __init__(
        self,
        store: Store,
        mover: AliasMover,
        evidence: Evidence,
        rule: GateRule | None = None,
        n_shadow: Callable[[ModelVersion], int] = lambda _version: 0,
    ) -> None:
        self._store = store
        self._mover = mover
        self._evidence = evidence
        self._rule = rule
        self._n_shadow = n_shadow

    def sets(self, identity: Identity, model: str, version: int) -> Sequence[GateSet]:
        """The evaluation sets that this version can be judged on, the one to judge on first.

        Raises:
            ModelNotFoundError: there is no such version.
        """
        require(identity, Action.MODELS_READ)
        return self._evidence.sets(self._mover.version(model, version), self._mover.champion(model))

    def gate(
        self, identity: Identity, model: str, version: int, *, set_digest: str | None = None
    ) -> GateReport:
        """The gate's report on this version beside the champion; changes nothing.

        Raises:
            ModelNotFoundError: there is no such version.
        """
        require(identity, Action.MODELS_READ)
        return self._report(model, version, set_digest)

    def promote(self, identity: Identity, move: Move) -> ServingChange:
        """The change that let the alias point to the version, because the gate is green.

        Raises:
            GateRefusedError: the gate refused.
            Further: see `AliasMover.move`. In all cases nothing was changed.
        """
        require(identity, Action.MODELS_PROMOTE)
        require_sound(move)
        report = self._judged(move)
        if not report.is_green:
            raise GateRefusedError(f"{move.model} v{move.version}", report)
        return self._mover.move(identity, move, ChangeKind.PROMOTED, gate=report.to_dict())

    def force(self, identity: Identity, move: Move) -> ServingChange:
        """The change, made by a command on the server even against the gate, for emergencies.

        Raises:
            NotAllowedError: this is no command on the server.
            BadInputError: there is no note.
            Further: see `AliasMover.move`. In all cases nothing was changed.
        """
        require(identity, Action.MODELS_PROMOTE)
        require_sound(move)
        if identity.user_id != COMMAND_LINE.user_id:
            raise NotAllowedError("here the gate is overridden only with a second person's consent")
        if not move.note.strip():
            raise BadInputError("an override needs a note that says why")
        report = self._judged(move)
        kind = ChangeKind.PROMOTED if report.is_green else ChangeKind.EMERGENCY
        return self._mover.move(identity, move, kind, gate=report.to_dict())

    def rollback_target(self, identity: Identity, model: str, alias: str = CHAMPION) -> int | None:
        """The version that a roll back leads to; None when nothing served before."""
        require(identity, Action.MODELS_READ)
        with self._store.read() as work:
            return rollback_target(work.serving.of(model, alias))

    def roll_back(
        self, identity: Identity, model: str, *, seen: int | None, alias: str = CHAMPION, note: str = ""
    ) -> ServingChange:
        """The change back to what the alias pointed to before; no gate is asked, because it served already.

        Args:
            identity: who rolls back.
            model: the registered model.
            seen: what the alias points to, as far as `identity` knows.
            alias: which one.
            note: why.

        Raises:
            BadInputError: nothing served before.
            Further: see `AliasMover.move`. In all cases nothing was changed.
        """
        require(identity, Action.MODELS_PROMOTE)
        self._mover.catch_up()
        with self._store.read() as work:
            target = rollback_target(work.serving.of(model, alias))
            require_as_seen(work, Move(model, target or NO_VERSION, alias, seen))
        if target is None:
            raise BadInputError(
                f"nothing to roll back to: no other version was the {alias} of {model} before"
            )
        return self._mover.move(identity, Move(model, target, alias, seen, note=note), ChangeKind.ROLLED_BACK)

    def _judged(self, move: Move) -> GateReport:
        return self._report(move.model, move.version, move.set_digest)

    def _report(self, model: str, version: int, set_digest: str | None) -> GateReport:
        candidate = self._mover.version(model, version)
        evidence = self._evidence.measured(candidate, self._mover.champion(model), set_digest)
        return judge(replace(evidence, n_shadow=self._n_shadow(candidate)), self._rule)
