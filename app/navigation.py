"""The page table, as data."""

from dataclasses import dataclass

GUEST = "guest"


@dataclass(frozen=True, slots=True)
class PageEntry:
    """One page.

    Attributes:
        file: relative to the entry script.
        title: in the navigation and the browser's tab.
        icon: a Material symbol that Streamlit ships.
        section: heading it is grouped under.
        url_path: its address; empty for the first page.
        roles: who sees it.
    """

    file: str
    title: str
    icon: str
    section: str
    url_path: str
    roles: frozenset[str]


PAGES = (
    PageEntry("../pages/inspection.py", "Inspect", ":material/radiology:", "Inspect", "", frozenset({GUEST})),
    PageEntry(
        "../pages/how_to_read.py",
        "How to read this",
        ":material/help:",
        "Help",
        "how-to-read",
        frozenset({GUEST}),
    ),
)


def pages_for(role: str) -> tuple[PageEntry, ...]:
    """The pages that a visitor of this role sees, in order."""
    return tuple(page for page in PAGES if role in page.roles)
