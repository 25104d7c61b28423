"""Accounts as rows and facts."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.shared.moments import minute
from core.domain.accounts import User


def user_rows(users: Sequence[User], n_sessions: Mapping[str, int]) -> list[dict[str, Any]]:
    """One row of the table for each account."""
    return [
        {
            "Name": user.shown_name,
            "Full name": user.full_name or "",
            "Role": user.role.label,
            "State": _state(user),
            "Last sign-in": minute(user.signed_in_at),
            "Sessions": n_sessions.get(user.user_id, 0),
        }
        for user in users
    ]


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
