"""The page table, as data."""

from dataclasses import dataclass

from core.domain.accounts import ACCOUNT_ROLES, Role

EVERYBODY = frozenset(Role)
WITH_ACCOUNT = frozenset(ACCOUNT_ROLES)
_INSPECT = frozenset({Role.INSPECTOR, Role.REVIEWER, Role.GUEST})
_HISTORY = _INSPECT | {Role.ANNOTATOR, Role.ML_ENGINEER}
_REVIEW = frozenset({Role.REVIEWER})
_ADMIN = frozenset({Role.ADMIN})
_LEARN = frozenset({Role.ANNOTATOR, Role.ML_ENGINEER, Role.GUEST})
_DATA = frozenset({Role.ANNOTATOR, Role.ML_ENGINEER})
_READERS = frozenset({Role.INSPECTOR, Role.REVIEWER})
_COMPARE = frozenset({Role.ML_ENGINEER, Role.REVIEWER})
_MODELS = frozenset({Role.ML_ENGINEER, Role.REVIEWER, Role.ADMIN})


@dataclass(frozen=True, slots=True)
class PageEntry:
    """One page.

    Attributes:
        file: relative to the entry script.
        title: in the navigation and the browser's tab.
        icon: a Material symbol that Streamlit ships.
        section: heading it is grouped under.
        url_path: its address; empty for the page that most people come for.
        roles: who may open it.
        is_listed: in the navigation; what is not is reached from elsewhere.
        unlisted_for: roles that may open it, but reach it from elsewhere.
        names_model: it says itself which model is meant, so the header does not name the chosen one.
    """

    file: str
    title: str
    icon: str
    section: str
    url_path: str
    roles: frozenset[Role]
    is_listed: bool = True
    unlisted_for: frozenset[Role] = frozenset()
    names_model: bool = False


PAGES = (
    PageEntry("../pages/inspection.py", "Inspect", ":material/radiology:", "Inspect", "", _INSPECT),
    PageEntry("../pages/history.py", "History", ":material/history:", "Inspect", "history", _HISTORY),
    PageEntry(
        "../pages/second_review.py",
        "Second review",
        ":material/rate_review:",
        "Inspect",
        "second-review",
        _REVIEW,
    ),
    PageEntry(
        "../pages/disagreements.py",
        "Disagreements",
        ":material/difference:",
        "Learn",
        "disagreements",
        _LEARN,
    ),
    PageEntry(
        "../pages/label.py",
        "Label",
        ":material/select:",
        "Learn",
        "label",
        _LEARN | _READERS,
        unlisted_for=_READERS,
        names_model=True,
    ),
    PageEntry("../pages/data_versions.py", "Data", ":material/dataset:", "Learn", "data", _DATA),
    PageEntry("../pages/retrain.py", "Retrain", ":material/model_training:", "Learn", "retrain", _DATA),
    PageEntry("../pages/versions.py", "Versions", ":material/deployed_code:", "Models", "versions", _MODELS),
    PageEntry("../pages/compare.py", "Compare", ":material/compare:", "Models", "compare", _COMPARE),
    PageEntry("../pages/users.py", "Users", ":material/group:", "System", "users", _ADMIN),
    PageEntry("../pages/rules.py", "Standards", ":material/rule:", "System", "rules", WITH_ACCOUNT),
    PageEntry("../pages/audit_log.py", "Audit", ":material/fact_check:", "System", "audit", _ADMIN),
    PageEntry(
        "../pages/how_to_read.py", "How to read this", ":material/help:", "Help", "how-to-read", EVERYBODY
    ),
    PageEntry(
        "../pages/account.py",
        "Account",
        ":material/person:",
        "Help",
        "account",
        WITH_ACCOUNT,
        is_listed=False,
    ),
)


def page_at(url_path: str) -> PageEntry:
    """The page at this address; KeyError when there is none, which is a mistake of ours."""
    return {page.url_path: page for page in PAGES}[url_path]


def pages_for(role: Role) -> tuple[PageEntry, ...]:
    """The pages that somebody of this role may open, in order."""
    return tuple(page for page in PAGES if role in page.roles)


def first_page(role: Role) -> PageEntry:
    """What somebody of this role sees first: an admin the users, everybody else the first page they have."""
    return page_at("users") if role is Role.ADMIN else pages_for(role)[0]
