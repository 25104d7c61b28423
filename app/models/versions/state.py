"""The page of versions in this session: the filter, the version and its aspect in the address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import streamlit as st

from app.models.versions.in_use_rows import typed_list
from app.shared.state import put_model_into_address
from core.domain.errors import FieldFaultsError
from core.domain.model_version import ModelVersion
from core.domain.qualification import QualificationScope
from core.domain.serving import CHAMPION
from core.services.lifecycle.versions import VersionSummary

FIND, ALIAS, ASPECT, SET = (f"versions.{name}" for name in ("find", "alias", "aspect", "set"))
AT, INSPECTION = (f"versions.{name}" for name in ("at", "inspection"))
#: Fields of the form of a qualification, as `QualificationScope` names them.
PROCEDURE, QUALIFIED_ON, DETECTION, EQUIPMENT, MATERIALS, EXPIRES = (
    "procedure",
    "evaluation_set",
    "detection",
    "equipment",
    "materials",
    "expires_on",
)
_NO_FIELD = ""
NO_ALIAS = "none"
OVERVIEW, CARD, POD, GATE = "overview", "card", "pod", "gate"
IN_USE, SERVED = "in_use", "served"
ASPECTS = {
    OVERVIEW: "Overview",
    CARD: "Card",
    POD: "Detection by size",
    GATE: "Gate",
    IN_USE: "In use",
    SERVED: "What served when",
}
_VERSION, _VIEW = "version", "view"


@dataclass
class VersionsState:
    """The page of versions in this session.

    Attributes:
        said: what the last action did.
        n_notes: counts up to empty the note after it was used.
        n_qualified: counts up to empty and close the form of a qualification after it was recorded.
        refused: why the form was refused, by field; under no name what concerns no field.
    """

    said: str = ""
    n_notes: int = 0
    n_qualified: int = 0
    refused: dict[str, str] = field(default_factory=dict)


def versions_state() -> VersionsState:
    """The state of the page in this session."""
    state: VersionsState = st.session_state.setdefault("versions", VersionsState())
    return state


def choose_model() -> None:
    """Put the chosen model into the address, and no version; only from a callback."""
    versions_state().said = ""
    choose(None)


def found(versions: Sequence[VersionSummary]) -> list[VersionSummary]:
    """The versions that the filter asks for."""
    words = str(st.session_state.get(FIND) or "").lower().split()
    alias = st.session_state.get(ALIAS)
    return [
        one
        for one in versions
        if (alias is None or (not one.aliases if alias == NO_ALIAS else alias in one.aliases))
        and all(word in _searched(one) for word in words)
    ]


def chosen(versions: Sequence[VersionSummary]) -> VersionSummary | None:
    """The version in the address, else the champion, else the newest; None when there is none."""
    asked = st.query_params.get(_VERSION, "")
    named = next((one for one in versions if str(one.number) == asked), None)
    champion = next((one for one in versions if CHAMPION in one.aliases), None)
    return named or champion or (versions[0] if versions else None)


def choose_row(number: int | None) -> None:
    """Put the version of the selected row into the address; only from a callback."""
    versions_state().said = ""
    versions_state().refused = {}
    choose(number)


def choose(number: int | None) -> None:
    """Put this version into the address, None takes it out; only from a callback."""
    kept = {_VIEW: st.query_params[_VIEW]} if _VIEW in st.query_params else {}
    put_model_into_address(**kept, **({} if number is None else {_VERSION: str(number)}))


def prepare_aspect() -> str:
    """The aspect of the version in the address, a key of `ASPECTS`; selected where it is chosen."""
    asked = st.query_params.get(_VIEW, OVERVIEW)
    st.session_state[ASPECT] = asked if asked in ASPECTS else OVERVIEW
    return str(st.session_state[ASPECT])


def choose_aspect() -> None:
    """Put the aspect into the address; only from a callback."""
    st.query_params[_VIEW] = st.session_state[ASPECT] or OVERVIEW


def note_key() -> str:
    """Widget key of the note."""
    return f"versions.note.{versions_state().n_notes}"


def drift_note_key(alarm_id: str) -> str:
    """Widget key of the note on a drift alarm."""
    return f"versions.drift_note.{alarm_id}"


def reference_key(alarm_id: str) -> str:
    """Widget key of whether the images since a change become the reference."""
    return f"versions.reference.{alarm_id}"


def withdraw_key(qualification_id: str) -> str:
    """Widget key of why a qualification is withdrawn."""
    return f"versions.withdraw_note.{qualification_id}"


def typed_at(key: str) -> str:
    """The text in the widget with this key."""
    return str(st.session_state.get(key) or "")


def is_ticked(key: str) -> bool:
    """True when the widget with this key is ticked."""
    return bool(st.session_state.get(key))


def field_key(name: str) -> str:
    """Widget key of a field of the form of a qualification; each recorded one begins a new form."""
    return f"versions.qualify.{versions_state().n_qualified}.{name}"


def form_key(version: ModelVersion) -> str:
    """Widget key of the whole form, which stays open or folded as it was left."""
    return f"versions.qualify_form.{version.sha256[:12]}.{versions_state().n_qualified}"


def prepare_detection(measured: str) -> None:
    """Offer what was measured by size where nothing was typed yet; before the field is drawn."""
    st.session_state.setdefault(field_key(DETECTION), measured)


def refused(name: str = _NO_FIELD) -> str:
    """Why the field of this name was refused, of the whole form without one; empty where it was not."""
    return versions_state().refused.get(name, "")


def keep_faults(faults: Mapping[str, str] | str) -> None:
    """Remember why the form was refused, by field or as a whole; only from a callback."""
    versions_state().refused = {_NO_FIELD: faults} if isinstance(faults, str) else dict(faults)


def was_qualified() -> None:
    """Begin an empty form; only from a callback."""
    versions_state().n_qualified += 1
    versions_state().refused = {}


def typed_qualification() -> QualificationScope:
    """What the form says.

    Raises:
        FieldFaultsError: something is missing.
    """
    expires = st.session_state.get(field_key(EXPIRES))
    missing = {} if expires else {EXPIRES: "a qualification names the last day on which it holds"}
    try:
        scope = QualificationScope(
            procedure=typed_at(field_key(PROCEDURE)).strip(),
            evaluation_set=typed_at(field_key(QUALIFIED_ON)).strip(),
            expires_on=expires or date.max,
            detection=typed_at(field_key(DETECTION)).strip(),
            equipment=typed_list(typed_at(field_key(EQUIPMENT))),
            materials=typed_list(typed_at(field_key(MATERIALS))),
        )
    except FieldFaultsError as error:
        raise FieldFaultsError({**error.faults, **missing}) from error
    if missing:
        raise FieldFaultsError(missing)
    return scope


def typed_note() -> str:
    """The note that was typed."""
    return str(st.session_state.get(note_key()) or "")


def _searched(one: VersionSummary) -> str:
    """The text that words are looked for in, small letters."""
    card = one.card
    texts = (f"v{one.number}", *one.aliases, one.author, one.run_id, one.manifest_sha256, one.problem)
    sha256 = "" if one.version is None else one.version.sha256
    keys = ("description", "data_notice", "date", "recipe", "lineage")
    return " ".join((*texts, sha256, *(str(card.get(key) or "") for key in keys))).lower()
