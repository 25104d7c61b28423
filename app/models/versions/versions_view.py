"""What the page of versions remembers and shows as data: the filter, the chosen version, the rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import streamlit as st

from app.shared import state as app_state
from app.shared.resources import MODELS, resources
from core.domain.serving import CHALLENGER, CHAMPION
from core.services.lifecycle.versions import VersionSummary

FIND, ALIAS, ASPECT, SET, NOTE = (f"versions.{name}" for name in ("find", "alias", "aspect", "set", "note"))
AT, INSPECTION, TARGET = (f"versions.{name}" for name in ("at", "inspection", "target"))
BORNE = (CHAMPION, CHALLENGER, "none")
OVERVIEW, CARD, GATE, SERVED = "overview", "card", "gate", "served"
ASPECTS = {OVERVIEW: "Overview", CARD: "Card", GATE: "Gate", SERVED: "What served when"}
_VERSION, _VIEW, _MODEL = "version", "view", "model"
_MB = 1_000_000


@dataclass
class VersionsState:
    """The page of versions in this session.

    Attributes:
        said: what the last action did.
        selections: by table, what was selected when it was first drawn; a new default would empty it.
        n_notes: counts up to empty the note after it was used.
    """

    said: str = ""
    selections: dict[str, Any] = field(default_factory=dict)
    n_notes: int = 0


def versions_state() -> VersionsState:
    """The state of the page in this session."""
    if "versions" not in st.session_state:
        st.session_state["versions"] = VersionsState()
    kept: VersionsState = st.session_state["versions"]
    return kept


def model_choices(registered: Sequence[str]) -> list[str]:
    """The registered models that the product knows, in its order."""
    return [name for name in MODELS if name in registered]


def chosen_model() -> str:
    """The model whose versions are on show; it is the one of the header."""
    return app_state.chosen_model()


def choose_model() -> None:
    """Put the chosen model into the address, and no version; only from a callback."""
    versions_state().said = ""
    st.query_params.from_dict({_MODEL: chosen_model(), **_kept(_VIEW)})


def found(versions: Sequence[VersionSummary]) -> list[VersionSummary]:
    """The versions that the filter asks for."""
    words = str(st.session_state.get(FIND) or "").lower().split()
    alias = st.session_state.get(ALIAS)
    return [
        one
        for one in versions
        if (alias is None or (not one.aliases if alias == "none" else alias in one.aliases))
        and all(word in _searched(one) for word in words)
    ]


def chosen(versions: Sequence[VersionSummary]) -> VersionSummary | None:
    """The version in the address, else the champion, else the newest; None when there is none."""
    asked = st.query_params.get(_VERSION, "")
    named = next((one for one in versions if str(one.number) == asked), None)
    champion = next((one for one in versions if CHAMPION in one.aliases), None)
    return named or champion or (versions[0] if versions else None)


def first_selection(table: str, numbers: Sequence[int], one: VersionSummary | None) -> dict[str, Any]:
    """What is selected when the table of these versions is first drawn."""
    rows = [numbers.index(one.number)] if one is not None and one.number in numbers else []
    return versions_state().selections.setdefault(table, {"selection": {"rows": rows}})


def choose_row(table: str, numbers: Sequence[int]) -> None:
    """Put the version of the selected row into the address; only from a callback."""
    rows = st.session_state[table].selection.rows
    versions_state().said = ""
    choose(numbers[rows[0]] if rows else None)


def choose(number: int | None) -> None:
    """Put this version into the address, None takes it out."""
    address = {_MODEL: chosen_model(), **_kept(_VIEW)}
    st.query_params.from_dict(address | ({} if number is None else {_VERSION: str(number)}))


def aspect() -> str:
    """What is asked for of the version: a key of `ASPECTS`."""
    asked = st.query_params.get(_VIEW, OVERVIEW)
    return asked if asked in ASPECTS else OVERVIEW


def choose_aspect() -> None:
    """Put the aspect into the address; only from a callback."""
    st.query_params[_VIEW] = st.session_state[ASPECT] or OVERVIEW


def pointing(versions: Sequence[VersionSummary], alias: str) -> int | None:
    """The version that bears the alias; None when none does."""
    return next((one.number for one in versions if alias in one.aliases), None)


def note_key() -> str:
    """The widget that holds the note."""
    return f"{NOTE}.{versions_state().n_notes}"


def version_rows(versions: Sequence[VersionSummary]) -> list[dict[str, Any]]:
    """One row of the table for each version."""
    return [_row(one) for one in versions]


def registry_words() -> str:
    """What is to be said of MLflow: nothing while it answers."""
    known = resources().services.registry_sync.state()
    if not known.is_away:
        return ""
    return (
        f"MLflow does not answer since {moment(known.away_since)} UTC. The versions are shown as they were "
        f"known at {moment(known.as_of)} UTC, and the champion goes on serving; promoting and rolling back "
        "have to wait."
    )


def refusal_words(model: str) -> str:
    """What is to be said when the champion of the registry does not serve here; nothing when it does."""
    refusal = resources().champions.refused(model)
    if refusal is None:
        return ""
    return (
        f"The champion of the registry does not serve since {moment(refusal.since)} UTC: {refusal.reason}. "
        "What served before goes on serving: roll back, or promote another version."
    )


def moment(at: datetime | None) -> str:
    """Day and minute, UTC."""
    return "never" if at is None else f"{at:%Y-%m-%d %H:%M}"


def figure(card: Mapping[str, Any], name: str) -> float | None:
    """A figure of the card's first evaluation; None where it was not measured."""
    value = next(iter(card.get("evaluation") or ()), {}).get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def megabytes(n_bytes: int) -> float:
    """Bytes as MB of a million bytes each."""
    return n_bytes / _MB


def _row(one: VersionSummary) -> dict[str, Any]:
    card = one.card
    return {
        "Version": one.number,
        "Aliases": ", ".join(one.aliases),
        "In use since": moment(max(one.in_use_since.values())) if one.in_use_since else "",
        "Trained": str(card.get("date") or ""),
        "AP50": figure(card, "ap50"),
        "Recall": figure(card, "recall"),
        "D-ECE": figure(card, "d_ece"),
        "False calls": figure(card, "false_calls_per_image"),
        "Images": one.n_trained_on if one.version is not None else None,
        "MB": megabytes(one.n_bytes),
        "By": one.author,
        "Training data": one.problem or str(card.get("data_notice") or ""),
    }


def _searched(one: VersionSummary) -> str:
    """What a text is looked for in, small letters."""
    card = one.card
    texts = (f"v{one.number}", *one.aliases, one.author, one.run_id, one.manifest_sha256, one.problem)
    sha256 = "" if one.version is None else one.version.sha256
    keys = ("description", "data_notice", "date", "recipe", "lineage")
    return " ".join((*texts, sha256, *(str(card.get(key) or "") for key in keys))).lower()


def _kept(*names: str) -> dict[str, str]:
    return {name: st.query_params[name] for name in names if name in st.query_params}
