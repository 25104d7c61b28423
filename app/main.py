"""Streamlit entry: page setup, who is here, navigation, run."""

import time
from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from app.auth.render import draw_full_demo, draw_password_change, draw_sign_in
from app.auth.state import SIGN_IN
from app.shared.access import current_workspace, draw_notice, require_page, run_as, visitor_identity
from app.shared.header import draw_header, draw_style
from app.shared.incident import incident, reassured
from app.shared.navigation import PAGES, PageEntry, first_page, landing_page
from app.shared.resources import MODELS, resources
from app.shared.state import chosen_model, prepare_model_choice, start_over_for, take_arrival
from core.domain.accounts import Identity, Role
from core.domain.errors import WorkbenchError
from core.domain.kinds import MODEL_NAMES
from core.logs import bound, new_request_id
from core.services.demo_workspaces import DemoFullError
from core.tracing import span

_HERE = Path(__file__).parent
#: More pages than this would run into what the header says beside them; then each section becomes a menu.
_MOST_SIDE_BY_SIDE = 6


def set_up_page() -> None:
    """Title, icon, logo and style of every page."""
    st.set_page_config(
        page_title="RadiKal",
        page_icon=str(_HERE / "mark.svg"),
        layout="wide",
        initial_sidebar_state="collapsed",
        menu_items={"Get help": None, "Report a bug": None, "About": None},
    )
    st.logo(str(_HERE / "logo.svg"), size="small")
    draw_style()


def navigate(role: Role | None) -> tuple[st.Page, PageEntry]:
    """The page at the address and its entry; those of other roles are declared, too, but not listed.

    Args:
        role: None hides the navigation; the address stays what it is, so that a link survives sign-in.
    """
    home = first_page(role) if role else PAGES[0]
    entries = list(PAGES)
    if home.url_path:  # the root shows the first page of a role that may not open ours
        entries = [entry for entry in entries if entry.url_path]
    pages = {_page(entry, role): entry for entry in entries}
    if home.url_path:
        root = st.Page(
            home.file, title=home.title, icon=home.icon, url_path="home", default=True, visibility="hidden"
        )
        pages[root] = home
    listed = sum(entry.is_listed and role in entry.roles for entry in entries)
    arranged = _by_section(pages) if listed > _MOST_SIDE_BY_SIDE else list(pages)
    current = st.navigation(arranged, position="top" if role else "hidden")
    return current, pages[current]


def _by_section(pages: Mapping[st.Page, PageEntry]) -> dict[str, list[st.Page]]:
    """The pages under the heading of their section, a menu each."""
    sections: dict[str, list[st.Page]] = {}
    for page, entry in pages.items():
        sections.setdefault(entry.section, []).append(page)
    return sections


def _page(entry: PageEntry, role: Role | None) -> st.Page:
    is_listed = entry.is_listed and role in entry.roles - entry.unlisted_for
    return st.Page(
        entry.file,
        title=entry.title,
        icon=entry.icon,
        url_path=entry.url_path or None,
        default=not entry.url_path,
        visibility="visible" if is_listed else "hidden",
    )


def draw_for_somebody(identity: Identity) -> None:
    """Header and page.

    Raises:
        DemoFullError: a guest for whom there is no room; nothing was drawn.
    """
    if identity.is_guest:
        current_workspace()
    if identity.must_change_password:
        navigate(None)
        draw_header(identity)
        draw_password_change(identity)
        return
    current, entry = navigate(identity.role)
    land_on_own_page(identity.role, entry)
    prepare_model_choice(MODEL_NAMES if entry.all_models else MODELS)
    draw_header(identity, None if entry.names_model else chosen_model())
    draw_notice()
    require_page(entry.url_path)
    began = time.perf_counter()
    try:
        with span(f"page {entry.name}"):
            current.run()
    finally:
        resources().services.tally.ran(entry.name, time.perf_counter() - began)


def land_on_own_page(role: Role, entry: PageEntry) -> None:
    """Go to the page that waits for this role, when somebody came in at the plain address."""
    landing = landing_page(role)
    if take_arrival() and not entry.url_path and landing.url_path and not st.query_params:
        st.switch_page(landing.file)


def draw_for_nobody() -> None:
    """The sign-in form, at whatever address was asked for."""
    navigate(None)
    draw_sign_in()


def main() -> None:
    """One run of the script."""
    set_up_page()
    identity = visitor_identity()
    wants_form = identity is not None and identity.is_guest and SIGN_IN in st.query_params
    start_over_for(identity.user_id if identity else "")
    with bound(request_id=new_request_id(), user_id=identity.user_id if identity else None):
        if identity is None or wants_form:
            draw_for_nobody()
        else:
            try:
                with run_as(identity):
                    draw_for_somebody(identity)
            except DemoFullError as full:
                navigate(None)
                draw_full_demo(full)


try:
    main()
except WorkbenchError as error:
    st.error(reassured(error))
except Exception:  # noqa: BLE001 - the page's edge: logged with its traceback, told with a reference
    st.error(incident("This page"))
