"""Accounts as rows and facts."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.shared.moments import minute
from core.domain.accounts import User
from core.domain.certificates import Standing


def user_rows(
    users: Sequence[User], n_sessions: Mapping[str, int], standings: Mapping[str, Standing]
) -> list[dict[str, Any]]:
    """One row of the table for each account."""
    return [
        {
            "Name": user.shown_name,
            "Full name": user.full_name or "",
            "Role": user.role.label,
            "State": _state(user),
            "Certificate": certificate_state(standings.get(user.user_id)),
            "Last sign-in": minute(user.signed_in_at),
            "Sessions": n_sessions.get(user.user_id, 0),
        }
        for user in users
    ]


def certificate_state(held: Standing | None) -> str:
    """The certificate for radiographs in a few words, and since or until when; empty without one."""
    if held is None:
        return ""
    if held.valid is not None:
        one = held.valid
        return f"{one.scheme.value}, level {one.level}, until {one.valid_until.isoformat()}"
    return f"ended {held.lapsed.valid_until.isoformat()}" if held.lapsed else ""


def user_facts(user: User, n_sessions: int) -> dict[str, str]:
    """Facts of an account by name."""
    return {
        "Name": user.shown_name,
        "Full name": user.full_name or "erased",
        "Role": user.role.label,
        "State": _state(user),
        "Added": f"{minute(user.created_at)} UTC",
        "Last sign-in": minute(user.signed_in_at) + (" UTC" if user.signed_in_at else ""),
        "Sessions": f"{n_sessions} open",
        "Id": user.user_id,
    }


def _state(user: User) -> str:
    return "active, password to be changed" if user.is_active and user.must_change_password else user.state
