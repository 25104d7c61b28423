"""The thin header: the model that reads and its calibration, and who is here, beside the navigation."""

from collections.abc import Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.shared.resources import resources
from app.shared.templates import draw_html
from core.domain.accounts import Identity
from core.domain.errors import WorkbenchError
from core.domain.model_version import ModelVersion
from core.domain.polarity import IMAGES_IN
from core.domain.qualification import NOT_QUALIFIED
from core.domain.reading import Setup

_STYLES = tuple(
    Path(__file__).with_name(name) for name in ("style.css", "records.css", "jobs.css", "compare.css")
)
_LEAVE = (
    '<form class="rk-leave" method="post" action="/signout"><button type="submit">{label}</button></form>'
)
#: Where the header of this run names the model; a page that knows better says so there.
_SLOT: ContextVar[DeltaGenerator | None] = ContextVar("header_slot", default=None)


def draw_style() -> None:
    """The style of the whole page."""
    st.html(f"<style>{''.join(path.read_text(encoding='utf-8') for path in _STYLES)}</style>")


def draw_header(identity: Identity, model: str | None = None) -> None:
    """The champion of `model`, and the menu of whoever is here. What was not measured is left out."""
    with st.container(horizontal=True, key="rk-top"):
        slot = None if model is None else st.empty()
        _SLOT.set(slot)
        if model is not None and slot is not None:
            with slot:
                draw_champion(model)
        draw_user_menu(identity)


def draw_champion(model: str) -> None:
    """The champion of `model` and its calibration."""
    try:
        champion = resources().champions.champion(model)
    except WorkbenchError as error:
        draw_html("shared/no_champion.html", model=model, why=str(error))
        return
    _draw_version(champion, "champion")


def name_reader(version: ModelVersion, setup: Setup | None = None, *, is_champion: bool = False) -> None:
    """Let the header name the version that reads the image on show, and say whether it holds for it.

    Args:
        version: that reads it.
        setup: of the image on show; None where nothing is stated of it.
        is_champion: it is the chosen champion, which the header named already.
    """
    slot = _SLOT.get()
    if slot is not None:
        with slot:
            _draw_version(version, "champion" if is_champion else "reads this image", setup)


def _draw_version(version: ModelVersion, standing: str, setup: Setup | None = None) -> None:
    services = resources().services
    drift = services.drift.standing(version.sha256, setup=setup)
    qualified = services.qualifying.words(version.sha256, version.calibration.calibration_id, setup)
    draw_html(
        "shared/champion.html",
        version=version,
        standing=standing,
        state="calibration void" if drift else calibration_state(version),
        drift=drift,
        qualification=qualified,
        is_unqualified=qualified.startswith(NOT_QUALIFIED),
        warning=release_state(version.card),
    )


def draw_user_menu(identity: Identity) -> None:
    """Name and role, the account, and the way out."""
    label = "guest · demo" if identity.is_guest else identity.name
    with st.popover(label, key="rk-user", type="tertiary"):
        if identity.is_guest:
            st.html(
                '<p class="rk-menu">A guest of the demo. What you do here is seen by nobody else and thrown '
                "away after a while.</p>"
            )
            st.html('<a class="rk-menu-link" href="/signin">Sign in</a>')
            st.html(_LEAVE.format(label="End demo"))
            return
        draw_html("shared/user.html", name=identity.name, role=identity.role.label)
        if not identity.must_change_password:
            st.page_link("../pages/account.py", label="Account")
        st.html(_LEAVE.format(label="Sign out"))


def calibration_state(version: ModelVersion) -> str:
    """What kind of image the probabilities of this version were calibrated on; figures stand on its card."""
    return f"calibrated on {IMAGES_IN[version.polarity]}"


def release_state(card: Mapping[str, Any]) -> str:
    """A warning where the card says that the version is below the release threshold, else empty."""
    return "" if (card.get("release") or {}).get("is_released", True) else "below release threshold"
