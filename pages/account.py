"""Account: own name and role, password and sessions."""

import streamlit as st

from app.auth.actions import choose_film_first, end_others, take_notice
from app.auth.render import draw_password_change
from app.auth.rows import session_rows
from app.auth.state import FILM_FIRST_KEY, show_film_first
from app.shared.access import require_page
from app.shared.moments import minute
from app.shared.resources import resources
from app.shared.templates import draw_facts
from core.domain.accounts import Identity
from core.domain.certificates import NOT_STATED


def draw() -> None:
    """The whole page."""
    identity = require_page("account")
    who, password, sessions = st.columns([3, 4, 5], gap="medium")
    with who:
        draw_own_facts(identity)
        draw_film_first(identity)
    with password:
        st.subheader("Password")
        draw_password_change(identity)
    with sessions:
        st.subheader("Where you are signed in")
        draw_sessions(identity)


def draw_own_facts(identity: Identity) -> None:
    """Name, role and id."""
    user = resources().services.own_account.find(identity)
    st.subheader(user.shown_name)
    draw_facts(
        {
            "Full name": user.full_name or "",
            "Role": user.role.label,
            "Since": f"{minute(user.created_at)} UTC",
            "Id": user.user_id,
        }
    )
    certificates, held = resources().services.certificates.own(identity)
    names = [f"Certificate {n}" for n in range(1, len(certificates) + 1)]
    shown = {name: one.words for name, one in zip(names, certificates, strict=True)}
    draw_facts(shown if len(shown) > 1 else {"Certificate": "; ".join(shown.values()) or NOT_STATED})
    if warning := held.refusal or held.warning:
        st.warning(f"{warning[:1].upper()}{warning[1:]}.")
    st.caption("An administrator changes name, role and certificates.")


def draw_film_first(identity: Identity) -> None:
    """Whether this person looks at the film before the model is shown."""
    mode = resources().services.workspace.film_first
    show_film_first(mode.own(identity))
    default = "on" if mode.is_default(identity) else "off"
    words = {None: f"as the administrator set it ({default})", True: "always", False: "never"}
    st.selectbox(
        "Film first",
        list(words),
        format_func=words.__getitem__,
        key=FILM_FIRST_KEY,
        on_change=choose_film_first,
        help="The model stays hidden until you mark the first look as done. What you marked before is kept "
        "in the record beside what the model reports.",
    )


def draw_sessions(identity: Identity) -> None:
    """The open sessions, and the button that ends all but this one."""
    sessions = resources().services.signing_in.sessions_of(identity.user_id)
    st.dataframe(
        session_rows(sessions, identity.session_id), hide_index=True, row_height=28, key="account.sessions"
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("End the others", icon=":material/logout:", key="account.end_others", on_click=end_others,
                  disabled=len(sessions) < 2)  # fmt: skip
        st.caption(take_notice() or "Times are UTC. End the others when you do not know one of them.")


draw()
