"""Registered models: versions, aliases, cards, what served when, and promoting through the gate."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.requests import Request

from app.api.access import PREFIX, Caller
from app.api.answers import problems
from app.api.repeats import RepeatKey, done_once
from app.api.schemas import Moment, Schema
from app.shared.resources import resources
from core.domain.accounts import Identity
from core.domain.errors import ModelNotFoundError
from core.domain.serving import CHAMPION, NO_VERSION, ServingChange
from core.services.lifecycle.alias_history import NamedChange
from core.services.lifecycle.alias_moves import LONGEST_NOTE, Move
from core.services.lifecycle.versions import VersionSummary

router = APIRouter(prefix=f"{PREFIX}/models", tags=["models"])
Name = Annotated[str, Path(max_length=64, description="Registered name, such as weld or casting.")]
Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="Number of the version, counted from 1.")]
Alias = Literal["champion", "challenger"]
_SEEN = "Number of the version that bears it, as far as the caller knows; null: none. It must still do so."
_SET = Annotated[
    str | None,
    Query(alias="set", max_length=64, description="Digest of the set to judge on; without it the first."),
]


class VersionLine(Schema):
    """A version of a model."""

    model: str = Field(description="Registered name.")
    version: int = Field(description="Number of the version, counted from 1.")
    aliases: list[str] = Field(description="Aliases that it bears now, champion and challenger.")
    sha256: str | None = Field(description="SHA-256 of the weights, 64 hex digits; null where it is damaged.")
    polarity: str | None = Field(description="film or digital, as it was trained; null where it is damaged.")
    calibration_id: str | None = Field(description="Id of its calibration; null where it is damaged.")
    problem: str = Field(description="What is wrong with its files; empty where nothing.")
    author: str = Field(description="Who had it made; empty where nobody is known.")
    registered_at: datetime | None = Field(description="Moment in UTC, ISO 8601; null where it is unknown.")
    in_use_since: dict[str, datetime] = Field(description="By alias: since when it bears it, UTC.")
    n_trained_on: int = Field(description="Number of images in its data manifest.")
    n_bytes: int = Field(description="Size of its files in bytes.")


class VersionCard(VersionLine):
    """A version with its model card."""

    manifest_sha256: str = Field(description="SHA-256 of the list of training images; empty: damaged.")
    run_id: str = Field(description="Run that made it; empty where unknown.")
    card: dict[str, Any] = Field(description="The model card; docs/model-cards.md documents its keys.")


class ModelLine(Schema):
    """A registered model with its versions."""

    model: str = Field(description="Registered name.")
    champion: int | None = Field(description="Number of the version that serves; null where none does.")
    challenger: int | None = Field(description="Number of the version that is to replace it; null: none.")
    versions: list[VersionLine] = Field(description="Every version, the newest first.")


class GateLine(Schema):
    """A check of the gate."""

    name: str = Field(description="What is looked at.")
    state: str = Field(description="passed, refused, not evaluable or noted.")
    measured: str = Field(description="The figure in words, with unit and interval.")
    bound: str = Field(description="The bound in words, with unit.")
    sentence: str = Field(description="The outcome and why.")


class GateAnswer(Schema):
    """The judgement of the gate on a version beside the champion."""

    is_green: bool = Field(description="True where nothing refuses.")
    reasons: list[str] = Field(description="Every reason to refuse.")
    compared_with: str = Field(description="The version that it was compared with, in words.")
    set_name: str = Field(description="Evaluation set that it was judged on; empty where there is none.")
    checks: list[GateLine] = Field(description="Every check.")


class Change(Schema):
    """A change of an alias."""

    model: str = Field(description="Registered name.")
    alias: str = Field(description="champion or challenger.")
    version: int | None = Field(description="Number of the version from then on; null: taken away.")
    previous_version: int | None = Field(description="Number of the version until then; null: none.")
    kind: str = Field(description="setup, trained, promoted, overridden, emergency, rolled back or outside.")
    changed_at: Moment
    changed_by: str = Field(description="Who did it; empty where no account did.")
    consent_by: str = Field(description="Who consented to an override; empty: nobody.")
    note: str = Field(description="Why, as whoever did it wrote.")


class Promotion(Schema):
    """A wish to let an alias point to a version."""

    version: int = Field(ge=1, le=2**31 - 1, description="Number of the version, counted from 1.")
    alias: Alias = Field(CHAMPION, description="Alias to move.")
    seen: int | None = Field(None, ge=1, le=2**31 - 1, description=_SEEN)
    set_digest: str | None = Field(None, max_length=64, description="Digest of the set to judge on.")
    note: str = Field("", max_length=LONGEST_NOTE, description="Why.")


class RollBack(Schema):
    """A wish to go back to what an alias pointed to before."""

    alias: Alias = Field(CHAMPION, description="Alias to move.")
    seen: int | None = Field(
        None,
        ge=1,
        le=2**31 - 1,
        description="Number of the version that bears it as far as the caller knows.",
    )
    note: str = Field("", max_length=LONGEST_NOTE, description="Why.")


@router.get("", summary="Every model with its versions", responses=problems())
def list_models(identity: Caller) -> list[ModelLine]:
    """Every registered model, its aliases and versions. Needs the scope `read` or `promote`."""
    service = resources().services.versions
    return [_model(name, service.all(identity, name)) for name in service.models(identity)]


@router.get("/{name}", summary="One model with its versions", responses=problems(404))
def get_model(name: Name, identity: Caller) -> ModelLine:
    """A registered model, its aliases and versions."""
    return _model(name, resources().services.versions.all(identity, name))


@router.get("/{name}/versions/{version}", summary="One version with its card", responses=problems(404))
def get_version(name: Name, version: Number, identity: Caller) -> VersionCard:
    """A version with its model card."""
    found = version_of(identity, name, version)
    return VersionCard(
        **_line(name, found).model_dump(),
        manifest_sha256=found.manifest_sha256,
        run_id=found.run_id,
        card=plain(found.card),
    )


@router.get("/{name}/versions/{version}/gate", summary="What the gate says", responses=problems(404))
def get_gate(name: Name, version: Number, identity: Caller, set_digest: _SET = None) -> GateAnswer:
    """The gate's judgement on the version beside the champion; changes nothing."""
    report = resources().services.promoting.gate(identity, name, version, set_digest=set_digest)
    checks = [
        GateLine(
            name=one.name,
            state=one.state.value,
            measured=one.measured,
            bound=one.bound,
            sentence=one.sentence,
        )
        for one in report.checks
    ]
    return GateAnswer(
        is_green=report.is_green,
        reasons=list(report.reasons),
        compared_with=report.compared_with,
        set_name=report.evidence.set_name,
        checks=checks,
    )


