"""The page of acceptance rules in this session: the chosen table, its aspect, drafts."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import streamlit as st

from core.services.inspections.rule_editing import RuleSetVersion, draft_of

TABLE, EDIT, VERSIONS = "table", "edit", "versions"
CHOICE, ASPECT, NEW_ID = "rules.choice", "rules.aspect", "rules.new_id"
_CHOSEN, _ASPECT = "table", "view"


@dataclass
class Draft:
    """A change that is not saved yet.

    Attributes:
        text: of the whole table.
        based_on: number of the newest version when the change began, 0 for a new table.
        is_new: it becomes a table of its own.
    """

    text: str
    based_on: int
    is_new: bool = False


@dataclass
class RulesState:
    """The page of acceptance rules in this session.

    Attributes:
        drafts: by id of the table.
        said: what the last action did.
        refused: why the last save was refused.
        n_texts: counts up to put another text into the editor.
    """

    drafts: dict[str, Draft] = field(default_factory=dict)
    said: str = ""
    refused: str = ""
    n_texts: int = 0


def rules_state() -> RulesState:
    """The state of the page in this session."""
    state: RulesState = st.session_state.setdefault("rules", RulesState())
    return state


def ids_of(tables: Sequence[RuleSetVersion]) -> list[str]:
    """Every table by id, those that are not saved yet last."""
    return [one.rule_set.rule_set_id for one in tables] + [
        rule_set_id for rule_set_id, draft in rules_state().drafts.items() if draft.is_new
    ]


def chosen_id(tables: Sequence[RuleSetVersion]) -> str:
    """The table in the address, else the first, selected in the list; only before that is drawn."""
    asked, ids = st.query_params.get(_CHOSEN, ""), ids_of(tables)
    st.session_state[CHOICE] = asked if asked in ids else ids[0]
    return str(st.session_state[CHOICE])


def is_new(rule_set_id: str) -> bool:
    """True for a table that is not saved yet."""
    draft = rules_state().drafts.get(rule_set_id)
    return draft is not None and draft.is_new


def choose() -> None:
    """Put the chosen table into the address; only from a callback."""
    go_to(st.session_state[CHOICE])


def aspect(offered: Collection[str]) -> str:
    """The aspect in the address, TABLE where it is none of those that are offered."""
    asked = st.query_params.get(_ASPECT, TABLE)
    st.session_state[ASPECT] = asked if asked in offered else TABLE
    return str(st.session_state[ASPECT])


def choose_aspect() -> None:
    """Put the aspect into the address; only from a callback."""
    go_to(st.query_params.get(_CHOSEN, ""), st.session_state[ASPECT] or TABLE)


def draft_for(rule_set_id: str, versions: tuple[RuleSetVersion, ...]) -> Draft:
    """The change that was begun, or one that changes nothing yet but the version."""
    begun = rules_state().drafts.get(rule_set_id)
    return begun or Draft(draft_of(versions[0], versions), versions[0].number)


def prepare_text(rule_set_id: str, draft: Draft) -> str:
    """Widget key of the editor, which begins with the text of the draft."""
    key = _text_key(rule_set_id)
    st.session_state.setdefault(key, draft.text)
    return key


def keep_draft(rule_set_id: str, based_on: int) -> None:
    """Keep the text in the editor; only from a callback."""
    typed_draft(rule_set_id, based_on)
    state = rules_state()
    state.said = state.refused = ""


def typed_draft(rule_set_id: str, based_on: int) -> str:
    """The text in the editor, kept as the draft."""
    text = str(st.session_state[_text_key(rule_set_id)])
    rules_state().drafts[rule_set_id] = Draft(text, based_on, is_new(rule_set_id))
    return text


def typed_id() -> str:
    """The id for a new table, without blanks."""
    return "".join(str(st.session_state.get(NEW_ID) or "").split()).replace("\\", "")


def begin_from(rule_set_id: str, version: RuleSetVersion, versions: tuple[RuleSetVersion, ...]) -> None:
    """Begin a change with the text of this version; only from a callback."""
    put(rule_set_id, Draft(draft_of(version, versions), versions[0].number))
    go_to(rule_set_id, EDIT)


def base_on(rule_set_id: str, number: int) -> None:
    """Base the change on the version that somebody else saved meanwhile; only from a callback."""
    rules_state().drafts[rule_set_id].based_on = number
    rules_state().refused = ""


def discard(rule_set_id: str) -> None:
    """Forget the change; only from a callback."""
    state = rules_state()
    state.drafts.pop(rule_set_id, None)
    state.refused, state.n_texts = "", state.n_texts + 1


def put(rule_set_id: str, draft: Draft) -> None:
    """Put a draft into the editor; only from a callback."""
    state = rules_state()
    state.drafts[rule_set_id] = draft
    state.n_texts += 1


def go_to(rule_set_id: str, aspect: str | None = None) -> None:
    """Put this into the address; what was said about another table is gone."""
    address = {_CHOSEN: rule_set_id, _ASPECT: aspect if aspect not in (None, TABLE) else ""}
    st.query_params.from_dict({name: value for name, value in address.items() if value})
    state = rules_state()
    state.said = state.refused = ""


def _text_key(rule_set_id: str) -> str:
    """Widget key of the editor."""
    return f"rules.text.{rule_set_id}.{rules_state().n_texts}"
