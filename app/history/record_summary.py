"""One inspection to read: what was found, said, decided and signed. Nothing here changes anything."""

from html import escape

import streamlit as st

from app.shared import state
from app.shared.access import acting, current_identity, current_workspace
from app.shared.navigation import page_at
from app.shared.worklist import worklists
from core.domain.accounts import Identity
from core.domain.reading import Call, ReadIndication, setup_from
from core.domain.records import Disposition, Inspection
from core.domain.wire_sets import indicator_words
from core.services.inspections.inspection_record import InspectionRecord, is_blind_for

_CALLS = {Call.OPEN: "not judged yet", Call.CONFIRMED: "confirmed", Call.DISMISSED: "dismissed"}
_LAID = "record.laid"
_REPORTS = (("PDF", "pdf"), ("CSV", "csv"), ("JSON", "json"))


def draw_summary(record: InspectionRecord, identity: Identity) -> None:
    """Picture, facts, indications, signatures and reviews, and where to go on."""
    inspection = record.inspection
    is_blind = is_blind_for(identity, inspector_id=inspection.inspector_id, state=inspection.state)
    setup = setup_from(inspection.setup)
    title = " · ".join(filter(None, (setup.part, setup.weld_number and f"weld {setup.weld_number}")))
    name, picture = escape(inspection.image_name), f"/records/{inspection.inspection_id}/picture"
    st.html(
        f'<div class="rk-record"><h2>{escape(title) or name}</h2>'
        f'<img src="{picture}" alt="radiograph {name}">'
        f"{_facts(record, is_blind=is_blind)}</div>"
    )
    if is_blind:
        st.html('<p class="rk-muted">You may be the second person for this one: what was found and decided '
                "stays hidden until you have saved your own reading.</p>")  # fmt: skip
        st.page_link(page_at("second-review").file, label="Review it", icon=":material/rate_review:",
                     query_params={"inspection": inspection.inspection_id})  # fmt: skip
        return
    st.html(_indications(record) + _said(record))
    draw_links(record, identity)


def draw_links(record: InspectionRecord, identity: Identity) -> None:
    """The inspection page, for whoever works there, and the reports."""
    inspection = record.inspection
    with st.container(horizontal=True, vertical_alignment="center", key="record-links"):
        if identity.role in page_at("").roles and inspection.inspector_id == identity.user_id:
            st.button("Open on Inspect", icon=":material/radiology:", type="tertiary", key="record.inspect",
                      on_click=lay_on_table, args=(inspection,),
                      help="Lays the radiograph on your table again; the present model version "
                      "reads it.")  # fmt: skip
            if st.session_state.pop(_LAID, None) == inspection.inspection_id:
                st.switch_page(page_at("").file, query_params={"image": inspection.image_sha256})
        links = " ".join(
            f'<a class="rk-report" href="/reports/{inspection.inspection_id}.{suffix}" download>{name}</a>'
            for name, suffix in _REPORTS
        )
        st.html(f'<span class="rk-reports">Report: {links}</span>')


@acting
def lay_on_table(inspection: Inspection) -> None:
    """Lay the radiograph of one's own inspection on the table again; only from a callback."""
    identity = current_identity()
    worklist, setup = worklists().of(identity), setup_from(inspection.setup)
    entry = worklist.with_digest(inspection.image_sha256)
    if entry is None:
        key = worklist.expect(inspection.image_name, inspection.polarity, setup)
        worklist.store(key, inspection.image_sha256)
        current_workspace().worklist.put(
            identity, key, inspection.image_sha256, inspection.image_name, inspection.polarity, setup
        )
    else:
        key = entry.key
    state.show_entry(key)
    state.choose_model(inspection.model.name)
    st.session_state[_LAID] = inspection.inspection_id


def _facts(record: InspectionRecord, *, is_blind: bool) -> str:
    inspection, setup = record.inspection, setup_from(record.inspection.setup)
    lengths = [
        f"{name} {value:g} mm"
        for name, value in (("t", setup.wall_mm), ("s", setup.thickness_mm), ("weld", setup.weld_length_mm))
        if value is not None
    ]
    rule = (
        f"{inspection.standard}, level {inspection.quality_level}" if inspection.standard else "none chosen"
    )
    said = _disposition(inspection.disposition) if not is_blind else "hidden"
    described = ", ".join(filter(None, (setup.material, setup.technique, *lengths))) or "not described"
    made_by = escape(record.name(inspection.inspector_id))
    facts = [
        ("Image", escape(inspection.image_name)),
        ("Made", f"{inspection.created_at:%Y-%m-%d %H:%M:%S} UTC by {made_by}"),
        ("Model", f"{escape(inspection.model.name)} v{inspection.model.version}, calibration "
                  f"{escape(inspection.model.calibration_id)}"),
        ("Part", escape(described)),
        ("Rule", escape(rule)),
        ("Wire IQI", escape(indicator_words(setup.wire_set, setup.required_wire))),
        ("Disposition", said),
        ("State", escape(inspection.state.value)),
        ("Note", escape(inspection.note) if inspection.note and not is_blind else ""),
        ("Corrects", f'<a href="/history?inspection={inspection.revision_of}">an earlier inspection</a>'
                     if inspection.revision_of else ""),
        ("Id", inspection.inspection_id),
    ]  # fmt: skip
    shown = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts if value)
    return f'<dl class="rk-facts">{shown}</dl>'


def _disposition(disposition: Disposition | None) -> str:
    return f'<span class="rk-{disposition.value}">{disposition.value}</span>' if disposition else "undecided"


def _indications(record: InspectionRecord) -> str:
    if not record.reading.indications:
        return '<p class="rk-muted">No indication above the operating point was reported or added.</p>'
    lines = "".join(
        f"<tr><td>{number}</td><td>{escape(_kind(one))}</td><td>{_probability(one)}</td>"
        f"<td>{_CALLS[one.call]}</td></tr>"
        for number, one in enumerate(record.reading.indications, 1)
    )
    return (
        '<table class="rk-found"><thead><tr><th>#</th><th>indication</th><th>p</th><th>said</th></tr></thead>'
        f"<tbody>{lines}</tbody></table>"
    )


def _kind(one: ReadIndication) -> str:
    return one.indication_class.value.replace("_", " ") + (f" ({one.iso6520})" if one.iso6520 else "")


def _probability(one: ReadIndication) -> str:
    return "added" if one.probability is None else f"{one.probability:.2f}"


def _said(record: InspectionRecord) -> str:
    lines = [
        f"{escape(record.name(one.signer_id))}: {escape(one.meaning)}, {one.signed_at:%Y-%m-%d %H:%M:%S} UTC"
        for one in record.signatures
    ]
    for one in record.reviews:
        own = f", own disposition {one.own_disposition.value}" if one.own_disposition else ""
        note = f": {escape(one.note)}" if one.note else ""
        lines.append(
            f"{escape(record.name(one.reviewer_id))} {one.outcome.value}{own}, "
            f"{one.created_at:%Y-%m-%d %H:%M:%S} UTC{note}"
        )
    if not lines:
        return '<p class="rk-muted">Nobody signed yet.</p>'
    return '<ul class="rk-signed">' + "".join(f"<li>{line}</li>" for line in lines) + "</ul>"
