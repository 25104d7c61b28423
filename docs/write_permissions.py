"""Writes docs/permissions.md from the tables that services and pages read. `make docs` runs it."""

from collections.abc import Iterable
from pathlib import Path

from app.navigation import PAGES
from core.domain.accounts import Role
from core.domain.permissions import PERMISSIONS

TARGET = Path(__file__).with_name("permissions.md")
HEADER = """# Who may do what

Written by `make docs` from the tables that services and pages read; a test fails when it is out of date.

A user has one role. It is read again for every click: a role that is taken away is gone in every open tab.
A page that is not for a role says so and shows nothing else; the services check once more. Until somebody
has replaced a password that another person set, nothing but changing it is possible. A guest of the demo has
no account and acts in a throw-away workspace, which ends by itself.
"""
COMMANDS = """
Whoever may run `radikal` on the server may do all of this that needs no person (not review, sign, annotate);
the audit log names them `command-line`.
"""


def render() -> str:
    """The whole page: role by page, role by action."""
    pages = ((f"{entry.section}: {entry.title}", entry.roles) for entry in PAGES)
    actions = ((action.value, roles) for action, roles in PERMISSIONS.items())
    return (
        f"{HEADER}\n## Pages\n\n{_table('Page', pages)}\n## Actions\n\n{_table('Action', actions)}{COMMANDS}"
    )


def _table(title: str, rows: Iterable[tuple[str, frozenset[Role]]]) -> str:
    """A Markdown table with a column for each role."""
    head = " | ".join([title, *(role.label for role in Role)])
    lines = [f"| {head} |", "|---|" + ":---:|" * len(Role)]
    for name, roles in rows:
        cells = " | ".join([name, *("yes" if role in roles else "-" for role in Role)])
        lines.append(f"| {cells} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
