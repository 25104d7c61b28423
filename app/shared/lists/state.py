"""State of a page with a list: filter widgets that live in the address, turned pages, selections."""

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl, urlencode

import streamlit as st

Wanted = TypeVar("Wanted")
Place = TypeVar("Place")
Id = TypeVar("Id", bound=Hashable)


@dataclass
class TurnedPages(Generic[Wanted, Place]):
    """The pages of a list that were turned.

    Attributes:
        wanted: the filter that the pages are of.
        places: where each page begins, the first page's None included.
    """

    wanted: Wanted
    places: list[Place | None] = field(default_factory=lambda: [None])

    @property
    def place(self) -> Place | None:
        """Beginning of the page on show."""
        return self.places[-1]

    def want(self, wanted: Wanted) -> None:
        """Filter by this from now on; another filter starts at its first page."""
        if self.wanted != wanted:
            self.wanted, self.places = wanted, [None]

    def turn(self, place: Place | None) -> None:
        """Go on to the page that begins here, or with None back to the page before."""
        if place is not None:
            self.places.append(place)
        elif len(self.places) > 1:
            self.places.pop()

    def range_words(self, n_shown: int, page_rows: int) -> str:
        """The numbers of the records on show, such as `51 to 100`."""
        n_before = (len(self.places) - 1) * page_rows
        return f"{n_before + 1:,} to {n_before + n_shown:,}"


@dataclass(frozen=True, slots=True)
class FilterWidgets:
    """Widgets of a filter that take their first values from the address and write into it.

    Attributes:
        texts: names in the address by widget key.
        days: the same of dates.
        choices: the same of lists to choose from.
    """

    texts: Mapping[str, str]
    choices: Mapping[str, str]
    days: Mapping[str, str] = field(default_factory=dict)

    @property
    def _names(self) -> dict[str, str]:
        return {**self.texts, **self.days, **self.choices}

    def prepare(self, offers: Mapping[str, Collection[Any]], first: Mapping[str, str] | None = None) -> None:
        """Give the widgets their first values; values in the address that are not on offer are ignored.

        Args:
            offers: values of each choice by widget key.
            first: values by widget key where the address names nothing.
        """
        asked = {key: st.query_params.get(name) for key, name in self._names.items()}
        if not any(asked.values()):
            asked |= first or {}
        for key, value in asked.items():
            if key in self.days:
                st.session_state.setdefault(key, _day(value))
            elif key in self.choices:
                st.session_state.setdefault(key, value if value in offers[key] else None)
            else:
                st.session_state.setdefault(key, value or "")

    def chosen(self, *kept: str) -> dict[str, Any]:
        """Values by widget key; put into the address, beside the parameters `kept`."""
        values = {key: st.session_state.get(key) for key in self._names}
        wanted = {self._names[key]: str(value).strip() for key, value in values.items() if value}
        wanted |= {name: st.query_params[name] for name in kept if st.query_params.get(name)}
        if dict(st.query_params) != wanted:
            st.query_params.from_dict(wanted)
        return values

    def words(self) -> str:
        """The values in one text that `read` reads; empty where nothing is asked for."""
        values = {name: st.session_state.get(key) for key, name in self._names.items()}
        return urlencode({name: str(value).strip() for name, value in values.items() if value})

    def read(self, words: str) -> dict[str, Any]:
        """Values by widget key, as texts, in a text of `words`; None for each that it does not name."""
        told = dict(parse_qsl(words))
        return {key: told.get(name) for key, name in self._names.items()}

    def clear(self) -> None:
        """Ask for everything again; only from a callback."""
        for key in self._names:
            st.session_state[key] = "" if key in self.texts else None


def first_selection(table: str, ids: Sequence[Id], chosen: Id | None) -> dict[str, Any]:
    """The selection of a table when it was first drawn; another default later would empty it."""
    rows = [ids.index(chosen)] if chosen is not None and chosen in ids else []
    known: dict[str, Any] = st.session_state.setdefault("lists.selections", {})
    selection: dict[str, Any] = known.setdefault(table, {"selection": {"rows": rows}})
    return selection


def selected(table: str, ids: Sequence[Id]) -> Id | None:
    """The id of the selected row, None when no row is; only from a callback."""
    rows = st.session_state[table].selection.rows
    return ids[rows[0]] if rows else None


def midnight(day: date | None, *, days: int = 0) -> datetime | None:
    """When the day begins in UTC, `days` later; None without a day."""
    return None if day is None else datetime.combine(day, time(), UTC) + timedelta(days=days)


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None
