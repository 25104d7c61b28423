"""The thin header: model in charge and its calibration state, and who is here, beside the navigation."""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from app.shared.resources import resources
from core.domain.accounts import Identity
from core.domain.errors import WorkbenchError

_STYLES = tuple(
    Path(__file__).with_name(name) for name in ("style.css", "records.css", "jobs.css", "compare.css")
)
_LEAVE = (
    '<form class="rk-leave" method="post" action="/signout"><button type="submit">{label}</button></form>'
)


def draw_style() -> None:
    """The style of the whole page."""
    st.html(f"<style>{''.join(path.read_text(encoding='utf-8') for path in _STYLES)}</style>")


def draw_header(identity: Identity, model: str | None = None) -> None:
    """Who is in charge of `model`, and the menu of whoever is here. What was not measured is left out."""
    with st.container(horizontal=True, key="rk-top"):
        if model is not None:
            st.html(champion_line(model))
        draw_user_menu(identity)


def champion_line(model: str) -> str:
    """The champion of `model` and its calibration state, as HTML."""
    try:
        champion = resources().champions.champion(model)
    except WorkbenchError as error:
        return (
            f'<div class="rk-header" role="status"><b>no {escape(model)} model</b>'
            f"<span>{escape(str(error))}</span></div>"
        )
    calibration = champion.calibration
    state = calibration_state(champion.card, calibration.method)
    how = f"{calibration.method}, fitted on {calibration.fitted_on}; id {calibration.calibration_id}"
    told, shown = escape(f"{state}: {how}"), escape(state)
    return (
        f'<div class="rk-header"><span><b>{escape(model)} v{champion.version}</b> (champion)</span>'
        f'<span class="rk-muted" title="{told}">{shown}</span>'
        f"{_release_note(champion.card)}</div>"
    )


def draw_user_menu(identity: Identity) -> None:
    """Name and role, and what one can do about them."""
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
        st.html(
            f'<p class="rk-menu"><b>{escape(identity.name)}</b>'
            f'<span class="rk-muted">{escape(identity.role.label)}</span></p>'
        )
        if not identity.must_change_password:
            st.page_link("../pages/account.py", label="Account")
        st.html(_LEAVE.format(label="Sign out"))


def _release_note(card: Mapping[str, Any]) -> str:
    """Where a version is below the release threshold: the words, with the figure one hover away."""
    state = release_state(card)
    if not state:
        return ""
    return (
        f'<span class="rk-warn" title="{escape(str(card["release"].get("note", "")))}">{escape(state)}</span>'
    )


def calibration_state(card: Mapping[str, Any], method: str) -> str:
    """How well calibrated and on what; the figure only where the card's first evaluation states one."""
    measured = next(iter(card.get("evaluation") or ()), {})
    d_ece = measured.get("d_ece")
    if isinstance(d_ece, int | float):
        return f"calibrated {d_ece:.3f} D-ECE on {measured.get('on', 'unnamed parts')}"
    return f"calibrated ({method})"


def release_state(card: Mapping[str, Any]) -> str:
    """What to warn of: the release threshold where the card says that it was not reached, else nothing."""
    release = card.get("release") or {}
    return "" if release.get("is_released", True) else "below release threshold"
