"""Actions on versions: promote, ask, consent, refuse, roll back. Only from callbacks."""

from dataclasses import replace

from app.models.versions.state import (
    choose,
    drift_note_key,
    is_ticked,
    keep_faults,
    reference_key,
    typed_at,
    typed_note,
    typed_qualification,
    versions_state,
    was_qualified,
    withdraw_key,
)
from app.shared.access import acting, current_identity
from app.shared.moments import done_words
from app.shared.resources import resources
from core.domain.errors import FieldFaultsError, WorkbenchError
from core.domain.model_version import ModelVersion
from core.domain.serving import CHAMPION, ServingChange
from core.services.lifecycle.alias_moves import Move


@acting
def promote(move: Move) -> None:
    """Promote the version, when the gate is still green."""
    _changed(resources().services.promoting.promote(current_identity(), _with_note(move)))


@acting
def ask(move: Move) -> None:
    """Ask for a second person's consent; a missing note is told below its field."""
    try:
        request = resources().services.overriding.ask(current_identity(), _with_note(move))
    except FieldFaultsError as error:
        keep_faults({f"{name}.{move.version}": why for name, why in error.faults.items()})
        return
    keep_faults({})
    wanted = f"v{request.version} as {request.alias}"
    _said(f"a second person is asked to consent to {wanted}; nothing changed yet")


@acting
def consent(request_id: str) -> None:
    """Consent to somebody else's request."""
    _changed(resources().services.overriding.consent(current_identity(), request_id))


@acting
def refuse(request_id: str) -> None:
    """Decline somebody's request, or withdraw one's own."""
    identity = current_identity()
    request = resources().services.overriding.refuse(identity, request_id)
    what = "withdrawn" if request.requested_by == identity.user_id else "declined"
    _said(f"the request for v{request.version} as {request.alias} was {what}; nothing changed")


@acting
def roll_back(model: str, alias: str, seen: int | None) -> None:
    """Go back to what served before."""
    _changed(resources().services.promoting.roll_back(current_identity(), model, alias=alias, seen=seen))


@acting
def acknowledge(alarm_id: str) -> None:
    """Acknowledge a drift alarm."""
    alarm = resources().services.drift.acknowledge(
        current_identity(),
        alarm_id,
        note=typed_at(drift_note_key(alarm_id)),
        is_new_reference=is_ticked(reference_key(alarm_id)),
    )
    _said(f"the drift alarm of {alarm.model_name} v{alarm.model_version} is acknowledged: it voids no more")


@acting
def qualify(version: ModelVersion) -> None:
    """Record a qualification; what is refused stands beside its field, and what was typed stays."""
    try:
        record = resources().services.qualifying.qualify(
            current_identity(), version.name, version.version, typed_qualification()
        )
    except FieldFaultsError as error:
        keep_faults(error.faults)
        return
    except WorkbenchError as error:
        keep_faults(f"{error}.")
        return
    was_qualified()
    unnamed = resources().services.qualifying.unnamed_equipment(current_identity(), record.scope)
    warning = (
        f". No image so far names the equipment {', '.join(unnamed)}: check how the setup writes it"
        if unnamed
        else ""
    )
    until = record.scope.expires_on
    _said(f"{version.name} v{version.version} is recorded as qualified until {until}{warning}")


@acting
def withdraw(qualification_id: str) -> None:
    """Withdraw a qualification."""
    note = typed_at(withdraw_key(qualification_id))
    record = resources().services.qualifying.withdraw(current_identity(), qualification_id, note=note)
    _said(f"the qualification of {record.model_name} v{record.model_version} is withdrawn")


def _with_note(move: Move) -> Move:
    return replace(move, note=typed_note())


def _changed(change: ServingChange) -> None:
    what = f"{change.model_name} v{change.version} is {change.alias} now: {change.kind.label}"
    _said(f"{what}. The next upload is read by it" if change.alias == CHAMPION else what)
    choose(change.version)


def _said(what: str) -> None:
    """Remember what to say about the action, and take the note away."""
    state = versions_state()
    state.said = done_words(what)
    state.n_notes += 1
