"""Somebody in front of a page, for Streamlit's own test runner: it has no cookies of its own."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.shared.resources import Resources
from app.shared.visitors import SESSION_COOKIE
from core.domain.accounts import COMMAND_LINE, Role, User

ROOT = Path(__file__).resolve().parents[2]
MAIN = ROOT / "app" / "main.py"
PASSWORD = "three pores in 4 welds"


class Browser:
    """A browser that keeps the cookie of one session."""

    def __init__(self, held: Resources, patch: pytest.MonkeyPatch) -> None:
        self.services = held.services
        self.cookies: dict[str, str] = {}
        patch.setattr(
            "streamlit.runtime.context.ContextProxy.cookies", property(lambda _context: self.cookies)
        )

    def account(self, name: str, role: Role, *, must_change: bool = False) -> User:
        """A new account with `PASSWORD`."""
        user = self.services.accounts.add(COMMAND_LINE, name, name.title(), role, PASSWORD).user
        with self.services.store.write() as work:
            if not must_change:
                kept = work.users.password_hash(user.user_id)
                work.users.set_password(user.user_id, kept, must_change=False)
            found = work.users.find(user.user_id)
        assert found is not None
        return found

    def session(self, user: User, agent: str = "Mozilla/5.0 (X11; Linux x86_64) Firefox/150.0") -> str:
        """The token of a new session."""
        signing_in = self.services.signing_in
        return signing_in.exchange(signing_in.ticket_for(user.user_id), agent)

    def sign_in(self, user: User) -> None:
        """Keep the cookie of a new session."""
        self.cookies = {SESSION_COOKIE: self.session(user)}

    def leave(self) -> None:
        """Keep no cookie."""
        self.cookies = {}


def open_page(file: str | None = None, **address: str) -> AppTest:
    """The page of this file as the navigation runs it, after its first run; None is the one at the root."""
    page = AppTest.from_file(str(MAIN), default_timeout=60)
    if file is not None:  # a page can be named only when the navigation was declared
        page.run().switch_page(f"../pages/{file}")
    for name, value in address.items():
        page.query_params[name] = value
    return page.run()


def run_alone(file: str) -> AppTest:
    """The page of this file as a script of its own, past the navigation."""
    return AppTest.from_file(str(ROOT / "pages" / file), default_timeout=60).run()


def said(page: AppTest) -> str:
    """Everything that the page says in words."""
    elements = [*page.get("html"), *page.markdown, *page.caption, *page.error, *page.subheader, *page.info]
    return " ".join(str(getattr(e, "value", None) or getattr(e.proto, "body", "")) for e in elements)
