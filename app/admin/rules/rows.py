"""Acceptance tables and their versions as rows and words."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.shared.moments import minute
from core.services.inspections.rule_editing import SHIPPED_VERSION, RuleSetVersion
from core.standards.rule_set import RuleSet
from core.standards.table import table


def version_name(version: RuleSetVersion) -> str:
    """`version 2`, or that it is the shipped one."""
    return "version 0 (shipped)" if version.number == SHIPPED_VERSION else f"version {version.number}"


def summary(version: RuleSetVersion) -> str:
    """One line for the list of tables."""
    verified = "verified" if version.rule_set.is_verified else "illustrative"
    number = "shipped" if version.number == SHIPPED_VERSION else f"version {version.number}"
    return f"{version.rule_set.standard} · edition {version.rule_set.edition} · {number} · {verified}"


def head_facts(version: RuleSetVersion) -> tuple[str, ...]:
    """Standard, reference radiographs, version, and who saved it when."""
    content = version.rule_set
    return (
        f"{content.standard}, edition {content.edition}",
        *(() if content.grading is None else (content.grading.words,)),
        f"{version_name(version)}, called {content.version}",
        "shipped with the program"
        if version.saved_at is None
        else f"saved by {version.saved_by or ''}, {minute(version.saved_at)} UTC",
    )


def table_content(rule_set: RuleSet) -> dict[str, Any]:
    """Values of `table.html`: a row for each imperfection and band of thickness, a limit for each level."""
    content = table(rule_set)
    return {
        "levels": content["levels"],
        "has_bands": any(row["thickness"] for row in content["rows"]),
        "rows": [_row(row, content) for row in content["rows"]],
        "uncovered": content["uncovered"],
    }


def version_rows(versions: Sequence[RuleSetVersion]) -> list[dict[str, Any]]:
    """One row for each version."""
    return [
        {
            "Version": one.number,
            "Called": one.rule_set.version,
            "Saved": minute(one.saved_at, "shipped"),
            "By": one.saved_by or "",
            "Figures": "verified" if one.rule_set.is_verified else "illustrative",
            "Rules": len(one.rule_set.rules),
            "SHA-256": one.rule_set.sha256,
        }
        for one in versions
    ]


def _row(row: Mapping[str, Any], whole: Mapping[str, Any]) -> dict[str, Any]:
    by_name = "only where somebody says that it is this" if row["by_name_only"] else ""
    copies = {None: "", 1: "1 copy"}.get(row["copies"], f"{row['copies']} copies agree")
    is_other = (row["standard"], row["edition"]) != (whole["standard"], whole["edition"])
    own_source = f"{row['standard']}, edition {row['edition']}" if is_other else ""
    verified = "verified" if row["verified"] else "illustrative"
    is_mixed = row["verified"] != whole["verified"]
    return {
        "title": row["title"],
        "kinds": "" if [row["title"]] == row["kind_names"] else ", ".join(row["kind_names"]),
        "told": "; ".join(filter(None, (row["condition"], by_name, row["note"]))),
        "thickness": row["thickness"],
        "limits": [row["limits"][level["id"]] for level in whole["levels"]],
        "clause": "; ".join(filter(None, (row["clause"], own_source, copies, is_mixed and verified))),
    }
