"""Users: who may sign in, as what, and what an admin can do about it."""

from collections.abc import Sequence
from functools import partial
from html import escape

import streamlit as st

from app.admin.users import users_view as view
from app.shared.access import require_page
from app.shared.resources import resources
from core.domain.accounts import ACCOUNT_ROLES, Identity, User

_TABLE_PX = 690
_ROW_PX = 28


def draw() -> None:
    """The whole page."""
    identity = require_page("users")
    services = resources().services
    users = services.accounts.all(identity)
    n_sessions = services.signing_in.n_open_sessions()
    draw_bar(users)
    table, detail = st.columns([7, 3], gap="small")
    with table:
        draw_table(view.found(users), n_sessions, view.chosen(users))
    with detail:
        draw_password()
        user = view.chosen(users)
        if user is None:
            draw_add_form()
        else:
            draw_user(identity, user, n_sessions.get(user.user_id, 0))


def draw_bar(users: Sequence[User]) -> None:
    """The filter, how many there are, and the way to the form."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="users-bar"):
        st.text_input("Find", key=view.FIND, placeholder="name or full name", width=220)
        st.selectbox("Role", ACCOUNT_ROLES, format_func=lambda role: role.label, key=view.ROLE, index=None,
                     placeholder="any", width=150)  # fmt: skip
        st.selectbox("State", view.STATES, key=view.STATE, index=None, placeholder="any", width=140)
        st.button(
            "Add a user", icon=":material/person_add:", key="users.new", on_click=view.choose, args=(None,)
        )
        n_active = sum(user.is_active for user in users)
        st.caption(f"{len(view.found(users))} shown · {n_active} of {len(users)} active · times are UTC")


def draw_table(users: Sequence[User], n_sessions: dict[str, int], chosen: User | None) -> None:
    """The accounts; a row that is selected is shown beside it."""
    if not users:
        st.caption("No account is like this. Clear the filter to see them all.")
        return
    ids = [user.user_id for user in users]
    key = f"users.table.{hash(tuple(ids))}"  # other rows, other selection: it counts rows
    st.dataframe(
        view.user_rows(users, n_sessions),
        hide_index=True,
        placeholder="–",
        height=min(_TABLE_PX, _ROW_PX * (len(users) + 1) + 10),
        row_height=_ROW_PX,
        on_select=partial(view.choose_row, key, ids),
        selection_mode="single-row",
        selection_default=view.first_selection(key, ids, chosen),
        column_config={
            "Name": st.column_config.TextColumn(width=150),
            "Role": st.column_config.TextColumn(width=100),
            "State": st.column_config.TextColumn(width=190),
            "Last sign-in": st.column_config.TextColumn(width=130),
            "Sessions": st.column_config.NumberColumn(width=70),
        },
        key=key,
    )


def draw_password() -> None:
    """What was done last, and the password that somebody has to be told, which nothing else can show."""
    state = view.users_state()
    if state.said:
        st.html(f'<p class="rk-menu" role="status">{escape(state.said)}</p>')
    if state.issued is None or state.issued.password is None:
        return
    with st.container(border=True, key="users-password"):
        st.markdown(f"**Password of {state.issued.user.shown_name}**, shown this once")
        st.code(state.issued.password, language=None)
        st.caption("Hand it over in person or by phone. It must be changed at the next sign-in.")
        st.button("Handed over", key="users.handed_over", on_click=view.forget_password)


def draw_add_form() -> None:
    """The form for a new account."""
    n_added = view.users_state().n_added
    with st.form("users.add", enter_to_submit=True):
        st.markdown("**Add a user**")
        st.text_input("Name", key=f"users.add.name.{n_added}", placeholder="to sign in with",
                      autocomplete="off", max_chars=64)  # fmt: skip
        st.text_input("Full name", key=f"users.add.full_name.{n_added}", placeholder="as under a signature",
                      autocomplete="off", max_chars=128)  # fmt: skip
        st.selectbox("Role", ACCOUNT_ROLES, format_func=lambda role: role.label,
                     key=f"users.add.role.{n_added}")  # fmt: skip
        st.form_submit_button("Add", type="primary", on_click=view.add, key="users.add.send")
    st.caption("A password is generated and shown once. Or select a row to see and change an account.")


def draw_user(identity: Identity, user: User, n_sessions: int) -> None:
    """One account, and what can be done about it."""
    draw_facts(user, n_sessions)
    if user.is_erased:
        st.caption("The person was erased. The account stays, so that records keep their author.")
    elif user.user_id == identity.user_id:
        st.caption("This is your own account. You change your password under Account, in the menu with your "
                   "name; another admin can change the rest.")  # fmt: skip
    else:
        draw_actions(user, n_sessions)


def draw_facts(user: User, n_sessions: int) -> None:
    """Everything about the account."""
    facts = {
        "Name": user.shown_name,
        "Full name": user.full_name or "erased",
        "Role": user.role.label,
        "State": view.state_text(user),
        "Added": f"{view.moment(user.created_at)} UTC",
        "Last sign-in": view.moment(user.signed_in_at) + (" UTC" if user.signed_in_at else ""),
        "Sessions": f"{n_sessions} open",
        "Id": user.user_id,
    }
    rows = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in facts.items())
    st.html(f'<dl class="rk-facts">{rows}</dl>')


def draw_actions(user: User, n_sessions: int) -> None:
    """Role, password, sessions, state, erasure."""
    key = f"users.set_role.{user.user_id}.{user.role}"
    with st.container(horizontal=True, vertical_alignment="bottom", key="users-role"):
        role = st.selectbox("Role", ACCOUNT_ROLES, index=ACCOUNT_ROLES.index(user.role), key=key,
                            format_func=lambda role: role.label, width=170)  # fmt: skip
        st.button("Set role", key="users.role.set", on_click=view.set_role, args=(user, key),
                  disabled=role is user.role)  # fmt: skip
    with st.container(horizontal=True, key="users-actions"):
        st.button("Reset password", key="users.reset",
                  on_click=view.reset_password, args=(user,),
                  help="Generates one that is shown once; ends sessions and any lock-out.")  # fmt: skip
        if user.is_active:
            st.button("Disable", key="users.disable",
                      on_click=view.disable, args=(user,), help="Ends the sessions.")  # fmt: skip
        else:
            st.button("Enable", key="users.enable",
                      on_click=view.enable, args=(user,))  # fmt: skip
        st.button("End sessions", key="users.end_sessions",
                  on_click=view.end_sessions, args=(user,), disabled=not n_sessions)  # fmt: skip
        with st.popover("Erase", key="users-erase"):
            st.markdown("Removes name, full name and password **for good**. Records and the audit log keep "
                        f"the id. To confirm, type **{user.name}**.")  # fmt: skip
            typed = f"users.erase.{user.user_id}"
            st.text_input("Name of the account", key=typed, autocomplete="off")
            st.button("Erase for good", key="users.erase.send", on_click=view.erase, args=(user, typed))


draw()
