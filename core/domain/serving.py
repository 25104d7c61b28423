"""History of aliases: every change, its author, and the target of a roll back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

CHAMPION, CHALLENGER = "champion", "challenger"
#: Stands for "no version" where a number is stored: the alias was taken away.
NO_VERSION = 0


class ChangeKind(StrEnum):
    """Reason of an alias change."""

    SETUP = "setup"  # shipped, imported, or already so when it was first looked at
    TRAINED = "trained"  # a training registered it
    PROMOTED = "promoted"  # through the gate
    OVERRIDDEN = "overridden"  # against the gate, with a second person's consent
    EMERGENCY = "emergency"  # against the gate, by a command on the server
    ROLLED_BACK = "rolled back"
    OUTSIDE = "outside"  # another client of MLflow did it

    @property
    def label(self) -> str:
        """The kind as people read it."""
        return {
            ChangeKind.SETUP: "set up",
            ChangeKind.PROMOTED: "promoted through the gate",
            ChangeKind.OVERRIDDEN: "gate overridden by two people",
            ChangeKind.EMERGENCY: "gate overridden on the server",
            ChangeKind.OUTSIDE: "changed outside of RadiKal",
        }.get(self, self.value)


@dataclass(frozen=True, slots=True)
class ServingChange:
    """From this moment on, `alias` of the model pointed to `version`.

    Attributes:
        version: `NO_VERSION` when the alias was taken away.
        model_sha256: of the weights; empty when the alias was taken away.
        previous_version: what it pointed to until then; None when to nothing.
        gate: the gate's report as JSON; empty where no gate was asked.
        changed_by, consent_by: user ids; None for what no account did.
        changed_at: UTC.
    """

    change_id: str
    model_name: str
    alias: str
    version: int
    model_sha256: str
    previous_version: int | None
    kind: ChangeKind
    changed_at: datetime
    gate: Mapping[str, Any] = field(default_factory=dict, hash=False)
    note: str = ""
    changed_by: str | None = None
    consent_by: str | None = None


class RequestState(StrEnum):
    """State of a request to promote against the gate."""

    OPEN = "open"
    GRANTED = "granted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class PromotionRequest:
    """Somebody wants a version promoted although the gate refused it; a second person has to consent.

    Attributes:
        current_version: what the alias pointed to when it was asked for; None when to nothing.
        gate: the report that refused.
        closed_by: who granted, declined or withdrew it.
        requested_at, closed_at: UTC.
    """

    request_id: str
    model_name: str
    alias: str
    version: int
    model_sha256: str
    current_version: int | None
    gate: Mapping[str, Any] = field(hash=False)
    note: str
    state: RequestState
    requested_by: str
    requested_at: datetime
    closed_by: str | None = None
    closed_at: datetime | None = None


def rollback_target(changes: Iterable[ServingChange]) -> int | None:
    """The version that a roll back of the alias leads to; None when nothing served before.

    A roll back takes back the newest change that was not taken back yet, so that rolling back twice does
    not swing between two versions.

    Args:
        changes: of one alias of one model, oldest first.
    """
    stack: list[int] = []
    for change in changes:
        if change.kind is ChangeKind.ROLLED_BACK and len(stack) > 1:
            stack.pop()
        elif not stack or stack[-1] != change.version:
            stack.append(change.version)
    if len(stack) < 2 or stack[-2] == NO_VERSION:
        return None
    return stack[-2]


@dataclass(frozen=True, slots=True)
class ServedSpan:
    """A time that an alias pointed to one version; `until` None: it still does."""

    alias: str
    version: int
    since: datetime
    until: datetime | None
    kind: ChangeKind


def served_spans(changes: Iterable[ServingChange], alias: str) -> list[ServedSpan]:
    """Every time that the alias pointed to a version, oldest first; those of `NO_VERSION` are left out.

    Args:
        changes: of one model, oldest first.
        alias: the one asked about.
    """
    own = [change for change in changes if change.alias == alias]
    ends = [*(change.changed_at for change in own[1:]), None]
    return [
        ServedSpan(alias, change.version, change.changed_at, until, change.kind)
        for change, until in zip(own, ends, strict=False)
        if change.version != NO_VERSION
    ]


def in_use_since(changes: Sequence[ServingChange], version: int) -> datetime | None:
    """Since when the alias points to `version` without a break, None when it does not.

    Args:
        changes: of one alias of one model, oldest first.
        version: the one asked about.
    """
    since = None
    for change in reversed(changes):
        if change.version != version:
            break
        since = change.changed_at
    return since
