"""Draws the page of API keys."""

from collections.abc import Sequence

import streamlit as st

from app.admin.api_keys import actions, state
from app.admin.api_keys.rows import key_facts, key_rows
from app.shared.lists.render import draw_choice
from app.shared.templates import draw_facts, draw_said
from core.domain.accounts import User
from core.domain.api_keys import LONGEST_KEY_NAME, LONGEST_LIFE, ApiKey, Scope
from core.services.accounts.api_keys import KeyList

_TABLE_PX = 690
_ABOUT = (
    "Programs send a key with each request to the REST API, which [describes itself](/api/docs). A key acts "
    "in the name of an account, best one of its own, within scopes that narrow its role. The audit log names "
    "the key with everything that it does."
)


def draw_table(found: KeyList, chosen: ApiKey | None) -> None:
    """The keys; the one that is selected is shown beside them."""
    st.caption(_ABOUT)
    if not found.keys:
        st.caption("There is no API key yet.")
        return
    ids = [key.key_id for key in found.keys]
    draw_choice(
        key_rows(found),
        ids,
        chosen=chosen.key_id if chosen else None,
        on_choose=state.choose,
        key=f"api_keys.table.{hash(tuple(ids))}",  # other rows, other selection: it counts rows
        most_px=_TABLE_PX,
    )


def draw_secret() -> None:
    """The line about the last action, and a new key, which is shown here only."""
    remembered = state.keys_state()
    if remembered.said:
        draw_said(remembered.said, style="rk-menu")
    if remembered.issued is None:
        return
    with st.container(border=True, key="api_keys-secret"):
        st.markdown("**The key**, shown this once")
        st.code(remembered.issued.token, language=None, wrap_lines=True)
        st.caption("Copy it into the program's settings. Nobody can see it again; only a digest is kept.")
        st.button("Copied", key="api_keys.copied", on_click=state.forget_secret)


def draw_add_form(users: Sequence[User]) -> None:
    """The form for a new key."""
    names = [user.name for user in users if user.is_active]
    with st.form("api_keys.add", enter_to_submit=True):
        st.markdown("**Add an API key**")
        st.text_input("Name", key=state.form_key("name"), placeholder="such as line 3, cell 2",
                      max_chars=LONGEST_KEY_NAME, autocomplete="off")  # fmt: skip
        st.selectbox("Account", names, index=None, key=state.form_key("account"),
                     placeholder="in whose name it acts")  # fmt: skip
        st.multiselect("Scopes", [scope.value for scope in Scope], key=state.form_key("scopes"),
                       format_func=lambda scope: f"{scope}: {Scope(scope).words}")  # fmt: skip
        st.number_input("Days until it expires", 1, LONGEST_LIFE.days, state.USUAL_DAYS,
                        key=state.form_key("days"))  # fmt: skip
        st.form_submit_button("Add", type="primary", on_click=actions.add, key="api_keys.add.send")


def draw_key(key: ApiKey, found: KeyList) -> None:
    """One key, and revoking it."""
    draw_facts(key_facts(key, found))
    if key.revoked_at is None:
        with st.popover("Revoke", key="api_keys-revoke"):
            st.markdown(f"**{key.name}** is refused from the next request on. This cannot be undone.")
            st.button("Revoke it", key="api_keys.revoke.send", type="primary", on_click=actions.revoke,
                      args=(key,))  # fmt: skip
    st.button("Add another key", key="api_keys.new", on_click=state.choose, args=(None,), type="tertiary")
