"""The pages as data: files, addresses, roles."""

from dataclasses import dataclass

from core.domain.accounts import ACCOUNT_ROLES, Role

#: Parameter of the label page with the digest of an image.
LABEL_IMAGE = "image"
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
_EXPLAIN = frozenset({Role.INSPECTOR, Role.REVIEWER, Role.ML_ENGINEER})
_MODELS = frozenset({Role.ML_ENGINEER, Role.REVIEWER, Role.ADMIN})


@dataclass(frozen=True, slots=True)
class PageEntry:
    """One page.

    Attributes:
        name: of its file below `pages`.
        title: in the navigation and the browser's tab.
        symbol: a Material symbol that Streamlit ships.
        section: heading it is grouped under.
        url_path: its address; empty for the page that most people come for.
        roles: who may open it.
        is_listed: in the navigation; what is not is reached from elsewhere.
        unlisted_for: roles that may open it, but reach it from elsewhere.
        names_model: it says itself which model is meant, so the header does not name the chosen one.
        all_models: it offers also those that read nothing by themselves.
    """

    name: str
    title: str
    symbol: str
    section: str
    url_path: str
    roles: frozenset[Role]
    is_listed: bool = True
    unlisted_for: frozenset[Role] = frozenset()
    names_model: bool = False
    all_models: bool = False

    @property
    def file(self) -> str:
        """The script, relative to the entry script."""
        return f"../pages/{self.name}.py"

    @property
    def icon(self) -> str:
        """The symbol as Streamlit writes it."""
        return f":material/{self.symbol}:"


PAGES = (
    PageEntry("inspection", "Inspect", "radiology", "Inspect", "", _INSPECT),
    PageEntry("history", "History", "history", "Inspect", "history", _HISTORY),
    PageEntry("second_review", "Second review", "rate_review", "Inspect", "second-review", _REVIEW),
    PageEntry("disagreements", "Disagreements", "difference", "Learn", "disagreements", _LEARN),
    PageEntry("label", "Label", "select", "Learn", "label", _LEARN | _READERS, unlisted_for=_READERS,
              names_model=True),
    PageEntry("labelled_images", "Images", "grid_view", "Learn", "images", _LEARN),
    PageEntry("data_versions", "Data", "dataset", "Learn", "data", _DATA),
    PageEntry("retrain", "Retrain", "model_training", "Learn", "retrain", _DATA),
    PageEntry("versions", "Versions", "deployed_code", "Models", "versions", _MODELS, all_models=True),
    PageEntry("compare", "Compare", "compare", "Models", "compare", _COMPARE, all_models=True),
    PageEntry("explanations", "Explain", "troubleshoot", "Models", "explanations", _EXPLAIN,
              unlisted_for=frozenset({Role.INSPECTOR})),
    PageEntry("health", "Health", "monitor_heart", "System", "health", _ADMIN),
    PageEntry("users", "Users", "group", "System", "users", _ADMIN),
    PageEntry("rules", "Standards", "rule", "System", "rules", WITH_ACCOUNT),
    PageEntry("label_classes", "Classes", "sell", "System", "classes", _ADMIN),
    PageEntry("api_keys", "API keys", "key", "System", "api-keys", _ADMIN),
    PageEntry("audit_log", "Audit", "fact_check", "System", "audit", _ADMIN),
    PageEntry("how_to_read", "How to read this", "help", "Help", "how-to-read", EVERYBODY),
    PageEntry("account", "Account", "person", "Help", "account", WITH_ACCOUNT, is_listed=False),
)  # fmt: skip


def page_at(url_path: str) -> PageEntry:
    """The page at this address; KeyError when there is none, which is a mistake of ours."""
    return {page.url_path: page for page in PAGES}[url_path]


def pages_for(role: Role) -> tuple[PageEntry, ...]:
    """The pages that somebody of this role may open, in order."""
    return tuple(page for page in PAGES if role in page.roles)


def landing_page(role: Role) -> PageEntry:
    """The page that somebody of this role sees when they come in: a reviewer sees what waits for them."""
    return page_at("second-review") if role is Role.REVIEWER else first_page(role)


def first_page(role: Role) -> PageEntry:
    """The page that this role starts with: an admin with the users, everybody else with the first one."""
    return page_at("users") if role is Role.ADMIN else pages_for(role)[0]