@router.get("/{name}/history", summary="What served when", responses=problems())
def get_history(name: Name, identity: Caller) -> list[Change]:
    """Every change of every alias of the model, oldest first; empty where it never had one."""
    return [_named(one) for one in resources().services.alias_history.history(identity, name)]


@router.post(
    "/{name}/promote", summary="Promote a version", responses=problems(404, 409), response_model=Change
)
def promote(
    request: Request,
    name: Name,
    wish: Promotion,
    identity: Caller,
    repeat_key: RepeatKey = None,
) -> JSONResponse:
    """Let the alias point to the version, because the gate is green. Needs the scope `promote`.

    409 where the gate refuses, with every reason, and where the alias moved meanwhile: nothing changed then.
    """
    move = Move(name, wish.version, wish.alias, wish.seen, wish.set_digest, wish.note)

    def do() -> tuple[int, Change]:
        return 200, _change(identity, resources().services.promoting.promote(identity, move))

    return done_once(request, identity, repeat_key, wish.model_dump(), do)


@router.post("/{name}/rollback", summary="Roll back", responses=problems(404, 409), response_model=Change)
def roll_back(
    request: Request,
    name: Name,
    wish: RollBack,
    identity: Caller,
    repeat_key: RepeatKey = None,
) -> JSONResponse:
    """Let the alias point to what it pointed to before; no gate is asked. Needs the scope `promote`."""

    def do() -> tuple[int, Change]:
        made = resources().services.promoting.roll_back(
            identity, name, seen=wish.seen, alias=wish.alias, note=wish.note
        )
        return 200, _change(identity, made)

    return done_once(request, identity, repeat_key, wish.model_dump(), do)


def version_of(identity: Identity, name: str, version: int | None, alias: str = CHAMPION) -> VersionSummary:
    """A version by its number, else by an alias.

    Raises:
        ModelNotFoundError: there is none.
    """
    for one in resources().services.versions.all(identity, name):
        if one.number == version if version is not None else alias in one.aliases:
            return one
    raise ModelNotFoundError(f"model {ascii(name[:64])} has no {version if version is not None else alias}")


def plain(content: Any) -> Any:
    """A card as JSON: YAML also knows dates."""
    if isinstance(content, Mapping):
        return {str(key): plain(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [plain(value) for value in content]
    return content.isoformat() if isinstance(content, date | datetime) else content


def _model(name: str, versions: list[VersionSummary]) -> ModelLine:
    bearers = {alias: one.number for one in versions for alias in one.aliases}
    return ModelLine(
        model=name,
        champion=bearers.get("champion"),
        challenger=bearers.get("challenger"),
        versions=[_line(name, one) for one in versions],
    )


def _line(name: str, one: VersionSummary) -> VersionLine:
    version = one.version
    return VersionLine(
        model=name,
        version=one.number,
        aliases=list(one.aliases),
        sha256=version.sha256 if version else None,
        polarity=version.polarity.value if version else None,
        calibration_id=version.calibration.calibration_id if version else None,
        problem=one.problem,
        author=one.author,
        registered_at=one.registered_at,
        in_use_since=dict(one.in_use_since),
        n_trained_on=one.n_trained_on,
        n_bytes=one.n_bytes,
    )


def _named(one: NamedChange) -> Change:
    change = one.change
    return Change(
        model=change.model_name,
        alias=change.alias,
        version=None if change.version == NO_VERSION else change.version,
        previous_version=change.previous_version,
        kind=change.kind.value,
        changed_at=change.changed_at,
        changed_by=one.changed_by,
        consent_by=one.consent_by,
        note=change.note,
    )


def _change(identity: Identity, change: ServingChange) -> Change:
    return _named(NamedChange(change, identity.name, ""))
