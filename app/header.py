"""The thin header: model in charge and its calibration state, beside the navigation."""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from app.resources import resources
from core.domain.errors import WorkbenchError

_STYLE = Path(__file__).with_name("style.css")


def draw_header(model: str) -> None:
    """Style of the whole page, and who is in charge of `model`. What was not measured is left out."""
    st.html(f"<style>{_STYLE.read_text(encoding='utf-8')}</style>")
    try:
        champion = resources().champions.champion(model)
    except WorkbenchError as error:
        st.html(
            f'<div class="rk-header" role="status"><b>no {escape(model)} model</b>'
            f"<span>{escape(str(error))}</span></div>"
        )
        return
    calibration = champion.calibration
    told = escape(f"{calibration.method}, fitted on {calibration.fitted_on}; id {calibration.calibration_id}")
    shown = escape(calibration_state(champion.card, calibration.method))
    st.html(
        f'<div class="rk-header"><span><b>{escape(model)} v{champion.version}</b> (champion)</span>'
        f'<span class="rk-muted" title="{told}">{shown}</span>'
        f"{_release_note(champion.card)}"
        f'<span class="rk-muted">guest</span></div>'
    )


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
