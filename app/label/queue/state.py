"""The queue of corrections in this session: its filter, the pages that were turned, the open item."""

from dataclasses import dataclass, field

import streamlit as st

from app.shared.lists.state import FilterWidgets, TurnedPages
from app.shared.resources import MODELS
from app.shared.state import reported
from core.domain.accounts import Identity
from core.domain.correction import Reason
from core.domain.kinds import MODEL_NAMES
from core.store.queue import QueueFilter, QueueItem, QueueState

TABLE, CHOSEN = "queue.table", "item"
STATE, REASON, MODEL, MINE, TEXT = (f"queue.{name}" for name in ("state", "reason", "model", "mine", "text"))
WHO, WHY = "queue.who", "queue.why"
_FILTER = FilterWidgets(texts={TEXT: "q"}, choices={STATE: "state", REASON: "reason", MODEL: "model"})


@dataclass
class CorrectionsState:
    """The page in this session.

    Attributes:
        pages: turned by priority and id of the item that they begin after.
    """

    pages: TurnedPages[QueueFilter, tuple[float, str]] = field(
        default_factory=lambda: TurnedPages(QueueFilter())
    )


def corrections_state() -> CorrectionsState:
    """The state of the page in this session."""
    state: CorrectionsState = st.session_state.setdefault("queue", CorrectionsState())
    return state


def prepare_filter() -> None:
    """Give the widgets their first values from the address, else ask for open items."""
    offers = {STATE: [*QueueState], REASON: [*Reason], MODEL: MODEL_NAMES}
    _FILTER.prepare(offers, {STATE: QueueState.OPEN.value})
    st.session_state.setdefault(MINE, False)


def chosen_filter(identity: Identity) -> QueueFilter:
    """The filter in the widgets."""
    asked = _FILTER.chosen(CHOSEN)
    wanted = QueueFilter(
        state=QueueState(asked[STATE]) if asked[STATE] else None,
        reason=Reason(asked[REASON]) if asked[REASON] else None,
        model_name=asked[MODEL],
        assigned_to=identity.user_id if st.session_state.get(MINE) else None,
        text=str(asked[TEXT] or "").strip(),
    )
    corrections_state().pages.want(wanted)
    return wanted


def chosen_item() -> str | None:
    """The id of the item in the address."""
    return st.query_params.get(CHOSEN)


def open_chosen() -> None:
    """Open the row that the visitor chose; only from a callback."""
    if key := reported(TABLE, "open"):
        st.query_params[CHOSEN] = str(key)
        st.session_state.pop(WHO, None)


def close() -> None:
    """Show the list alone again; only from a callback."""
    st.query_params.pop(CHOSEN, None)


def chosen_model() -> str:
    """The model of the filter, else the first one."""
    return str(st.session_state.get(MODEL) or MODELS[0])


def prepare_assignee(item: QueueItem, workers: dict[str, str]) -> None:
    """Select the person the item is meant for."""
    st.session_state.setdefault(WHO, item.assigned_to if item.assigned_to in workers else None)


def chosen_assignee() -> str | None:
    """The person the item is meant for from now on, None for anybody."""
    assignee: str | None = st.session_state.get(WHO)
    return assignee


def typed_reason() -> str:
    """The reason to skip the item."""
    return str(st.session_state.get(WHY) or "")


def forget_reason() -> None:
    """Empty the reason to skip; only from a callback."""
    st.session_state[WHY] = ""
