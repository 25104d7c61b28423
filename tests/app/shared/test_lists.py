"""State that pages with lists share: turned pages, filters in the address, selections."""

from datetime import UTC, date, datetime

import pytest
import streamlit as st

from app.shared.lists.state import FilterWidgets, TurnedPages, first_selection, midnight

FILTER = FilterWidgets(texts={"p.text": "q"}, days={"p.from": "from"}, choices={"p.state": "state"})


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> "Address":
    """The address of a page, and what its session holds."""
    address = Address()
    monkeypatch.setattr(st, "query_params", address)
    monkeypatch.setattr(st, "session_state", {})
    return address


class Address(dict[str, str]):
    def from_dict(self, wanted: dict[str, str]) -> None:
        self.clear()
        self.update(wanted)


def test_a_day_ends_where_the_next_begins() -> None:
    assert midnight(date(2026, 2, 28), days=1) == datetime(2026, 3, 1, tzinfo=UTC)
    assert midnight(None) is None


def test_pages_are_turned_on_and_back_and_another_filter_starts_at_the_first() -> None:
    pages: TurnedPages[str, int] = TurnedPages("all")
    assert pages.place is None
    pages.turn(7)
    pages.turn(3)
    assert (pages.place, pages.range_words(4, 1000)) == (3, "2,001 to 2,004")
    pages.turn(None)
    assert pages.place == 7
    pages.want("all")
    assert pages.place == 7
    pages.want("some")
    assert pages.place is None
    pages.turn(None)  # there is no page before the first
    assert pages.place is None


def test_the_address_gives_first_values_and_nonsense_in_it_is_ignored(address: Address) -> None:
    address.from_dict({"q": "pipe", "from": "no day", "state": "lost"})
    FILTER.prepare({"p.state": ["open"]})
    assert FILTER.chosen() == {"p.text": "pipe", "p.from": None, "p.state": None}
    assert address == {"q": "pipe"}


def test_choices_go_into_the_address_beside_what_is_kept_there(address: Address) -> None:
    address.from_dict({"item": "7", "other": "1"})
    FILTER.prepare({"p.state": ["open"]}, {"p.state": "open"})
    st.session_state["p.from"] = date(2026, 2, 28)
    FILTER.chosen("item")
    assert address == {"item": "7", "state": "open", "from": "2026-02-28"}
    FILTER.clear()
    assert FILTER.chosen("item") == {"p.text": "", "p.from": None, "p.state": None}
    assert address == {"item": "7"}


@pytest.mark.usefixtures("address")
def test_the_first_selection_of_a_table_stays_its_default() -> None:
    assert first_selection("t", ["a", "b"], "b") == {"selection": {"rows": [1]}}
    assert first_selection("t", ["a", "b"], "a") == {"selection": {"rows": [1]}}
    assert first_selection("u", ["a"], "z") == {"selection": {"rows": []}}


def test_a_filter_in_one_text_comes_back(address: "Address") -> None:
    assert FILTER.words() == ""
    st.session_state.update({"p.text": "weld 12 & öl", "p.state": "open"})
    assert FILTER.read(FILTER.words()) == {"p.text": "weld 12 & öl", "p.from": None, "p.state": "open"}
    assert FILTER.read("all") == dict.fromkeys(("p.text", "p.from", "p.state"))
