"""The choice of the model on pages that show one model at a time; the header names the same one."""

from collections.abc import Callable, Sequence

import streamlit as st

from app.shared.resources import MODELS
from app.shared.state import MODEL_KEY, put_model_into_address


def draw_model_choice(
    models: Sequence[str] = MODELS, on_change: Callable[[], None] = put_model_into_address
) -> None:
    """Draw the choice of a registered model."""
    st.segmented_control("Model", models, key=MODEL_KEY, format_func=str.capitalize, on_change=on_change)
