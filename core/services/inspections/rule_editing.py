"""Acceptance tables as people keep them: read by everybody with an account, changed by admins, never lost."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy.exc import IntegrityError

from core.domain.accounts import COMMAND_LINE, SYSTEM, Identity
from core.domain.errors import BadInputError, StaleVersionError
from core.domain.permissions import Action, require
from core.standards.reading import read_rule_set
from core.standards.rule_set import RuleSet
from core.standards.shipped import SHIPPED, shipped_rule_set
from core.store.unit_of_work import Store, Work
from core.store.workbench import KeptRuleSet

#: The number of a table that came with the program and that nobody changed.
SHIPPED_VERSION = 0
_LONGEST_TEXT = 200_000
_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_VERSION_LINE = re.compile(r'(?m)^(version:[ \t]*)(["\']?)(\d+)\2[ \t]*$')
#: Reading a table takes some 25 ms; the same text is the same table.
_read, _shipped = lru_cache(maxsize=64)(read_rule_set), lru_cache(maxsize=32)(shipped_rule_set)
_OURS = {identity.user_id: identity.name for identity in (COMMAND_LINE, SYSTEM)}


@dataclass(frozen=True, slots=True, eq=False)
class RuleSetVersion:
    """One version of one table.

    Attributes:
        number: counts from 1 with every save; 0 is the table that is shipped.
        rule_set: what it says.
        saved_by: the name of whoever saved it, None for a shipped table.
        saved_at: UTC, None for a shipped table.
    """

    number: int
    rule_set: RuleSet
    saved_by: str | None = None
    saved_at: datetime | None = None


class RuleSetEditingService:
    """The tables of one workspace and every version of them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def tables(self, identity: Identity) -> tuple[RuleSetVersion, ...]:
        """The newest version of every table: the shipped ones in their order, then others by id.

        Raises:
            NotAllowedError: the role may not read them.
        """
        require(identity, Action.RULES_READ)
        with self._store.read() as work:
            others = [one for one in work.rule_sets.ids() if one not in SHIPPED]
            return tuple(_versions(work, one)[0] for one in (*SHIPPED, *others))

    def history(self, identity: Identity, rule_set_id: str) -> tuple[RuleSetVersion, ...]:
        """Every version of a table, newest first, the shipped one last.

        Raises:
            NotAllowedError: the role may not read them.
            BadInputError: there is no such table.
        """
        require(identity, Action.RULES_READ)
        with self._store.read() as work:
            versions = _versions(work, rule_set_id)
        if not versions:
            raise BadInputError(f"there is no table {rule_set_id!r}")
        return versions

    def save(
        self, identity: Identity, rule_set_id: str, text: str, *, expected_version: int
    ) -> RuleSetVersion:
        """The next version of a table, or the first of a new one; verdicts from now on are made with it.

        Args:
            identity: who saves it.
            rule_set_id: of the table that is changed.
            text: all of the new version, as YAML.
            expected_version: the newest number that the change is based on, 0 for a new table.

        Raises:
            NotAllowedError: the role may not change tables.
            RuleSetError: the text is no table; nothing was saved.
            BadInputError: it is another table's text, the text of the newest version, or bears the version
                of an earlier one; nothing was saved.
            StaleVersionError: somebody saved since; nothing was saved.
        """
        require(identity, Action.RULES_MANAGE)
        if len(text) > _LONGEST_TEXT:
            raise BadInputError(f"expected at most {_LONGEST_TEXT:,} characters, got {len(text):,}")
        rule_set = read_rule_set(text, "the table")
        _require_id(rule_set, rule_set_id)
        with self._store.write() as work:
            before = _versions(work, rule_set_id)
            stored = before[0].number if before else SHIPPED_VERSION
            if stored != expected_version:
                raise StaleVersionError(f"the table {rule_set_id}", yours=expected_version, stored=stored)
            _require_new(rule_set, before)
            kept = KeptRuleSet(
                rule_set_id, stored + 1, rule_set.sha256, rule_set.text, identity.account_id, work.now
            )
            try:
                work.rule_sets.add(kept)
            except IntegrityError as error:  # PostgreSQL lets two writers look at once
                raise StaleVersionError(
                    f"the table {rule_set_id}", yours=expected_version, stored=kept.version
                ) from error
            work.audit.record(
                identity,
                action="rules.saved",
                object_type="rule_set",
                object_id=rule_set_id,
                before=_content(before[0].rule_set) if before else None,
                after=_content(rule_set),
                details={"version": kept.version, "sha256": kept.sha256, "verified": rule_set.is_verified},
            )
        return RuleSetVersion(kept.version, rule_set, identity.name, kept.saved_at)


def draft_of(version: RuleSetVersion, versions: tuple[RuleSetVersion, ...]) -> str:
    """The text to begin a change with: that of `version`, its own version raised above all that were used.

    A version that is no whole number stays as it is, for the editor to replace.
    """
    used = [one.rule_set.version for one in versions]
    newest = max((int(label) for label in used if label.isascii() and label.isdigit()), default=None)
    if newest is None:
        return version.rule_set.text
    return _VERSION_LINE.sub(rf"\g<1>\g<2>{newest + 1}\g<2>", version.rule_set.text, count=1)


def difference(old: RuleSetVersion, new: RuleSetVersion) -> list[str]:
    """Lines of a unified diff from `old` to `new` without its head; empty when they are equal."""
    lines = difflib.unified_diff(
        old.rule_set.text.splitlines(), new.rule_set.text.splitlines(), lineterm="", n=2
    )
    return list(lines)[2:]


def _versions(work: Work, rule_set_id: str) -> tuple[RuleSetVersion, ...]:
    """Newest first; empty when there is no such table."""
    saved = [
        RuleSetVersion(
            kept.version,
            _read(kept.text, f"{rule_set_id} v{kept.version}"),
            _name(work, kept.saved_by),
            kept.saved_at,
        )
        for kept in reversed(work.rule_sets.history(rule_set_id))
    ]
    if rule_set_id in SHIPPED:
        saved.append(RuleSetVersion(SHIPPED_VERSION, _shipped(rule_set_id)))
    return tuple(saved)


def _name(work: Work, user_id: str | None) -> str:
    if user_id is None:
        return COMMAND_LINE.name
    user = work.users.find(user_id)
    return _OURS.get(user_id, user_id) if user is None else user.shown_name


def _require_id(rule_set: RuleSet, rule_set_id: str) -> None:
    if rule_set.rule_set_id != rule_set_id:
        raise BadInputError(
            f"expected the id {rule_set_id!r} to stay, got {rule_set.rule_set_id!r}: another id is "
            "another table"
        )
    if not _ID.fullmatch(rule_set_id):
        raise BadInputError(
            f"id {rule_set_id[:80]!r}: expected 1 to 64 small letters, digits and hyphens, such as my-table"
        )


def _require_new(rule_set: RuleSet, before: tuple[RuleSetVersion, ...]) -> None:
    if before and before[0].rule_set.sha256 == rule_set.sha256:
        raise BadInputError("nothing is changed: this is the text of the newest version")
    if any(one.rule_set.version == rule_set.version for one in before):
        raise BadInputError(
            f"version {rule_set.version!r} was used before: give the text another one, verdicts name it"
        )


def _content(rule_set: RuleSet) -> Mapping[str, str]:
    return {"version": rule_set.version, "sha256": rule_set.sha256}
