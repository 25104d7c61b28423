"""The page of versions in this session: the filter, the version and its aspect in the address."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from app.shared.state import put_model_into_address
from core.domain.serving import CHAMPION
from core.services.lifecycle.versions import VersionSummary

FIND, ALIAS, ASPECT, SET = (f"versions.{name}" for name in ("find", "alias", "aspect", "set"))
AT, INSPECTION = (f"versions.{name}" for name in ("at", "inspection"))
NO_ALIAS = "none"
OVERVIEW, CARD, POD, GATE, SERVED = "overview", "card", "pod", "gate", "served"
ASPECTS = {
    OVERVIEW: "Overview",
    CARD: "Card",
    POD: "Detection by size",
    GATE: "Gate",
    SERVED: "What served when",
}
_VERSION, _VIEW = "version", "view"


@dataclass
class VersionsState:
    """The page of versions in this session.

    Attributes:
        said: what the last action did.
        n_notes: counts up to empty the note after it was used.
    """

    said: str = ""
    n_notes: int = 0


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
