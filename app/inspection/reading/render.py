"""The dialog that asks for the password again, and says what is signed."""

import streamlit as st

from app.inspection.reading.actions import sign
from app.inspection.setup.rows import summary
from app.inspection.state import Signing, remembered
from app.shared.access import current_identity, current_workspace, identified
from app.shared.components.first_field.first_field import start_in
from app.shared.resources import resources
from app.shared.templates import draw_html
from core.domain.accounts import Identity
from core.domain.grouping import counted
from core.domain.objections import objection_line, objections
from core.domain.override import Override, OverrideReason
from core.domain.reading import Call, setup_from
from core.domain.records import Inspection
from core.domain.signing import INSPECTED, meaning_words
from core.services.inspections.open_readings import OpenReading
from core.services.inspections.seeing import SEEN


def draw_sign_dialog() -> None:
    """Open while something waits to be signed."""
    if remembered().signing is not None:
        _dialog()


def _close() -> None:
    remembered().signing = None


@st.dialog("Sign the inspection", width="medium", on_dismiss=_close)
@identified(touch=True)
def _dialog() -> None:
    signing, identity, workspace = remembered().signing, current_identity(), current_workspace()
    if signing is None:
        st.rerun()
    shown = workspace.open_readings.open(identity, signing.inspection_id)
    part = summary(setup_from(shown.reading.inspection.setup), workspace.judging.rule_sets())
    against = objections_of(shown)
    draw_html(
        "inspection/reading/templates/signing.html",
        facts=signed_facts(shown, identity, part),
        against=objection_line(against),
        caution=caution_of(shown),
    )
    refused = st.container()  # above the fields: what stands below the fold is not seen
    with st.form("sign.form", border=False):
        reason, note = _ask_why() if against else (None, "")
        password = st.text_input(
            "Your password", type="password", autocomplete="current-password", key="sign.password"
        )
        is_sent = st.form_submit_button("Sign", type="primary", key="sign.send")
    if not against:
        start_in("sign.password")
    if is_sent:
        with refused:
            _send(signing, password, against, reason=reason, note=note)


def _ask_why() -> tuple[str | None, str]:
    """The reason and the note with which it is signed in spite of what stands against it."""
    left, right = st.columns((2, 3))
    reason = left.selectbox(
        "Why it is signed all the same",
        [one.value for one in OverrideReason],
        index=None,
        placeholder="choose a reason",
        key="sign.reason",
    )
    note = right.text_input("Note: what was agreed, with whom", max_chars=2_000, key="sign.note")
    return reason, note.strip()


def _send(
    signing: Signing, password: str, against: tuple[str, ...], *, reason: str | None, note: str
) -> None:
    """Sign, or say what is missing."""
    if against and not (reason and note):
        st.error("Choose a reason and write a note, or change the disposition. Nothing was signed.")
    elif not password:
        st.error("Enter your password. Nothing was signed.")
    else:
        override = Override(against, OverrideReason(reason), note) if against and reason else None
        if refusal := sign(signing, password, override):
            st.error(refusal)
            return
        _close()
        st.rerun()


def objections_of(shown: OpenReading) -> tuple[str, ...]:
    """What stands against signing the reading with its disposition."""
    disposition, standing = shown.reading.inspection.disposition, shown.judgement.standing
    return () if disposition is None or standing is None else objections(disposition, standing)


def caution_of(shown: OpenReading) -> str:
    """A warning for the signer beside what stands against the disposition; "" for nothing."""
    if shown.shares is not None:
        return ""
    n_dismissed = sum(one.call is Call.DISMISSED for one in counted(shown.reading.indications))
    unseen = f", and dismissed {n_dismissed}" if n_dismissed else ""
    return f"You have looked at nothing of this radiograph at 1:1 or more{unseen}."


def signed_facts(shown: OpenReading, identity: Identity, part: str) -> dict[str, str]:
    """The facts that the signature is for."""
    reading, inspection = shown.reading, shown.reading.inspection
    counts = {call: sum(one.call is call for one in counted(reading.indications)) for call in Call}
    told = [f"{counts[Call.CONFIRMED]} confirmed", f"{counts[Call.DISMISSED]} dismissed"]
    if counts[Call.OPEN]:
        told.append(f"{counts[Call.OPEN]} not assessed")
    judged, verdict = shown.judgement.summary, shown.judgement.verdict
    if verdict is not None and verdict.caveat:
        judged += f" ({verdict.caveat})"
    return {
        "Radiograph": f"{inspection.image_name}, {inspection.image_sha256[:12]}",
        "Part": part,
        "Model": f"{inspection.model.name} v{inspection.model.version}",
        "Indications": ", ".join(told),
        "Verdict": judged,
        SEEN: shown.shares.words if shown.shares else "nothing of the radiograph",
        "Disposition": disposition_words(inspection),
        "Note": inspection.note or "none",
        "Signed by": _printed_name(identity),
        "Certificate": resources().services.certificates.own(identity)[1].fact,
        "Meaning": meaning_words(INSPECTED),
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
