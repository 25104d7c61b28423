"""Draws the page of users."""

from collections.abc import Mapping, Sequence
from datetime import date

import streamlit as st

from app.admin.users import actions, state
from app.admin.users.rows import user_facts, user_rows
from app.shared.lists.render import draw_choice
from app.shared.templates import draw_facts, draw_said
from core.domain.accounts import ACCOUNT_ROLES, Identity, User
from core.domain.certificates import LEVELS, RADIOGRAPHIC, Certificate, Scheme, Standing

_TABLE_PX = 690
_FIRST_DAY, _LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)
#: Where the form of another certificate begins.
_NEW = Certificate("new", Scheme.ISO_9712, RADIOGRAPHIC, 2, "-", _LAST_DAY)
_STATES = ("active", "disabled", "erased")


def draw_bar(users: Sequence[User], *, is_certificate_required: bool, is_film_first: bool) -> None:
    """The filter, the number of accounts, the way to the form, and what holds for everybody."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="users-bar"):
        st.text_input("Find", key=state.FIND, placeholder="name or full name", width=220)
        st.selectbox("Role", ACCOUNT_ROLES, format_func=lambda role: role.label, key=state.ROLE, index=None,
                     placeholder="any", width=150)  # fmt: skip
        st.selectbox("State", _STATES, key=state.STATE, index=None, placeholder="any", width=140)
        st.button(
            "Add a user", icon=":material/person_add:", key="users.new", on_click=state.choose, args=(None,)
        )
        state.show_required(is_certificate_required)
        st.checkbox("Signing needs a valid certificate", key=state.REQUIRED, on_change=actions.set_required,
                    help="Nobody signs, as inspector or reviewer, without an RT certificate of level 2 or 3 "
                         "that is valid on the day in UTC.")  # fmt: skip
        state.show_film_first(is_film_first)
        st.checkbox("Film first", key=state.FILM_FIRST, on_change=actions.set_film_first,
                    help="The model stays hidden until the person has marked the first look as done. What "
                         "each found first is in the record. Everybody may choose otherwise.")  # fmt: skip
        n_active = sum(user.is_active for user in users)
        st.caption(f"{len(state.found(users))} shown · {n_active} of {len(users)} active · times are UTC")


def draw_table(
    users: Sequence[User],
    n_sessions: Mapping[str, int],
    standings: Mapping[str, Standing],
    chosen: User | None,
) -> None:
    """The accounts; a row that is selected is shown beside it."""
    if not users:
        st.caption("No account is like this. Clear the filter to see them all.")
        return
    ids = [user.user_id for user in users]
    draw_choice(
        user_rows(users, n_sessions, standings),
        ids,
        chosen=chosen.user_id if chosen else None,
        on_choose=state.choose,
        key=f"users.table.{hash(tuple(ids))}",  # other rows, other selection: it counts rows
        most_px=_TABLE_PX,
        column_config={
            "Name": st.column_config.TextColumn(width=150),
            "Role": st.column_config.TextColumn(width=100),
            "State": st.column_config.TextColumn(width=190),
            "Certificate": st.column_config.TextColumn(width=210),
            "Last sign-in": st.column_config.TextColumn(width=130),
            "Sessions": st.column_config.NumberColumn(width=70),
        },
    )


def draw_password() -> None:
    """The line about the last action, and a new password, which is shown here only."""
    remembered = state.users_state()
    if remembered.said:
        draw_said(remembered.said, style="rk-menu")
    issued = remembered.issued
    if issued is None or issued.password is None:
        return
    with st.container(border=True, key="users-password"):
        st.markdown(f"**Password of {issued.user.shown_name}**, shown this once")
        st.code(issued.password, language=None)
        st.caption("Hand it over in person or by phone. It must be changed at the next sign-in.")
        st.button("Handed over", key="users.handed_over", on_click=state.forget_password)


def draw_add_form() -> None:
    """The form for a new account."""
    with st.form("users.add", enter_to_submit=True):
        st.markdown("**Add a user**")
        st.text_input("Name", key=state.add_key("name"), placeholder="to sign in with",
                      autocomplete="off", max_chars=64)  # fmt: skip
        st.text_input("Full name", key=state.add_key("full_name"), placeholder="as under a signature",
                      autocomplete="off", max_chars=128)  # fmt: skip
        st.selectbox("Role", ACCOUNT_ROLES, format_func=lambda role: role.label,
                     key=state.add_key("role"))  # fmt: skip
        st.form_submit_button("Add", type="primary", on_click=actions.add, key="users.add.send")
    st.caption("A password is generated and shown once. Or select a row to see and change an account.")


def draw_user(identity: Identity, user: User, n_sessions: int, certificates: Sequence[Certificate]) -> None:
    """One account and the actions on it."""
    draw_facts(user_facts(user, n_sessions))
    if not user.is_erased:
        draw_certificates(user, certificates)
    if user.is_erased:
        st.caption("The person was erased. The account stays, so that records keep their author.")
    elif user.user_id == identity.user_id:
        st.caption("This is your own account. You change your password under Account, in the menu with your "
                   "name; another admin can change the rest.")  # fmt: skip
    else:
        draw_actions(user, n_sessions)


def draw_certificates(user: User, certificates: Sequence[Certificate]) -> None:
    """The certificates of one person, each with a form to change it, and the form for another."""
    with st.container(key="users-certificates", gap="small"):
        st.markdown("**Certificates**")
        for one in certificates:
            with st.popover(one.words, key=f"users.certificate.{one.certificate_id}"):
                draw_certificate_form(user, one)
        with st.popover("Add a certificate", icon=":material/badge:", key="users.certificate.new"):
            draw_certificate_form(user, None)


def draw_certificate_form(user: User, certificate: Certificate | None) -> None:
    """The fields of one certificate, empty for another one."""
    name = "new" if certificate is None else certificate.certificate_id
    one = certificate or _NEW
    with st.form(f"users.certificate.form.{name}", border=False):
        schemes = list(Scheme)
        st.selectbox("Scheme", schemes, schemes.index(one.scheme), format_func=lambda scheme: scheme.value,
                     key=state.certificate_key(name, "scheme"))  # fmt: skip
        st.text_input("Method", one.method, max_chars=16, key=state.certificate_key(name, "method"),
                      help="RT, or a part of it such as RT-D; other methods do not count for radiographs.",
                      autocomplete="off")  # fmt: skip
        st.selectbox("Level", LEVELS, LEVELS.index(one.level), key=state.certificate_key(name, "level"))
        st.text_input("Number", certificate.number if certificate else "", max_chars=64,
                      key=state.certificate_key(name, "number"), autocomplete="off")  # fmt: skip
        st.date_input("Valid until, that day included (UTC)",
                      certificate.valid_until if certificate else None, format="YYYY-MM-DD",
                      key=state.certificate_key(name, "valid_until"),
                      min_value=_FIRST_DAY, max_value=_LAST_DAY)  # fmt: skip
        if certificate is None:
            st.form_submit_button("Add", type="primary", key="users.certificate.add",
                                  on_click=actions.add_certificate, args=(user,))  # fmt: skip
            return
        with st.container(horizontal=True):
            st.form_submit_button("Save", type="primary", key=f"users.certificate.save.{name}",
                                  on_click=actions.change_certificate, args=(user, certificate))  # fmt: skip
            st.form_submit_button("Remove", key=f"users.certificate.remove.{name}",
                                  on_click=actions.remove_certificate, args=(user, certificate))  # fmt: skip


def draw_actions(user: User, n_sessions: int) -> None:
    """Role, password, sessions, state, erasure."""
    key = f"users.set_role.{user.user_id}.{user.role}"
    with st.container(horizontal=True, vertical_alignment="bottom", key="users-role"):
        role = st.selectbox("Role", ACCOUNT_ROLES, index=ACCOUNT_ROLES.index(user.role), key=key,
                            format_func=lambda role: role.label, width=170)  # fmt: skip
        st.button("Set role", key="users.role.set", on_click=actions.set_role, args=(user, key),
                  disabled=role is user.role)  # fmt: skip
    with st.container(horizontal=True, key="users-actions"):
        st.button("Reset password", key="users.reset",
                  on_click=actions.reset_password, args=(user,),
                  help="Generates one that is shown once; ends sessions and any lock-out.")  # fmt: skip
        if user.is_active:
            st.button("Disable", key="users.disable",
                      on_click=actions.disable, args=(user,), help="Ends the sessions.")  # fmt: skip
        else:
            st.button("Enable", key="users.enable",
                      on_click=actions.enable, args=(user,))  # fmt: skip
        st.button("End sessions", key="users.end_sessions",
                  on_click=actions.end_sessions, args=(user,), disabled=not n_sessions)  # fmt: skip
        with st.popover("Erase", key="users-erase"):
            st.markdown("Removes name, full name and password **for good**. Records and the audit log keep "
                        f"the id. To confirm, type **{user.name}**.")  # fmt: skip
            typed = f"users.erase.{user.user_id}"
            st.text_input("Name of the account", key=typed, autocomplete="off")
            st.button("Erase for good", key="users.erase.send", on_click=actions.erase, args=(user, typed))
