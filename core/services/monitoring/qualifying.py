"""Qualification records of model versions: made, withdrawn, and asked before a verdict is believed."""

from collections.abc import Callable, Sequence
from datetime import datetime

from core.domain.accounts import COMMAND_LINE, Identity
from core.domain.errors import BadInputError, FieldFaultsError
from core.domain.model_version import ModelVersion
from core.domain.permissions import Action, require
from core.domain.ports import Registry
from core.domain.qualification import NOT_QUALIFIED, Qualification, QualificationScope, qualified_words
from core.domain.reading import Setup, equipment_of
from core.domain.records import new_id
from core.store.recent import Recent
from core.store.unit_of_work import Store

_LONGEST_NOTE = 500


class QualificationService:
    """Records for what versions are qualified.

    Args:
        store: the real one.
        registry: knows the versions.
        make_id: gives ids.
    """

    def __init__(self, store: Store, registry: Registry, *, make_id: Callable[[], str] = new_id) -> None:
        self._store = store
        self._registry = registry
        self._make_id = make_id
        self._known = Recent(self._known_of)

    def _known_of(self, version: tuple[str, str]) -> Sequence[Qualification]:
        with self._store.read() as work:
            return work.qualifications.of(*version)

    def qualify(
        self, identity: Identity, model: str, version: int, scope: QualificationScope
    ) -> Qualification:
        """The record, which holds from now on.

        Raises:
            NotAllowedError: the role may not.
            FieldFaultsError: it expires before today, or rests on a set that does not exist.
            BadInputError: whoever made the version would qualify it.
            ModelNotFoundError: there is no such version.
        """
        require(identity, Action.MODELS_QUALIFY)
        resolved, _ = self._registry.resolve(model, version=version)
        author = next(
            (one.about.author for one in self._registry.entries(model) if one.number == version), ""
        )
        if author and author == identity.account_id:
            raise BadInputError("whoever had a version made does not qualify it: ask somebody else")
        with self._store.write() as work:
            faults = {}
            if scope.evaluation_set not in {one.name for one in work.evaluations.sets(model)}:
                faults["evaluation_set"] = f"there is no evaluation set {scope.evaluation_set!r} of {model}"
            if scope.expires_on < work.now.date():
                faults["expires_on"] = f"it would have expired on {scope.expires_on}: choose a later day"
            if faults:
                raise FieldFaultsError(faults)
            record = Qualification(
                qualification_id=self._make_id(),
                model_name=resolved.name,
                model_version=resolved.version,
                model_sha256=resolved.sha256,
                calibration_id=resolved.calibration.calibration_id,
                scope=scope,
                qualified_by=identity.account_id,
                qualified_at=work.now,
            )
            work.qualifications.add(record)
            work.audit.record(
                identity,
                action="model.qualified",
                object_type="qualification",
                object_id=record.qualification_id,
                details={
                    "model": f"{model} v{version}",
                    "procedure": scope.procedure,
                    "evaluation_set": scope.evaluation_set,
                    "equipment": list(scope.equipment),
                    "materials": list(scope.materials),
                    "expires_on": scope.expires_on.isoformat(),
                },
            )
        self._known.forget()
        return record

    def unnamed_equipment(self, identity: Identity, scope: QualificationScope) -> tuple[str, ...]:
        """Equipment of the scope that no image observed so far names: perhaps it is written otherwise there.

        Raises:
            NotAllowedError: the role may not look at versions.
        """
        require(identity, Action.MODELS_READ)
        if not scope.equipment:
            return ()
        with self._store.read() as work:
            named = {one.casefold() for one in work.observations.equipment()}
        return tuple(one for one in scope.equipment if one.casefold() not in named)

    def withdraw(self, identity: Identity, qualification_id: str, *, note: str) -> Qualification:
        """The record, which holds no more.

        Raises:
            NotAllowedError: the role may not.
            BadInputError: there is no note.
            UnknownRecordError: there is none that holds.
        """
        require(identity, Action.MODELS_QUALIFY)
        if not note.strip() or len(note) > _LONGEST_NOTE:
            raise BadInputError(f"say why it is withdrawn, in 1 to {_LONGEST_NOTE} characters")
        with self._store.write() as work:
            record = work.qualifications.withdraw(
                qualification_id, by=identity.account_id, at=work.now, note=note.strip()
            )
            work.audit.record(
                identity,
                action="model.qualification_withdrawn",
                object_type="qualification",
                object_id=qualification_id,
                details={"model": f"{record.model_name} v{record.model_version}", "note": note.strip()},
            )
        self._known.forget()
        return record

    def records(self, identity: Identity, version: ModelVersion) -> Sequence[tuple[Qualification, str]]:
        """Every record of the version with this calibration and the name of who made it, newest first.

        Raises:
            NotAllowedError: the role may not look at versions.
        """
        require(identity, Action.MODELS_READ)
        with self._store.read() as work:
            found = work.qualifications.of(version.sha256, version.calibration.calibration_id)
            names = {one.qualified_by: work.users.find(one.qualified_by or "") for one in found}
        told = {key: COMMAND_LINE.name if user is None else user.shown_name for key, user in names.items()}
        return [(one, told[one.qualified_by]) for one in found]

    def words(
        self, model_sha256: str, calibration_id: str, setup: Setup | None, at: datetime | None = None
    ) -> str:
        """Whether the version is qualified for what is inspected; empty where no record was ever made.

        Args:
            model_sha256: of the version.
            calibration_id: likewise.
            setup: what is inspected; None asks for any equipment and material.
            at: moment of the inspection; None takes now.
        """
        moment, known = at or self._store.now(), self._known.get((model_sha256, calibration_id))
        if not known:
            return ""
        if setup is None:
            held = [one for one in known if not _ended(one, moment)]
            if held:
                widest = next((one.scope for one in held if not one.scope.limits), held[0].scope)
                return f"qualified{widest.limits}: {widest.procedure}, until {widest.expires_on}"
            setup = Setup()
        procedure, objection = qualified_words(
            known, equipment=equipment_of(setup), material=setup.material, at=moment
        )
        return f"qualified: {procedure}" if procedure else f"{NOT_QUALIFIED}: {objection}"


def _ended(one: Qualification, at: datetime) -> bool:
    return one.withdrawn_at is not None or at.date() > one.scope.expires_on or one.qualified_at > at
