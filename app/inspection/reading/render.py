"""The dialog that asks for the password again, and says what is signed."""

import streamlit as st

from app.inspection.reading.actions import sign
from app.inspection.setup.rows import summary
from app.inspection.state import remembered
from app.shared.access import current_identity, current_workspace, identified
from app.shared.components.first_field.first_field import start_in
from app.shared.resources import resources
from app.shared.templates import draw_html
from core.domain.accounts import Identity
from core.domain.reading import Call, setup_from
from core.domain.records import Inspection
from core.services.inspections.open_readings import OpenReading
from core.services.inspections.signing_off import INSPECTED


def draw_sign_dialog() -> None:
    """Open while something waits to be signed."""
    if remembered().signing is not None:
        _dialog()


def _close() -> None:
    remembered().signing = None


@st.dialog("Sign the inspection", on_dismiss=_close)
@identified(touch=True)
def _dialog() -> None:
    signing, identity, workspace = remembered().signing, current_identity(), current_workspace()
    if signing is None:
        st.rerun()
    shown = workspace.open_readings.open(identity, signing.inspection_id)
    part = summary(setup_from(shown.reading.inspection.setup), workspace.judging.rule_sets())
    draw_html("inspection/reading/templates/signing.html", facts=signed_facts(shown, identity, part))
    with st.form("sign.form", border=False):
        password = st.text_input(
            "Your password", type="password", autocomplete="current-password", key="sign.password"
        )
        is_sent = st.form_submit_button("Sign", type="primary", key="sign.send")
    start_in("sign.password")
    if not is_sent:
        return
    if not password:
        st.error("Enter your password. Nothing was signed.")
    elif refusal := sign(signing, password):
        st.error(refusal)
    else:
        _close()
        st.rerun()


def signed_facts(shown: OpenReading, identity: Identity, part: str) -> dict[str, str]:
    """The facts that the signature is for."""
    reading, inspection = shown.reading, shown.reading.inspection
    counts = {call: sum(one.call is call for one in reading.indications) for call in Call}
    told = [f"{counts[Call.CONFIRMED]} confirmed", f"{counts[Call.DISMISSED]} dismissed"]
    if counts[Call.OPEN]:
        told.append(f"{counts[Call.OPEN]} still open: the verdict counts them")
    verdict = shown.judgement.verdict
    judged = verdict.verdict.value if verdict else f"none: {'; '.join(shown.judgement.withheld)}"
    if verdict is not None and verdict.caveat:
        judged += f" ({verdict.caveat})"
    return {
        "Radiograph": f"{inspection.image_name}, {inspection.image_sha256[:12]}",
        "Part": part,
        "Model": f"{inspection.model.name} v{inspection.model.version}",
        "Indications": ", ".join(told),
        "Verdict of the rule": judged,
        "Disposition": disposition_words(inspection),
        "Note": inspection.note or "none",
        "Signed by": _printed_name(identity),
        "Certificate": resources().services.certificates.own(identity)[1].fact,
        "Meaning": f"{INSPECTED}: I read this radiograph and stand by this result",
        "Time": "UTC, when you press Sign",
    }


def disposition_words(inspection: Inspection) -> str:
    """The disposition, with the reason for another exposure."""
    if inspection.disposition is None:
        return "none"
    reason = f": {inspection.reshoot_reason.value}" if inspection.reshoot_reason else ""
    return f"{inspection.disposition.word}{reason}"


def _printed_name(identity: Identity) -> str:
    user = resources().services.own_account.find(identity)
    return f"{user.full_name} ({user.shown_name})" if user.full_name else user.shown_name
