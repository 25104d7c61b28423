"""Moving an alias: the row, the audit line and MLflow in one act, or nothing at all."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from core.domain.accounts import Identity
from core.domain.errors import BadInputError, RegistryUnavailableError, StaleVersionError, WorkbenchError
from core.domain.model_version import ModelVersion
from core.domain.ports import Registry
from core.domain.records import new_id
from core.domain.serving import CHALLENGER, CHAMPION, NO_VERSION, ChangeKind, ServingChange
from core.services.lifecycle.alias_history import AliasHistory, keep_change, pointed_to
from core.store.unit_of_work import Store, Work

log = logging.getLogger(__name__)
ALIASES = (CHAMPION, CHALLENGER)
LONGEST_NOTE = 500


@dataclass(frozen=True, slots=True)
class Move:
    """A wanted move of an alias.

    Attributes:
        seen: what the alias pointed to when it was decided, None for nothing. It must still do so.
        set_digest: the evaluation set to judge on; None for the one to judge on first.
    """

    model: str
    version: int
    alias: str = CHAMPION
    seen: int | None = None
    set_digest: str | None = None
    note: str = ""


class AliasMover:
    """Moves aliases behind the lock that whoever looks after MLflow holds too.

    The alias moves in MLflow as the last thing before the transaction is kept: when MLflow does not answer,
    nothing is kept.

    Args:
        store: the real one.
        registry: holds the aliases.
        serving: keeps the history.
        warm_up: loads a version before it may be champion; None where nothing is served.
        take_over: called with the model once its champion moved; None where nothing is served.
    """

    def __init__(
        self,
        store: Store,
        registry: Registry,
        serving: AliasHistory,
        *,
        warm_up: Callable[[ModelVersion], None] | None = None,
        take_over: Callable[[str], object] | None = None,
    ) -> None:
        self._store = store
        self._registry = registry
        self._serving = serving
        self._warm_up = warm_up
        self._take_over = take_over

    def version(self, model: str, version: int) -> ModelVersion:
        """The version of that number.

        Raises:
            ModelNotFoundError: there is none.
        """
        return self._registry.resolve(model, version=version)[0]

    def champion(self, model: str) -> ModelVersion | None:
        """The champion by the registry; None when there is none."""
        try:
            return self._registry.resolve(model)[0]
        except BadInputError:
            return None

    def catch_up(self) -> None:
        """Know what MLflow knows, and keep what came from outside.

        Raises:
            RegistryUnavailableError: MLflow does not answer.
        """
        if not self._registry.refresh():
            raise RegistryUnavailableError(
                "MLflow does not answer, so that nothing was changed; try again later"
            )
        self._serving.observe()

    def move(
        self,
        by: Identity,
        move: Move,
        kind: ChangeKind,
        *,
        gate: Mapping[str, Any] | None = None,
        within: Callable[[Work], Mapping[str, Any]] | None = None,
    ) -> ServingChange:
        """The change that was made.

        Args:
            by: who makes it; what they may do was asked before.
            move: what is wanted.
            kind: of the change.
            gate: the gate's report.
            within: called in the same transaction before anything is kept; gives attributes of the change
                that are not those of `by` and `move`.

        Raises:
            BadInputError: the alias or the note will not do.
            ModelNotFoundError, ModelArtefactError: there is no such version, or it cannot be loaded.
            StaleVersionError: the alias moved since it was looked at.
            RegistryUnavailableError: MLflow does not answer. In all cases nothing was changed.
        """
        require_sound(move)
        self.catch_up()
        version = self.version(move.model, move.version)
        if self._warm_up is not None and move.alias == CHAMPION:
            self._warm_up(version)  # what cannot be loaded cannot serve
        change_id = new_id()
        with self._undone_unless_kept(move, change_id), self._store.write() as work:
            work.serving.hold()
            given = within(work) if within is not None else {}
            require_as_seen(work, move)
            values: dict[str, Any] = {
                "change_id": change_id,
                "model_name": move.model,
                "alias": move.alias,
                "version": move.version,
                "model_sha256": self.version(move.model, move.version).sha256,
                "previous_version": move.seen,
                "kind": kind,
                "changed_at": work.now,
                "gate": gate or {},
                "note": move.note.strip(),
                "changed_by": by.account_id,
            }
            change = keep_change(work, by, ServingChange(**values | dict(given)))
            work.audit.flush()  # what is left can hardly fail
            self._registry.set_alias(move.model, move.alias, move.version)
        if self._take_over is not None and move.alias == CHAMPION:
            self._take_over(move.model)
        return change

    @contextmanager
    def _undone_unless_kept(self, move: Move, change_id: str) -> Iterator[None]:
        """Put the alias back where the transaction inside fails after it had moved, as on a full disk."""
        try:
            yield
        except Exception:
            try:
                with self._store.read() as work:
                    newest = work.serving.newest(move.model).get(move.alias)
                is_kept = newest is not None and newest.change_id == change_id
                is_moved = self._registry.aliases(move.model).get(move.alias) == move.version
                if is_moved and not is_kept and move.seen is not None and pointed_to(newest) == move.seen:
                    self._registry.set_alias(move.model, move.alias, move.seen)
            except WorkbenchError:  # it is kept as a change from outside once both can be reached
                log.exception("the %s of %s may have moved without its record", move.alias, move.model)
            raise

    def challenge(self, by: Identity, model: str, version: int) -> None:
        """Let `challenger` point to a version that was trained, if it does not yet.

        Raises:
            RegistryUnavailableError: MLflow does not answer; nothing was changed.
        """
        self.catch_up()
        with self._store.read() as work:
            seen = pointed_to(work.serving.newest(model).get(CHALLENGER))
        if seen != version:
            self.move(by, Move(model, version, alias=CHALLENGER, seen=seen), ChangeKind.TRAINED)


def require_sound(move: Move) -> None:
    """Return when alias and note will do.

    Raises:
        BadInputError: they will not, or the version bears the alias already.
    """
    if move.alias not in ALIASES:
        raise BadInputError(f"expected the alias {' or '.join(ALIASES)}, got {ascii(move.alias[:64])}")
    if len(move.note) > LONGEST_NOTE or not move.note.replace("\n", " ").isprintable():
        raise BadInputError(f"expected a note of at most {LONGEST_NOTE} printable characters")
    if move.version == move.seen:
        raise BadInputError(f"{move.model} v{move.version} is the {move.alias} already")


def require_as_seen(work: Work, move: Move) -> None:
    """Return when the alias still points to what was seen.

    Raises:
        StaleVersionError: it moved.
    """
    current = pointed_to(work.serving.newest(move.model).get(move.alias))
    if current != move.seen:
        what, seen = f"the {move.alias} of {move.model}", move.seen or NO_VERSION
        raise StaleVersionError(what, yours=seen, stored=current or NO_VERSION)
