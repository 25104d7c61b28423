"""Acceptance tables as HTML: head, rows, differences."""

from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Any

from core.services.inspections.rule_editing import SHIPPED_VERSION, RuleSetVersion
from core.standards.rule_set import RuleSet, Stance
from core.standards.table import table

ILLUSTRATIVE = "Illustrative: verify against a purchased edition"
_STANCE_CLASS = {Stance.NOT_PERMITTED.value: "rk-no", Stance.UNKNOWN.value: "rk-unknown"}
_LINE_CLASS = {"+": "rk-plus", "-": "rk-minus", "@": "rk-at"}


def moment(at: datetime | None) -> str:
    """Day and minute; a shipped table has none."""
    return "shipped" if at is None else f"{at:%Y-%m-%d %H:%M} UTC"


def version_name(version: RuleSetVersion) -> str:
    """How a version is called."""
    return "version 0 (shipped)" if version.number == SHIPPED_VERSION else f"version {version.number}"


def summary(version: RuleSetVersion) -> str:
    """One line for the list of tables."""
    verified = "verified" if version.rule_set.is_verified else "illustrative"
    number = "shipped" if version.number == SHIPPED_VERSION else f"version {version.number}"
    return f"{version.rule_set.standard} · edition {version.rule_set.edition} · {number} · {verified}"


def head(version: RuleSetVersion) -> str:
    """Title, standard, source and hash; that figures are illustrative stands beside the title."""
    content = version.rule_set
    badge = (
        '<span class="rk-badge rk-badge-ok">verified against a purchased edition</span>'
        if content.is_verified
        else f'<span class="rk-badge rk-badge-warn">{ILLUSTRATIVE}</span>'
    )
    saved = (
        "shipped with the program"
        if version.saved_at is None
        else f"saved by {escape(version.saved_by or '')}, {moment(version.saved_at)}"
    )
    facts = (
        f"{escape(content.standard)}, edition {escape(content.edition)}",
        f"{version_name(version)}, called {escape(content.version)}",
        saved,
        f'<span title="SHA-256 {content.sha256}">sha256 {content.sha256[:12]}</span>',
    )
    note = f"<p>{escape(content.note)}</p>" if content.note else ""
    return (
        f'<div class="rk-rules-head"><h1>{escape(content.title)} {badge}</h1>'
        f'<p class="rk-muted">{" · ".join(facts)}</p>'
        f'<p class="rk-muted">Source: {escape(content.source)}</p>{note}</div>'
    )


def rows(rule_set: RuleSet) -> str:
    """The table: a line for each imperfection and band of thickness, a column for each level."""
    content = table(rule_set)
    levels = content["levels"]
    has_bands = any(row["thickness"] for row in content["rows"])
    titles = ["Imperfection", *(["Thickness"] if has_bands else []), *(level["id"] for level in levels),
              "Clause"]  # fmt: skip
    hints = {level["id"]: level["title"] for level in levels}
    head_cells = "".join(
        f'<th scope="col" title="{escape(hints.get(one, ""))}">{escape(one)}</th>' for one in titles
    )
    body = "".join(_row(row, levels, has_bands=has_bands, whole=content) for row in content["rows"])
    uncovered = ", ".join(content["uncovered"])
    left_out = f"No row, so never evaluable: {escape(uncovered)}." if uncovered else ""
    named = ", ".join(f"{level['id']} {level['title']}" for level in levels)
    key = f"Levels, strictest first: {named}" if len(levels) > 1 else f"Level {named}"
    return (
        f'<div class="rk-scroll" tabindex="0" role="region" aria-label="Rows of the table">'
        f'<table class="rk-rules"><thead><tr>{head_cells}</tr></thead><tbody>{body}</tbody></table></div>'
        f'<p class="rk-muted">{escape(key)}. {left_out}</p>'
    )


def diff(lines: Sequence[str], title: str) -> str:
    """A difference, changed lines marked by sign and colour."""
    if not lines:
        return f'<p class="rk-muted">{escape(title)}: none.</p>'
    shown = "".join(
        f'<div class="{_LINE_CLASS.get(line[:1], "")}">{escape(line) or "&nbsp;"}</div>' for line in lines
    )
    n_changed = sum(line[:1] in "+-" for line in lines if line)
    return (
        f'<p class="rk-muted">{escape(title)}: {n_changed} lines</p>'
        f'<div class="rk-diff" tabindex="0" role="region" aria-label="{escape(title)}">{shown}</div>'
    )


def version_rows(versions: Sequence[RuleSetVersion]) -> list[dict[str, Any]]:
    """One row for each version."""
    return [
        {
            "Version": one.number,
            "Called": one.rule_set.version,
            "Saved": moment(one.saved_at).removesuffix(" UTC"),
            "By": one.saved_by or "",
            "Figures": "verified" if one.rule_set.is_verified else "illustrative",
            "Rules": len(one.rule_set.rules),
            "SHA-256": one.rule_set.sha256,
        }
        for one in versions
    ]


def _row(
    row: dict[str, Any], levels: Sequence[dict[str, str]], *, has_bands: bool, whole: dict[str, Any]
) -> str:
    kinds = ", ".join(row["kind_names"])
    conditions = [row["condition"], "only where somebody says that it is this" if row["by_name_only"] else ""]
    told = "; ".join(filter(None, [*conditions, row["note"]]))
    copies = {None: "", 1: "1 copy"}.get(row["copies"], f"{row['copies']} copies agree")
    own_source = [f"{row['standard']}, edition {row['edition']}"] if _is_other(row, whole) else []
    is_mixed = row["verified"] != whole["verified"]
    clause = "; ".join(filter(None, [row["clause"], *own_source, copies, _verified(row) if is_mixed else ""]))
    cells = [
        f'<th scope="row">{escape(row["title"])}<small>{escape(kinds)}</small>'
        + (f"<small>{escape(told)}</small>" if told else "")
        + "</th>"
    ]
    if has_bands:
        cells.append(f"<td>{escape(row['thickness'] or 'any')}</td>")
    cells += [_limit(row["limits"][level["id"]]) for level in levels]
    cells.append(f'<td class="rk-clause">{escape(clause)}</td>')
    return f"<tr>{''.join(cells)}</tr>"


def _limit(words: str) -> str:
    mark = _STANCE_CLASS.get(words)
    attribute = f' class="{mark}"' if mark else ""
    return f"<td{attribute}>{escape(words)}</td>"


def _is_other(row: dict[str, Any], whole: dict[str, Any]) -> bool:
    return bool((row["standard"], row["edition"]) != (whole["standard"], whole["edition"]))


def _verified(row: dict[str, Any]) -> str:
    return "verified" if row["verified"] else "illustrative"
