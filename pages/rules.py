"""Standards: the acceptance tables that verdicts are made with; admins change them, version by version."""

import streamlit as st

from app.admin.rules import render as draw_rules
from app.admin.rules import rules_view as view
from app.shared.access import require_page
from app.shared.resources import resources
from core.domain.accounts import Identity
from core.domain.permissions import Action, may


def draw() -> None:
    """The whole page."""
    identity = require_page("rules")
    rules = resources().services.workspace.rules
    tables = rules.tables(identity)
    names, main = st.columns([2, 9], gap="medium")
    with names, st.container(key="rules-list"):
        draw_rules.draw_list(tables, may_change=may(identity.role, Action.RULES_MANAGE))
    with main, st.container(key="rules-main"):
        draw_chosen(identity, view.chosen_id(tables))


def draw_chosen(identity: Identity, rule_set_id: str) -> None:
    """One table, read, changed or compared."""
    may_change = may(identity.role, Action.RULES_MANAGE)
    if view.is_new(rule_set_id):
        draw_rules.draw_editor(rule_set_id, ())
        return
    versions = resources().services.workspace.rules.history(identity, rule_set_id)
    draw_rules.draw_head(versions[0])
    aspect = draw_rules.draw_aspects(len(versions), may_change=may_change)
    if aspect == view.EDIT and may_change:
        draw_rules.draw_editor(rule_set_id, versions)
    elif aspect == view.VERSIONS:
        draw_rules.draw_versions(versions, may_change=may_change)
    else:
        draw_rules.draw_table(versions[0])


draw()
