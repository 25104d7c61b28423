"""The history page in this session: its filter, the pages that were turned, the open inspection."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import streamlit as st

from app.shared.lists.state import FilterWidgets, TurnedPages, midnight
from app.shared.state import reported
from core.domain.indication import IndicationClass
from core.domain.records import DISPOSITIONS, Disposition, InspectionState
from core.services.inspections.history import HistoryChoices
from core.store.inspection_history import HistoryFilter

TABLE, CHOSEN = "history.table", "inspection"
TEXT, SINCE, UNTIL, CLASS, DISPOSITION, STATE, MODEL, INSPECTOR = (
    f"history.{name}"
    for name in ("text", "from", "to", "class", "disposition", "state", "model", "inspector")
)
FILTER = FilterWidgets(
    texts={TEXT: "q"},
    days={SINCE: "from", UNTIL: "to"},
    choices={CLASS: "class", DISPOSITION: "disposition", STATE: "state", MODEL: "model_version",
             INSPECTOR: "inspector"},
)  # fmt: skip
UNDECIDED = "undecided"
#: The values of the filter are read again after so long; reading them takes as long as a search.
_CHOICES_KEPT_S = 30.0


@dataclass
class HistoryState:
    """The history page in this session.

    Attributes:
        pages: turned by moment and id of the inspection that they begin after.
        choices: values of the filter, and when they were asked for; monotonic seconds.
        laid: id of the inspection whose radiograph was laid on the worklist just now.
    """

    pages: TurnedPages[HistoryFilter, tuple[datetime, str]] = field(
        default_factory=lambda: TurnedPages(HistoryFilter())
    )
    choices: tuple[HistoryChoices, float] | None = None
    laid: str = ""


def history_state() -> HistoryState:
    """The state of the history page in this session."""
    state: HistoryState = st.session_state.setdefault("history", HistoryState())
    return state


def known_choices(ask: Callable[[], HistoryChoices]) -> HistoryChoices:
    """The values of the filter as they were a few seconds ago, else asked for now."""
    state = history_state()
    if state.choices is None or time.monotonic() - state.choices[1] > _CHOICES_KEPT_S:
        state.choices = (ask(), time.monotonic())
    return state.choices[0]


def prepare_filter(offered: HistoryChoices) -> dict[str, list[str]]:
    """Give the widgets their first values from the address; the values of each choice by widget key."""
    offers = {
        CLASS: [one.value for one in IndicationClass],
        DISPOSITION: [*(one.value for one in DISPOSITIONS), UNDECIDED],
        STATE: [one.value for one in InspectionState],
        MODEL: [f"{name} v{version}" for name, version in offered.models],
        INSPECTOR: list(offered.inspectors),
    }
    FILTER.prepare(offers)
    return offers


def chosen_filter() -> HistoryFilter:
    """The filter in the widgets."""
    asked = FILTER.chosen(CHOSEN)
    name, _, version = str(asked[MODEL] or "").rpartition(" v")
    disposition = asked[DISPOSITION]
    wanted = HistoryFilter(
        text=str(asked[TEXT] or "").strip(),
        since=midnight(asked[SINCE]),
        until=midnight(asked[UNTIL], days=1),
        indication_class=IndicationClass(asked[CLASS]) if asked[CLASS] else None,
        disposition=Disposition(disposition) if disposition and disposition != UNDECIDED else None,
        is_undecided=True if disposition == UNDECIDED else None,
        state=InspectionState(asked[STATE]) if asked[STATE] else None,
        model_name=name or None,
        model_version=int(version) if name else None,
        inspector_id=asked[INSPECTOR],
    )
    history_state().pages.want(wanted)
    return wanted


def chosen_inspection() -> str | None:
    """The id of the inspection in the address."""
    return st.query_params.get(CHOSEN)


def open_chosen() -> None:
    """Open the row that the visitor chose; only from a callback."""
    if key := reported(TABLE, "open"):
        st.query_params[CHOSEN] = str(key)


def close() -> None:
    """Show the list alone again; only from a callback."""
    st.query_params.pop(CHOSEN, None)


def take_laid() -> str:
    """The inspection whose radiograph was laid on the worklist just now, once."""
    state = history_state()
    laid, state.laid = state.laid, ""
    return laid
