"""Draws the parts of the page of acceptance rules."""

from collections.abc import Sequence

import streamlit as st

from app.admin.rules import actions, state
from app.admin.rules.rows import head_facts, summary, table_content, version_name, version_rows
from app.shared.lists.render import draw_rows
from app.shared.moments import minute
from app.shared.templates import draw_html, draw_said
from core.domain.errors import RuleSetError
from core.services.inspections.rule_editing import RuleSetVersion, difference
from core.standards.reading import read_rule_set
from core.standards.rule_set import Stance

_EDITOR_PX, _VERSIONS_PX = 560, 300
_ILLUSTRATIVE = "Illustrative: verify against a purchased edition"
_LIMIT_MARKS = {
    Stance.NOT_PERMITTED.value: "rk-no",
    Stance.UNKNOWN.value: "rk-unknown",
    Stance.NOT_STATED.value: "rk-unknown",
}
_LINE_MARKS = {"+": "rk-plus", "-": "rk-minus", "@": "rk-at"}


def draw_list(tables: Sequence[RuleSetVersion], *, may_change: bool) -> str:
    """The list of tables, and the form for a new one; the id of the chosen table."""
    by_id = {one.rule_set.rule_set_id: one for one in tables}
    ids, chosen = state.ids_of(tables), state.chosen_id(tables)
    st.radio(
        "Acceptance tables",
        ids,
        key=state.CHOICE,
        format_func=lambda one: by_id[one].rule_set.title if one in by_id else f"{one} (not saved)",
        captions=[summary(by_id[one]) if one in by_id else "a draft of yours" for one in ids],
        on_change=state.choose,
    )
    if may_change and chosen in by_id:
        with st.popover("New table", icon=":material/add:", type="tertiary"):
            st.text_input("Id of the new table", key=state.NEW_ID, placeholder="such as house-rules",
                          autocomplete="off", max_chars=64)  # fmt: skip
            st.button(f"Begin with a copy of {by_id[chosen].rule_set.title}", key="rules.copy",
                      on_click=actions.copy_as_new, args=(by_id[chosen],))  # fmt: skip
    st.caption("Verdicts name the table, its version and its hash; one that was made stays with the version "
               "it was made with.")  # fmt: skip
    return chosen


def draw_head(version: RuleSetVersion) -> None:
    """Title, standard, source and hash, and whether anybody verified the figures."""
    draw_html(
        "admin/rules/templates/head.html",
        content=version.rule_set,
        facts=head_facts(version),
        illustrative=_ILLUSTRATIVE,
    )


def draw_aspects(n_versions: int, *, may_change: bool) -> str:
    """The choice between the table, its editor and its versions; the chosen one."""
    labels = {state.TABLE: "Table", state.EDIT: "Change", state.VERSIONS: f"Versions ({n_versions})"}
    if not may_change:
        del labels[state.EDIT]
    chosen = state.aspect(labels)
    with st.container(horizontal=True, vertical_alignment="center", key="rules-aspects"):
        st.segmented_control("Show", list(labels), format_func=labels.__getitem__, key=state.ASPECT,
                             on_change=state.choose_aspect, label_visibility="collapsed")  # fmt: skip
        draw_said(state.rules_state().said)
    return chosen


def draw_table(version: RuleSetVersion) -> None:
    """The rows, and the kinds of imperfections that no row is about."""
    draw_html("admin/rules/templates/table.html", marks=_LIMIT_MARKS, **table_content(version.rule_set))


def draw_editor(rule_set_id: str, versions: tuple[RuleSetVersion, ...]) -> None:
    """The text of the next version beside its changes."""
    draft = state.draft_for(rule_set_id, versions)
    text, told = st.columns([6, 4], gap="small")
    with text:
        st.text_area("Text of the next version (YAML; docs/standards.md explains it)",
                     key=state.prepare_text(rule_set_id, draft), height=_EDITOR_PX,
                     on_change=state.keep_draft, args=(rule_set_id, draft.based_on))  # fmt: skip
    with told, st.container(key="rules-told"):
        draw_buttons(rule_set_id, draft, versions)
        draw_check(draft, versions)


def draw_buttons(rule_set_id: str, draft: state.Draft, versions: tuple[RuleSetVersion, ...]) -> None:
    """Save and discard; a version that somebody else saved meanwhile, and why a save was refused."""
    newest = versions[0] if versions else None
    is_stale = newest is not None and newest.number != draft.based_on
    with st.container(horizontal=True):
        st.button(f"Save as version {draft.based_on + 1}", type="primary", key="rules.save",
                  icon=":material/save:", on_click=actions.save, args=(rule_set_id, draft.based_on),
                  disabled=is_stale)  # fmt: skip
        st.button(
            "Discard", key="rules.discard", type="tertiary", on_click=state.discard, args=(rule_set_id,)
        )
    if refused := state.rules_state().refused:
        st.error(f"Nothing was saved: {refused}.")
    if newest is not None and is_stale:
        st.warning(
            f"{newest.saved_by} saved version {newest.number} at {minute(newest.saved_at)} UTC while "
            f"yours was based on version {draft.based_on}. Below is how yours differs from it; what they "
            "changed is gone if you save over it.",
            icon=":material/warning:",
        )
        st.button(f"I have compared: base mine on version {newest.number}", key="rules.rebase",
                  on_click=state.base_on, args=(rule_set_id, newest.number))  # fmt: skip


def draw_check(draft: state.Draft, versions: tuple[RuleSetVersion, ...]) -> None:
    """Draw the check of the text, and its changes."""
    rule_set, wrong = None, ""
    try:
        rule_set = read_rule_set(draft.text, "the table")
    except RuleSetError as error:
        wrong = str(error).removeprefix("the table: ")
    draw_html("admin/rules/templates/check.html", rule_set=rule_set, wrong=wrong)
    if rule_set is not None and versions:
        changed = difference(versions[0], RuleSetVersion(0, rule_set))
        draw_difference(changed, f"Changes against version {versions[0].number}")


def draw_difference(lines: Sequence[str], title: str) -> None:
    """A difference, changed lines marked by sign and colour."""
    draw_html(
        "admin/rules/templates/difference.html",
        title=title,
        lines=lines,
        n_changed=sum(line[:1] in "+-" for line in lines if line),
        marks=_LINE_MARKS,
    )


def draw_versions(versions: tuple[RuleSetVersion, ...], *, may_change: bool) -> None:
    """Every version, and the difference between two."""
    draw_rows(
        version_rows(versions),
        most_px=_VERSIONS_PX,
        column_config={"SHA-256": st.column_config.TextColumn(width=520)},
        key="rules.versions",
    )
    if len(versions) == 1:
        st.caption("Nobody changed this table since it was shipped." if versions[0].number == 0 else
                   "This is the first version; there is nothing to compare it with yet.")  # fmt: skip
        return
    numbers = [one.number for one in versions]
    by_number = {one.number: one for one in versions}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        old = st.selectbox("Compare", numbers, index=1, key="rules.old", width=200,
                           format_func=lambda n: version_name(by_number[n]))  # fmt: skip
        new = st.selectbox("with", numbers, index=0, key="rules.new", width=200,
                           format_func=lambda n: version_name(by_number[n]))  # fmt: skip
        if may_change:
            st.button(f"Begin a change from {version_name(by_number[old])}", key="rules.begin",
                      icon=":material/history:", on_click=state.begin_from,
                      args=(by_number[old].rule_set.rule_set_id, by_number[old], versions))  # fmt: skip
    changed = difference(by_number[old], by_number[new])
    draw_difference(changed, f"From version {old} to version {new}")
