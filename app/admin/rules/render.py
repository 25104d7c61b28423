"""Draws the parts of the page of acceptance rules."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from app.admin.rules import rules_html
from app.admin.rules import rules_view as view
from core.services.inspections.rule_editing import RuleSetVersion, difference

_EDITOR_PX = 560


def draw_list(tables: Sequence[RuleSetVersion], *, may_change: bool) -> None:
    """The tables there are, with what each is known by."""
    by_id = {one.rule_set.rule_set_id: one for one in tables}
    ids, chosen = view.ids_of(tables), view.chosen_id(tables)
    st.session_state[view.CHOICE] = chosen
    st.radio(
        "Acceptance tables",
        ids,
        key=view.CHOICE,
        format_func=lambda one: by_id[one].rule_set.title if one in by_id else f"{one} (not saved)",
        captions=[rules_html.summary(by_id[one]) if one in by_id else "a draft of yours" for one in ids],
        on_change=view.choose,
    )
    if may_change and chosen in by_id:
        with st.popover("New table", icon=":material/add:", type="tertiary"):
            st.text_input("Id of the new table", key=view.NEW_ID, placeholder="such as house-rules",
                          autocomplete="off", max_chars=64)  # fmt: skip
            st.button(f"Begin with a copy of {by_id[chosen].rule_set.title}", key="rules.copy",
                      on_click=view.copy_as_new, args=(by_id[chosen],))  # fmt: skip
    st.caption("Verdicts name the table, its version and its hash; one that was made stays with the version "
               "it was made with.")  # fmt: skip


def draw_head(version: RuleSetVersion) -> None:
    """What the table is, where its figures come from, and whether anybody compared them."""
    st.html(rules_html.head(version))


def draw_aspects(n_versions: int, *, may_change: bool) -> str:
    """The choice of what to look at; what is chosen."""
    labels = {view.TABLE: "Table", view.VERSIONS: f"Versions ({n_versions})"}
    if may_change:
        labels = {view.TABLE: "Table", view.EDIT: "Change", view.VERSIONS: f"Versions ({n_versions})"}
    asked = view.aspect() if view.aspect() in labels else view.TABLE
    st.session_state[view.ASPECT] = asked
    with st.container(horizontal=True, vertical_alignment="center", key="rules-aspects"):
        st.segmented_control("Show", list(labels), format_func=labels.__getitem__, key=view.ASPECT,
                             on_change=view.choose_aspect, label_visibility="collapsed")  # fmt: skip
        if said := view.rules_state().said:
            st.html(f'<p class="rk-said" role="status">{escape(said)}</p>')
    return asked


def draw_table(version: RuleSetVersion) -> None:
    """The rows, and what no row is about."""
    st.html(rules_html.rows(version.rule_set))


def draw_editor(rule_set_id: str, versions: tuple[RuleSetVersion, ...]) -> None:
    """The text of the next version beside what it changes."""
    draft = view.draft_for(rule_set_id, versions)
    text, told = st.columns([6, 4], gap="small")
    with text:
        key = view.text_key(rule_set_id)
        st.session_state.setdefault(key, draft.text)
        st.text_area("Text of the next version (YAML; docs/standards.md explains it)", key=key,
                     height=_EDITOR_PX, on_change=view.keep_draft,
                     args=(rule_set_id, draft.based_on))  # fmt: skip
    with told, st.container(key="rules-told"):
        draw_buttons(rule_set_id, draft, versions)
        draw_check(draft, versions)


def draw_buttons(rule_set_id: str, draft: view.Draft, versions: tuple[RuleSetVersion, ...]) -> None:
    """Save and discard; what was saved meanwhile by somebody else, and why a save was refused."""
    newest = versions[0] if versions else None
    is_stale = newest is not None and newest.number != draft.based_on
    with st.container(horizontal=True):
        st.button(f"Save as version {draft.based_on + 1}", type="primary", key="rules.save",
                  icon=":material/save:", on_click=view.save, args=(rule_set_id, draft.based_on),
                  disabled=is_stale)  # fmt: skip
        st.button("Discard", key="rules.discard", type="tertiary", on_click=view.discard, args=(rule_set_id,))
    if refused := view.rules_state().refused:
        st.error(f"Nothing was saved: {refused}.")
    if newest is not None and is_stale:
        st.warning(
            f"{newest.saved_by} saved version {newest.number} at {rules_html.moment(newest.saved_at)} while "
            f"yours was based on version {draft.based_on}. Below is how yours differs from it; what they "
            "changed is gone if you save over it.",
            icon=":material/warning:",
        )
        st.button(f"I have compared: base mine on version {newest.number}", key="rules.rebase",
                  on_click=view.base_on, args=(rule_set_id, newest.number))  # fmt: skip


def draw_check(draft: view.Draft, versions: tuple[RuleSetVersion, ...]) -> None:
    """Whether the text is a table, and what it changes."""
    rule_set, wrong = view.checked(draft.text)
    if rule_set is None:
        st.html(f'<p class="rk-check rk-check-bad" role="status"><b>Not a table yet.</b> {escape(wrong)}</p>')
        return
    n_rows = len(rule_set.rules)
    levels = ", ".join(level.level_id for level in rule_set.levels)
    st.html(f'<p class="rk-check" role="status"><b>Can be read:</b> {n_rows} rules, levels {escape(levels)}, '
            f"version {escape(rule_set.version)}. Checked when you leave the text.</p>")  # fmt: skip
    if versions:
        changed = difference(versions[0], RuleSetVersion(0, rule_set))
        st.html(rules_html.diff(changed, f"Changes against version {versions[0].number}"))


def draw_versions(versions: tuple[RuleSetVersion, ...], *, may_change: bool) -> None:
    """Every version, and the difference between two."""
    st.dataframe(
        rules_html.version_rows(versions),
        hide_index=True,
        placeholder="–",
        row_height=28,
        height=min(300, 28 * (len(versions) + 1) + 10),
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
                           format_func=lambda n: rules_html.version_name(by_number[n]))  # fmt: skip
        new = st.selectbox("with", numbers, index=0, key="rules.new", width=200,
                           format_func=lambda n: rules_html.version_name(by_number[n]))  # fmt: skip
        if may_change:
            st.button(f"Begin a change from {rules_html.version_name(by_number[old])}", key="rules.begin",
                      icon=":material/history:", on_click=view.begin_from,
                      args=(by_number[old].rule_set.rule_set_id, by_number[old], versions))  # fmt: skip
    changed = difference(by_number[old], by_number[new])
    st.html(rules_html.diff(changed, f"From version {old} to version {new}"))
