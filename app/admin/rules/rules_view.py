"""What the page of acceptance rules remembers and does: the chosen table, drafts, saving."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import streamlit as st

from app.shared.access import acting, current_identity
from app.shared.resources import resources
from core.domain.errors import RuleSetError, WorkbenchError
from core.services.inspections.rule_editing import RuleSetEditingService, RuleSetVersion, draft_of
from core.standards.reading import read_rule_set
from core.standards.rule_set import RuleSet

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
    if "rules" not in st.session_state:
        st.session_state["rules"] = RulesState()
    state: RulesState = st.session_state["rules"]
    return state


def ids_of(tables: Sequence[RuleSetVersion]) -> list[str]:
    """Every table by id, those that are not saved yet last."""
    return [one.rule_set.rule_set_id for one in tables] + [
        rule_set_id for rule_set_id, draft in rules_state().drafts.items() if draft.is_new
    ]


def chosen_id(tables: Sequence[RuleSetVersion]) -> str:
    """The table in the address, else the first."""
    asked, ids = st.query_params.get(_CHOSEN, ""), ids_of(tables)
    return asked if asked in ids else ids[0]


def is_new(rule_set_id: str) -> bool:
    """True for a table that is not saved yet."""
    draft = rules_state().drafts.get(rule_set_id)
    return draft is not None and draft.is_new


def choose() -> None:
    """Put the chosen table into the address; only from a callback."""
    _go_to(st.session_state[CHOICE])


def aspect() -> str:
    """What is asked for of the table: TABLE, EDIT or VERSIONS."""
    return st.query_params.get(_ASPECT, TABLE)


def choose_aspect() -> None:
    """Put the aspect into the address; only from a callback."""
    _go_to(st.query_params.get(_CHOSEN, ""), st.session_state[ASPECT] or TABLE)


def draft_for(rule_set_id: str, versions: tuple[RuleSetVersion, ...]) -> Draft:
    """The change that was begun, or one that changes nothing yet but the version."""
    begun = rules_state().drafts.get(rule_set_id)
    return begun or Draft(draft_of(versions[0], versions), versions[0].number)


def checked(text: str) -> tuple[RuleSet | None, str]:
    """The table in the text, or why there is none."""
    try:
        return read_rule_set(text, "the table"), ""
    except RuleSetError as error:
        return None, str(error).removeprefix("the table: ")


def text_key(rule_set_id: str) -> str:
    """The widget that holds the text."""
    return f"rules.text.{rule_set_id}.{rules_state().n_texts}"


def keep_draft(rule_set_id: str, based_on: int) -> None:
    """Keep what was typed; only from a callback."""
    state, text = rules_state(), st.session_state[text_key(rule_set_id)]
    begun = state.drafts.get(rule_set_id)
    state.drafts[rule_set_id] = Draft(text, based_on, begun is not None and begun.is_new)
    state.said = state.refused = ""


def begin_from(rule_set_id: str, version: RuleSetVersion, versions: tuple[RuleSetVersion, ...]) -> None:
    """Begin a change with the text of this version; only from a callback."""
    _put(rule_set_id, Draft(draft_of(version, versions), versions[0].number))
    _go_to(rule_set_id, EDIT)


def base_on(rule_set_id: str, number: int) -> None:
    """The change was compared with what was saved meanwhile; only from a callback."""
    rules_state().drafts[rule_set_id].based_on = number
    rules_state().refused = ""


def discard(rule_set_id: str) -> None:
    """Forget the change; only from a callback."""
    state = rules_state()
    state.drafts.pop(rule_set_id, None)
    state.refused, state.n_texts = "", state.n_texts + 1


@acting
def copy_as_new(version: RuleSetVersion) -> None:
    """Begin a table of one's own with the text of this one."""
    rule_set_id = "".join(str(st.session_state.get(NEW_ID) or "").split()).replace("\\", "")
    known = {one.rule_set.rule_set_id for one in _service().tables(current_identity())}
    if not rule_set_id or rule_set_id in known:
        rules_state().said = f"there is a table {rule_set_id} already" if rule_set_id else "say an id first"
        return
    text = version.rule_set.text
    for name, value in (("id", rule_set_id), ("version", '"1"'), ("title", f"{rule_set_id} (copy)")):
        text = re.sub(rf"(?m)^{name}:.*$", f"{name}: {value}", text, count=1)
    _put(rule_set_id, Draft(text, 0, is_new=True))
    _go_to(rule_set_id, EDIT)


@acting
def save(rule_set_id: str, based_on: int) -> None:
    """Save what the editor holds as the next version; what is refused is told beside the editor."""
    state, text = rules_state(), str(st.session_state[text_key(rule_set_id)])
    begun = state.drafts.get(rule_set_id)
    state.drafts[rule_set_id] = Draft(text, based_on, begun is not None and begun.is_new)
    try:
        saved = _service().save(current_identity(), rule_set_id, text, expected_version=based_on)
    except WorkbenchError as error:
        state.refused, state.said = str(error).removeprefix("the table: "), ""
        return
    discard(rule_set_id)
    _go_to(rule_set_id)
    state.said = (
        f"saved {datetime.now(UTC):%H:%M:%S} UTC as version {saved.number}; verdicts use it from now on"
    )


def _service() -> RuleSetEditingService:
    return resources().services.workspace.rules


def _put(rule_set_id: str, draft: Draft) -> None:
    state = rules_state()
    state.drafts[rule_set_id] = draft
    state.n_texts += 1


def _go_to(rule_set_id: str, aspect: str | None = None) -> None:
    """Put this into the address; what was said about another table is gone."""
    address = {_CHOSEN: rule_set_id, _ASPECT: aspect if aspect not in (None, TABLE) else ""}
    st.query_params.from_dict({name: value for name, value in address.items() if value})
    state = rules_state()
    state.said = state.refused = ""
