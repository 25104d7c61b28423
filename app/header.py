"""The thin header: model in charge and its calibration state, beside the navigation."""

from html import escape
from pathlib import Path

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
        f'<span class="rk-muted">guest</span></div>'
    )


def calibration_state(card: object, method: str) -> str:
    """In a few words how well calibrated; the figure only where the card states one."""
    metrics = card.get("metrics", {}) if hasattr(card, "get") else {}
    d_ece = metrics.get("d_ece") if hasattr(metrics, "get") else None
    if isinstance(d_ece, int | float):
        return f"calibrated {d_ece:.3f} D-ECE"
    return f"calibrated ({method})"
