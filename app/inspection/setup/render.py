"""The form of the setup: the part, the rule, the wire indicator; for the image on show and coming ones."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.inspection.setup.actions import apply_setup, use_template
from app.inspection.setup.rows import rule_title, summary, wire_set_title, wire_title
from app.inspection.state import TEMPLATE_KEY, remembered
from app.shared.access import current_workspace
from core.domain.reading import Setup, setup_from
from core.domain.records import Inspection
from core.domain.wire_sets import WIRE_DIAMETERS_MM, WIRE_SETS
from core.standards.rule_set import RuleSet

TECHNIQUES = ("film", "computed radiography (CR)", "digital detector (DR)")
_MM: dict[str, Any] = {"min_value": 0.0, "step": 0.5, "format": "%.2f", "placeholder": "not known"}
_SRB: dict[str, Any] = {**_MM, "step": 0.01, "format": "%.3f"}
_SIDES = {None: "not known", True: "one side", False: "both sides"}


def draw_setup(inspection: Inspection | None) -> None:
    """The form behind one button; its label sums the setup up.

    Args:
        inspection: the one on show; None before there is one, then it counts for new images only.
    """
    page, workspace = remembered(), current_workspace()
    shown = setup_from(inspection.setup) if inspection else page.setup
    tables = workspace.judging.rule_sets()
    is_done, outcome = page.take_outcome()
    if is_done and outcome:
        st.toast(outcome)
    with st.popover(
        summary(shown, tables),
        icon=":material/tune:",
        key=f"setup.{page.n_applied}",  # closes once it was applied
        help="What is inspected, and by which rule",
    ):
        if inspection is not None and not inspection.is_open:
            st.caption("The inspection is signed: its setup stays. A change counts for new images.")
        if outcome and not is_done:
            st.error(outcome)
        if templates := workspace.worklist.templates():
            st.selectbox("Template", sorted(templates), index=None, placeholder="Take a template",
                         key=TEMPLATE_KEY, on_change=use_template, args=(inspection, shown),
                         label_visibility="collapsed")  # fmt: skip
        _draw_form(shown, inspection, {table.rule_set_id: table for table in tables})


def _draw_form(shown: Setup, inspection: Inspection | None, tables: Mapping[str, RuleSet]) -> None:
    key = f"setup.{inspection.inspection_id if inspection else 'new'}.{hash(shown)}"
    fields: dict[str, Any] = {}
    standard = st.selectbox(
        "Standard",
        [None, *tables],
        index=[None, *tables].index(shown.standard) if shown.standard in tables else 0,
        format_func=lambda one: rule_title(tables.get(one)),
        key=f"{key}.standard",
    )
    with st.form(f"{key}.form", border=False):
        fields["quality_level"] = _level(tables.get(standard or ""), shown, f"{key}.{standard}.level")
        left, middle, right = st.columns(3, gap="small")
        fields["part"] = left.text_input("Part", shown.part, key=f"{key}.part")
        fields["weld_number"] = middle.text_input("Weld number", shown.weld_number, key=f"{key}.weld")
        fields["material"] = right.text_input("Material", shown.material, key=f"{key}.material")
        fields["technique"] = left.selectbox(
            "Technique",
            sorted({"", *TECHNIQUES, shown.technique}),
            index=sorted({"", *TECHNIQUES, shown.technique}).index(shown.technique),
            format_func=lambda one: one or "not stated",
            key=f"{key}.technique",
        )
        fields["wall_mm"] = _mm(middle.number_input("Wall t, mm", value=shown.wall_mm, key=f"{key}.t", **_MM))
        s_mm = _mm(right.number_input("Butt weld s, mm", value=shown.thickness_mm, key=f"{key}.s", **_MM))
        is_same = right.toggle(
            "same as t",
            value=shown.thickness_mm is not None and shown.thickness_mm == shown.wall_mm,
            key=f"{key}.same",
            help="True of a butt weld with full penetration; nobody but you knows whether it is one.",
        )
        fields["weld_length_mm"] = _mm(
            middle.number_input("Weld length, mm", value=shown.weld_length_mm, key=f"{key}.length", **_MM)
        )
        fields["is_single_sided"] = left.selectbox(
            "Welded from",
            list(_SIDES),
            index=list(_SIDES).index(shown.is_single_sided),
            format_func=_SIDES.__getitem__,
            key=f"{key}.sides",
        )
        fields |= _indicator_fields(shown, key)
        left, right = st.columns([1, 2], gap="small", vertical_alignment="bottom")
        is_sent = left.form_submit_button("Apply", type="primary", key=f"{key}.apply")
        name = right.text_input("Keep as template", placeholder="name", key=f"{key}.name")
    fields["thickness_mm"] = fields["wall_mm"] if is_same else s_mm
    fields["standard"] = standard
    if is_sent:
        apply_setup(fields, name, inspection, shown)
        st.rerun()


def _indicator_fields(shown: Setup, key: str) -> dict[str, Any]:
    """The fields by which the image-quality gate judges the wire indicator and normalises the noise."""
    left, middle, right = st.columns(3, gap="small")
    sets = [None, *WIRE_SETS]
    wire_set = left.selectbox(
        "Wire IQI",
        sets,
        index=sets.index(shown.wire_set),
        format_func=wire_set_title,
        key=f"{key}.wire_set",
        help="The set that was laid on, as its lead lettering says: first wire and material (ISO 19232-1).",
    )
    wires = [None, *WIRE_DIAMETERS_MM]
    required_wire = middle.selectbox(
        "Required wire",
        wires,
        index=wires.index(shown.required_wire),
        format_func=wire_title,
        key=f"{key}.wire",
        help="The thinnest wire that has to be visible, by technique, thickness and class "
        "(ISO 17636-1 and -2, annex B). Fewer visible wires withhold the verdict.",
    )
    srb_mm = right.number_input(
        "SRb, mm",
        value=shown.srb_mm,
        key=f"{key}.srb",
        help="Basic spatial resolution, from a duplex wire IQI (ISO 19232-5): the SNR is then told "
        "normalised, as SNRn.",
        **_SRB,
    )
    return {"wire_set": wire_set, "required_wire": required_wire, "srb_mm": _mm(srb_mm)}


def _level(table: RuleSet | None, shown: Setup, key: str) -> str | None:
    if table is None:
        return None
    ids = [level.level_id for level in table.levels]
    titles = {level.level_id: level.title for level in table.levels}
    at = ids.index(shown.quality_level) if shown.quality_level in ids else (0 if len(ids) == 1 else None)
    return st.selectbox(
        "Level", ids, index=at, format_func=lambda one: titles[one], placeholder="choose a level", key=key
    )


def _mm(value: float | None) -> float | None:
    """0 stands for "not known": a number that was entered cannot be emptied again."""
    return value or None
