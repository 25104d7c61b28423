"""Standards: the acceptance tables that verdicts are made with; admins change them, version by version."""

import streamlit as st

from app.admin.rules import render, state
from app.shared.access import require_page
from app.shared.resources import resources
from core.domain.accounts import Identity
from core.domain.permissions import Action, may


def draw() -> None:
    """Draw the page."""
    identity = require_page("rules")
    rules = resources().services.workspace.rules
    tables = rules.tables(identity)
    names, main = st.columns([2, 9], gap="medium")
    with names, st.container(key="rules-list"):
        chosen = render.draw_list(tables, may_change=may(identity.role, Action.RULES_MANAGE))
    with main, st.container(key="rules-main"):
        draw_chosen(identity, chosen)


def draw_chosen(identity: Identity, rule_set_id: str) -> None:
    """One table, read, changed or compared."""
    may_change = may(identity.role, Action.RULES_MANAGE)
    if state.is_new(rule_set_id):
        render.draw_editor(rule_set_id, ())
        return
    versions = resources().services.workspace.rules.history(identity, rule_set_id)
    render.draw_head(versions[0])
    aspect = render.draw_aspects(len(versions), may_change=may_change)
    if aspect == state.EDIT and may_change:
        render.draw_editor(rule_set_id, versions)
    elif aspect == state.VERSIONS:
        render.draw_versions(versions, may_change=may_change)
    else:
        render.draw_table(versions[0])


draw()
