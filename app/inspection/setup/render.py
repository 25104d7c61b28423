"""The form of the setup: the part, the rule, the wire IQI; of one image, or of all on the worklist."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.inspection.items import WorklistItem, radiograph_of
from app.inspection.setup.actions import apply_setup, use_template
from app.inspection.setup.exposure import draw_group
from app.inspection.setup.numbering import draw_numbering
from app.inspection.setup.rows import offered_tables, rule_title, summary, wire_set_title, wire_title
from app.inspection.state import SCOPE_KEY, TEMPLATE_KEY, Scope, chosen_scope, remembered
from app.shared.access import current_workspace
from core.domain.exposure import Exposure, Group, stated_by_file
from core.domain.reading import Setup, setup_from
from core.domain.records import Inspection
from core.domain.wire_sets import WIRE_DIAMETERS_MM, WIRE_SETS
from core.standards.rule_set import RuleSet

TECHNIQUES = ("film", "computed radiography (CR)", "digital detector (DR)")
_MM: dict[str, Any] = {"min_value": 0.0, "step": 0.5, "format": "%.2f", "placeholder": "not known"}
_SRB: dict[str, Any] = {**_MM, "step": 0.01, "format": "%.3f"}
_POLARITIES = {
    None: "estimated from the image, asked where unsure",
    "film": "film: less metal is darker",
    "digital": "digital: less metal is brighter",
}
_SIDES = {None: "not known", True: "one side", False: "both sides"}


def draw_setup(item: WorklistItem | None, inspection: Inspection | None) -> None:
    """The form behind one button; its label sums the setup up.

    Args:
        item: the image on show, None when there is none: then it counts for images that are handed in next.
        inspection: of it, None before there is one.
    """
    page, workspace = remembered(), current_workspace()
    shown = setup_of(item, inspection, page.setup)
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
        is_this = _draw_scope(item)
        if is_this and inspection is not None and not inspection.is_open:
            st.caption("The inspection is signed: its setup stays.")
        if outcome and not is_done:
            st.error(outcome)
        if templates := workspace.worklist.templates():
            st.selectbox("Template", sorted(templates), index=None, placeholder="Take a template",
                         key=TEMPLATE_KEY, on_change=use_template, args=(item, inspection, shown),
                         label_visibility="collapsed")  # fmt: skip
        offered = offered_tables(tables, item and item.entry.model, shown.standard)
        by_id = {table.rule_set_id: table for table in offered}
        sent = _draw_form(shown, item, by_id, _of_file(item), is_this=is_this)
        if not is_this:
            draw_numbering()
    if sent is not None:
        apply_setup(*sent, item, inspection, shown)
        st.rerun()


def setup_of(item: WorklistItem | None, inspection: Inspection | None, coming: Setup) -> Setup:
    """The setup of the image on show; `coming` where there is none."""
    if inspection is not None:
        return setup_from(inspection.setup)
    return coming if item is None else item.entry.setup


def _of_file(item: WorklistItem | None) -> Exposure:
    """What the file of the image on show states of its exposure."""
    radiograph = None if item is None else radiograph_of(item)
    return Exposure() if radiograph is None else stated_by_file(radiograph.fields)


def _draw_scope(item: WorklistItem | None) -> bool:
    """The choice which images a change counts for; True where it is the one on show alone."""
    if item is None:
        st.caption("Counts for images that are handed in next.")
        return False
    st.segmented_control("Counts for", list(Scope), format_func=str, default=Scope.THIS, key=SCOPE_KEY,
                         label_visibility="collapsed")  # fmt: skip
    is_this = chosen_scope() is Scope.THIS
    also = "" if is_this else " Images that are handed in next get it, too; each keeps its own numbers."
    st.caption(f"{item.entry.name} alone." if is_this else f"Every image that is not signed.{also}")
    return is_this


def _draw_form(
    shown: Setup,
    item: WorklistItem | None,
    tables: Mapping[str, RuleSet],
    of_file: Exposure,
    *,
    is_this: bool,
) -> tuple[dict[str, Any], str] | None:
    """The form; its fields and the name of a template once it was sent."""
    key = f"setup.{item.entry.key if item else 'new'}.{hash(shown)}.{is_this}"
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
        if is_this:
            fields |= _own_fields(shown, key)
        made: dict[str, Any] = {}
        for tab, group in zip(st.tabs([group.value for group in Group]), Group, strict=True):
            with tab:
                if group is Group.PART:
                    fields |= _part_fields(shown, key)
                if group is Group.QUALITY:
                    fields |= _indicator_fields(shown, key)
                if group is Group.DETECTOR:
                    fields["polarity"] = st.selectbox(
                        "Polarity of new radiographs",
                        list(_POLARITIES),
                        index=list(_POLARITIES).index(remembered().setup.polarity),
                        format_func=_POLARITIES.__getitem__,
                        key=f"{key}.polarity",
                        help="For files that do not state it: PNG and TIFF never do, DICONDE does. "
                        "That of a radiograph on the worklist is changed with the key p.",
                    )
                made |= draw_group(group, shown.exposure, of_file, f"{key}.x")
        left, right = st.columns([1, 2], gap="small", vertical_alignment="bottom")
        is_sent = left.form_submit_button("Apply", type="primary", key=f"{key}.apply")
        name = right.text_input(
            "Keep as template",
            placeholder="Keep as template: name",
            key=f"{key}.name",
            label_visibility="collapsed",
        )
    fields["standard"], fields["exposure"] = standard, made
    return (fields, name) if is_sent else None


def _part_fields(shown: Setup, key: str) -> dict[str, Any]:
    """The part and its lengths."""
    fields: dict[str, Any] = {}
    first, second, third, fourth = st.columns(4, gap="small")
    fields["part"] = first.text_input("Part", shown.part, key=f"{key}.part")
    fields["material"] = second.text_input("Material", shown.material, key=f"{key}.material")
    techniques = sorted({"", *TECHNIQUES, shown.technique})
    fields["technique"] = third.selectbox(
        "Technique",
        techniques,
        index=techniques.index(shown.technique),
        format_func=lambda one: one or "not stated",
        key=f"{key}.technique",
    )
    fields["is_single_sided"] = fourth.selectbox(
        "Welded from",
        list(_SIDES),
        index=list(_SIDES).index(shown.is_single_sided),
        format_func=_SIDES.__getitem__,
        key=f"{key}.sides",
    )
    first, second, third, fourth = st.columns(4, gap="small", vertical_alignment="bottom")
    fields["wall_mm"] = _mm(first.number_input("Wall t, mm", value=shown.wall_mm, key=f"{key}.t", **_MM))
    s_mm = _mm(second.number_input("Butt weld s, mm", value=shown.thickness_mm, key=f"{key}.s", **_MM))
    is_same = third.toggle(
        "s same as t",
        value=shown.thickness_mm is not None and shown.thickness_mm == shown.wall_mm,
        key=f"{key}.same",
        help="True of a butt weld with full penetration; nobody but you knows whether it is one.",
    )
    fields["weld_length_mm"] = _mm(
        fourth.number_input("Weld length, mm", value=shown.weld_length_mm, key=f"{key}.length", **_MM)
    )
    fields["thickness_mm"] = fields["wall_mm"] if is_same else s_mm
    return fields


def _own_fields(shown: Setup, key: str) -> dict[str, Any]:
    """The numbers that belong to this image alone."""
    weld, film, position = st.columns(3, gap="small")
    return {
        "weld_number": weld.text_input("Weld number", shown.weld_number, key=f"{key}.weld"),
        "film_number": film.text_input("Film number", shown.film_number, key=f"{key}.film"),
        "position": position.text_input("Position", shown.position, key=f"{key}.position"),
    }


def _indicator_fields(shown: Setup, key: str) -> dict[str, Any]:
    """The fields by which the image-quality gate judges the wire IQI and normalises the noise."""
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
