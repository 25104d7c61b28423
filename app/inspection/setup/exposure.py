"""The fields of the exposure in the form of the setup, those of one group at a time."""

from dataclasses import Field
from typing import Any

import streamlit as st

from core.domain.exposure import Exposure, Group, exposure_fields, value_words

_COLUMNS = 5


def draw_group(group: Group, shown: Exposure, of_file: Exposure, key: str) -> dict[str, Any]:
    """The widgets of a group; their values by field.

    Args:
        group: which.
        shown: what was stated so far.
        of_file: what the file states; it stands in an empty field with its source.
        key: beginning of the widgets' keys.
    """
    wanted = [one for one in exposure_fields() if one.metadata["group"] is group]
    values: dict[str, Any] = {}
    for start in range(0, len(wanted), _COLUMNS):
        columns = st.columns(_COLUMNS, gap="small")
        for column, one in zip(columns, wanted[start : start + _COLUMNS], strict=False):
            with column:
                values[one.name] = _field(
                    one, getattr(shown, one.name), _hint(one, of_file), f"{key}.{one.name}"
                )
    return values


def _field(one: Field[Any], value: Any, hint: str, key: str) -> Any:
    about = one.metadata
    if "highest" in about:
        unit = about["unit"]
        label = f"{about['label']}, {unit}" if unit not in ("", "W") else about["label"]
        return st.number_input(label, 0.0, about["highest"] * 1.0, value=value, step=None, format="%.6g",
                               placeholder=hint, key=key) or None  # fmt: skip
    if about["choices"]:
        choices = list(dict.fromkeys((*about["choices"], *([value] if value else []))))
        return st.selectbox(about["label"], choices, index=choices.index(value) if value else None,
                            placeholder=hint, accept_new_options=one.name != "testing_class",
                            key=key) or ""  # fmt: skip
    return st.text_input(about["label"], value, placeholder=hint, key=key)


def _hint(one: Field[Any], of_file: Exposure) -> str:
    value = getattr(of_file, one.name)
    if value not in (None, ""):
        return f"{value_words(one, value)} (DICONDE)"
    return "2026-03-01" if one.name == "exposed_on" else "not stated"
