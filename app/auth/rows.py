"""Rows of the sessions on the page of one's own account."""

from collections.abc import Sequence
from typing import Any

from app.shared.moments import minute
from core.store.sessions import StoredSession

#: The first that is found counts: Edge and Opera also say that they are Chrome, and Chrome that it is Safari.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPad", "iPad"),
    ("iPhone", "iPhone"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
_LONGEST = 40


def session_rows(sessions: Sequence[StoredSession], own: str | None) -> list[dict[str, Any]]:
    """One row of a table for each session; `own` is the id of this one."""
    return [
        {
            "Browser": browser_name(stored.agent) + (" · this one" if stored.session_id == own else ""),
            "Since": minute(stored.created_at),
            "Last used": minute(stored.seen_at),
        }
        for stored in sessions
    ]


def browser_name(agent: str) -> str:
    """Browser and system, such as "Firefox on Windows"; an unknown one as it names itself."""
    browser = next((name for sign, name in _BROWSERS if sign in agent), None)
    system = next((name for sign, name in _SYSTEMS if sign in agent), None)
    if browser and system:
        return f"{browser} on {system}"
    return (browser or agent.strip() or "unknown browser")[:_LONGEST]
