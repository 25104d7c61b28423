"""Who may open and do what, as docs/permissions.md says; that page is written by hand."""

from pathlib import Path

from core.domain.accounts import Role

MANUAL = Path(__file__).resolve().parents[1] / "docs" / "permissions.md"


def _table(title: str) -> dict[str, frozenset[Role]]:
    """The roles with "yes" in each row of the table below a heading."""
    section = MANUAL.read_text(encoding="utf-8").split(f"\n## {title}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    roles = [Role(label.lower().replace(" ", "_")) for label in head[1:]]
    assert set(roles) == set(Role)
    assert all(set(cells) <= {"yes", "-"} for _, *cells in rows), "a cell is yes or -"
    return {
        name: frozenset(role for role, cell in zip(roles, cells, strict=True) if cell == "yes")
        for name, *cells in rows
    }


#: "section: title" of each page, and who may open it.
PAGES = _table("Pages")
#: What each action is called, and who may do it.
ACTIONS = _table("Actions")
