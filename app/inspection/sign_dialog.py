"""The dialog that asks for the password again, and says what is signed."""

from html import escape

import streamlit as st

from app.inspection.setup_form import summary
from app.shared import state
from app.shared.access import client_address, current_identity, identified
from app.shared.components.first_field.first_field import start_in
from app.shared.incident import incident
from app.shared.resources import resources
from core.domain.accounts import Identity
from core.domain.errors import WorkbenchError
from core.domain.reading import Call, setup_from
from core.services.inspections.open_readings import OpenReading, open_reading
from core.services.inspections.signing_off import INSPECTED


def draw_sign_dialog() -> None:
    """Open while something waits to be signed."""
    if state.reading_state().signing is not None:
        _dialog()


def _close() -> None:
    state.reading_state().signing = None


@st.dialog("Sign the inspection", on_dismiss=_close)
@identified(touch=True)
def _dialog() -> None:
    signing, identity = state.reading_state().signing, current_identity()
    if signing is None:
        st.rerun()
    workspace = resources().services.workspace_of(identity)
    shown = open_reading(workspace.store, identity, signing.inspection_id)
    part = summary(setup_from(shown.reading.inspection.setup), workspace.judging.rule_sets())
    st.html(_content(shown, identity, part))
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
    elif refusal := _sign(signing, identity, password):
        st.error(refusal)
    else:
        _close()
        st.rerun()


def _sign(signing: state.Signing, identity: Identity, password: str) -> str:
    """Why nothing was signed; empty when it was."""
    workspace = resources().services.workspace_of(identity)
    try:
        workspace.signing_off.sign(
            identity,
            signing.inspection_id,
            password,
            expected_version=signing.version,
            expected_reading=signing.reading_version,
            address=client_address(),
        )
    except WorkbenchError as error:
        return f"Nothing was signed: {error}. Your reading is saved."
    except Exception:  # noqa: BLE001 - the page's edge: logged, told
        return incident("Signing")
    return ""


def _content(shown: OpenReading, identity: Identity, part: str) -> str:
    """What the signature is for, as HTML."""
    reading, inspection = shown.reading, shown.reading.inspection
    counts = {call: sum(one.call is call for one in reading.indications) for call in Call}
    told = [f"{counts[Call.CONFIRMED]} confirmed", f"{counts[Call.DISMISSED]} dismissed"]
    if counts[Call.OPEN]:
        told.append(f"{counts[Call.OPEN]} still open: the verdict counts them")
    verdict = shown.judgement.verdict
    judged = verdict.verdict.value if verdict else f"none: {'; '.join(shown.judgement.withheld)}"
    if verdict is not None and verdict.caveat:
        judged += f" ({verdict.caveat})"
    rows = [
        ("Radiograph", f"{inspection.image_name}, {inspection.image_sha256[:12]}"),
        ("Part", part),
        ("Model", f"{inspection.model.name} v{inspection.model.version}"),
        ("Indications", ", ".join(told)),
        ("Verdict of the rule", judged),
        ("Disposition", inspection.disposition.value if inspection.disposition else "none"),
        ("Note", inspection.note or "none"),
        ("Signed by", _printed_name(identity)),
        ("Meaning", f"{INSPECTED}: I read this radiograph and stand by this result"),
        ("Time", "UTC, when you press Sign"),
    ]
    cells = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in rows)
    return (
        f'<dl class="rk-facts">{cells}</dl><p class="rk-muted">After that nothing about it changes any more; '
        "a correction is a new revision.</p>"
    )


def _printed_name(identity: Identity) -> str:
    user = resources().services.own_account.find(identity)
    return f"{user.full_name} ({user.shown_name})" if user.full_name else user.shown_name
