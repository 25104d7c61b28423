"""The person behind this run of the script, and the pages open to them.

The session is looked up once in every run and never remembered beyond it: a session that was revoked is
refused on the next run. Callbacks and fragments are runs of their own.
"""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import streamlit as st

from app.shared import state
from app.shared.connection import CLIENT_HEADER, UNKNOWN, counted_as
from app.shared.incident import incident
from app.shared.navigation import first_page, page_at
from app.shared.resources import resources
from app.shared.templates import draw_html
from app.shared.visitors import guest_identity, identity_of, session_token
from core.domain.accounts import Identity
from core.domain.errors import WorkbenchError
from core.logs import bound, new_request_id
from core.services.workspaces import Workspace

_of_this_run: ContextVar[Identity] = ContextVar("identity of this run")


def visitor_identity(*, touch: bool = True) -> Identity | None:
    """Look up who is behind this run of the script; None when nobody is signed in.

    In the demo a browser that refuses cookies is a guest of this page only; it is shown no pixels, because
    the pixel route cannot know it.

    Args:
        touch: False for what runs by itself, such as polling, which is no use of a session.
    """
    cookies, address = st.context.cookies, client_address()
    identity = identity_of(cookies, touch=touch, address=address)
    if identity is None and session_token(cookies) is None and resources().is_demo:
        identity = guest_identity(state.browser_token(), address)
    if touch and identity is not None and identity.is_guest:
        resources().services.demo.act(identity)
    return identity


@contextmanager
def run_as(identity: Identity) -> Iterator[None]:
    """Let `current_identity` return `identity` until this run of the script, or of a part of it, ends."""
    before = _of_this_run.set(identity)
    try:
        yield
    finally:
        _of_this_run.reset(before)


def current_identity(*, touch: bool = True) -> Identity:
    """The person behind this run, looked up where the run did not begin with it.

    When nobody is any more, the run ends here and the next shows the sign-in form.

    Args:
        touch: False for what runs by itself.
    """
    if (known := _of_this_run.get(None)) is not None:
        return known
    identity = visitor_identity(touch=touch)
    if identity is None:
        st.rerun()
    return identity


def current_workspace() -> Workspace:
    """The workspace of whoever is behind this run."""
    return resources().services.workspace_of(current_identity())


@contextmanager
def identified(*, touch: bool) -> Iterator[None]:
    """A decorator for fragments and dialogs, below Streamlit's own: one session look-up a run.

    As part of a run of the whole page they take the identity of that run.

    Args:
        touch: False for what runs by itself, such as polling, which is no use of a session.
    """
    with run_as(current_identity(touch=touch)):
        yield


def require_page(url_path: str) -> Identity:
    """The person behind this run, when the page at this address is for them; else say so and end the run.

    Every page begins with it: a page that is run in any other way is closed, too.
    """
    identity, page = current_identity(), page_at(url_path)
    if identity.must_change_password or identity.role not in page.roles:
        roles = " and ".join(sorted(f"the role {role.label}" for role in page.roles))
        draw_html("shared/closed.html", title=page.title, roles=roles, role=identity.role.label)
        if not identity.must_change_password:
            first = first_page(identity.role)
            st.page_link(first.file, label=f"Go to {first.title}", icon=first.icon)
        st.stop()
    return identity


def acting(callback: Callable[..., None]) -> Callable[..., None]:
    """The callback, called only while somebody is signed in; what it refuses is told on the page."""

    @functools.wraps(callback)
    def guarded(*args: Any, **named: Any) -> None:
        try:
            if (identity := visitor_identity()) is not None:
                with bound(request_id=new_request_id(), user_id=identity.user_id), run_as(identity):
                    callback(*args, **named)
        except WorkbenchError as error:
            state.leave_notice(f"{error}.")
        except Exception:  # noqa: BLE001 - the page's edge: logged, told
            state.leave_notice(incident("This"))

    return guarded


def draw_notice() -> None:
    """Say why the last action was refused, once."""
    if notice := state.take_notice():
        st.error(notice)


def client_address() -> str:
    """The client's address as our own middleware found it, for counting attempts."""
    return counted_as(str(st.context.headers.get(CLIENT_HEADER) or st.context.ip_address or UNKNOWN))
