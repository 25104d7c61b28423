"""Files that are made when somebody asks for them."""

from collections.abc import Callable, Iterable

import streamlit as st

from app.shared.access import current_identity
from app.shared.visitors import identity_of
from core.domain.accounts import Identity
from core.domain.errors import NotAllowedError
from core.logs import bound, new_request_id


def made_on_demand(lines: Callable[[Identity], Iterable[str]]) -> Callable[[], bytes]:
    """A function for `st.download_button` that writes the file when the button is pressed.

    Whoever presses it must still be signed in then, and `lines` is called with the identity of that moment.
    """
    return file_on_demand(lambda identity: "".join(lines(identity)).encode("utf-8"))


def file_on_demand(written: Callable[[Identity], bytes]) -> Callable[[], bytes]:
    """As `made_on_demand`, of a whole file."""
    cookies, here = dict(st.context.cookies), current_identity(touch=False)

    def make() -> bytes:
        identity = identity_of(cookies) or (here if here.is_guest else None)
        if identity is None:
            raise NotAllowedError("you are no longer signed in")
        with bound(request_id=new_request_id(), user_id=identity.user_id):
            return written(identity)

    return make
