"""Versions, cards, gate reports and histories as HTML."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from app.models.versions.versions_view import megabytes, moment
from core.domain.serving import NO_VERSION
from core.evaluate.gate_report import CheckState, GateReport
from core.services.lifecycle.alias_history import NamedChange, ServedThen
from core.services.lifecycle.versions import VersionSummary

#: Figures of an evaluation that a card shows, and their names.
_FIGURES = {
    "ap50": "AP50",
    "ap50_95": "AP50:95",
    "recall": "Recall",
    "precision": "Precision",
    "false_calls_per_image": "False calls an image",
    "d_ece": "D-ECE",
    "brier": "Brier score",
    "log_loss": "Log loss",
}
_MARKS = {
    CheckState.PASSED: "rk-accept",
    CheckState.REFUSED: "rk-reject",
    CheckState.NOT_EVALUABLE: "rk-unknown-mark",
    CheckState.NOTED: "",
}


def facts_html(facts: Mapping[str, str]) -> str:
    """Names and values, one a line; empty values are left out."""
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts.items() if value
    )
    return f'<dl class="rk-facts">{rows}</dl>'


def overview_html(one: VersionSummary) -> str:
    """Where the version comes from and what it serves as."""
    version, card = one.version, one.card
    if version is None:
        return f'<p class="rk-said rk-check-bad"><b>{escape(one.problem)}</b></p>' + facts_html(
            {"Run": one.run_id, "Registered": f"{moment(one.registered_at)} UTC"}
        )
    since = [f"{alias} since {moment(at)} UTC" for alias, at in sorted(one.in_use_since.items())]
    calibration = version.calibration
    return facts_html(
        {
            "In use": "; ".join(since) or "serves as nothing now",
            "Release": str((card.get("release") or {}).get("note") or ""),
            "Training data": version.data_notice,
            "Trained": " on ".join(
                filter(None, (str(card.get("date") or ""), str(card.get("device") or "")))
            ),
            "Made by": one.author or "not known",
            "From": str(card.get("lineage") or ""),
            "Recipe": str(card.get("recipe") or ""),
            "Registered": f"{moment(one.registered_at)} UTC" if one.registered_at else "not known",
            "MLflow run": one.run_id or "not known",
            "Weights": f"sha256 {version.sha256}",
            "Data manifest": f"sha256 {one.manifest_sha256}, {one.n_trained_on} images",
            "Calibration": f"{calibration.method}, id {calibration.calibration_id}, operating probability "
            f"{calibration.operating_probability:g}, score cut {calibration.score_cut:g}",
            "Polarity": version.polarity.value,
            "Size": f"{megabytes(one.n_bytes):.1f} MB",
        }
    )


def card_html(one: VersionSummary) -> str:
    """The whole model card for reading: what it is, its limits, figures with intervals, calibration."""
    card = one.card
    if not card:
        return f'<p class="rk-said">{escape(one.problem)}</p>'
    parts = [f'<p class="rk-said">{escape(str(card.get("description") or ""))}</p>']
    parts += [_list_html("Limits", card.get("limits") or ())]
    parts += [_evaluation_html(entry) for entry in card.get("evaluation") or ()]
    parts += [_calibration_html(card.get("calibration") or {})]
    parts += [_list_html("Trained on", card.get("trained_on") or ())]
    parts += [_list_html("Classes", card.get("classes") or ("none: every box stays unclassified",))]
    shown = {"description", "limits", "evaluation", "calibration", "trained_on", "classes"}
    rest = {str(key): _text(value) for key, value in card.items() if key not in shown}
    return "".join(parts) + "<h3>Everything else</h3>" + facts_html(rest)


def gate_html(report: GateReport) -> str:
    """Every check of the gate with what was measured, its bound and the outcome."""
    rows = "".join(
        f'<tr><td class="{_MARKS[check.state]}">{escape(check.state.value)}</td><td>{escape(check.name)}</td>'
        f"<td>{escape(check.measured)}<small>{escape(check.bound)}</small></td>"
        f"<td>{escape(_beside_its_name(check.sentence))}</td></tr>"
        for check in report.checks
    )
    evidence = report.evidence
    on = (
        f"on {escape(evidence.set_name)}: {evidence.n_images} images, {evidence.n_boxes} recorded boxes, "
        f"{evidence.n_parts} independent parts"
        if evidence.n_parts
        else "nothing measured"
    )
    n_reasons = len(report.reasons)
    verdict = (
        "is green" if report.is_green else f"refuses, for {n_reasons} reason{'s' if n_reasons > 1 else ''}"
    )
    mark = "rk-accept" if report.is_green else "rk-reject"
    against = f"v{evidence.candidate} against {escape(report.compared_with)}"
    return (
        f'<p class="rk-said"><span class="{mark}"><b>The gate {verdict}</b></span>'
        f'<span class="rk-muted"> {against}, {on}</span></p>'
        '<table class="rk-found rk-gate"><thead><tr><th>Outcome</th><th>Check</th>'
        f"<th>Measured, bound</th><th>Why</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def _beside_its_name(sentence: str) -> str:
    """A sentence of the gate where check and outcome stand beside it already."""
    _, is_there, why = sentence.partition(": not evaluable, ")
    return why if is_there else sentence


def history_html(changes: Sequence[NamedChange]) -> str:
    """Every change of every alias, newest first."""
    if not changes:
        return '<p class="rk-said rk-muted">Nothing was recorded yet.</p>'
    rows = "".join(_change_row(one) for one in reversed(changes))
    return (
        '<table class="rk-found"><thead><tr><th>When (UTC)</th><th>Alias</th><th>Version</th><th>How</th>'
        f"<th>By</th><th>Note</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def served_html(change: NamedChange | None) -> str:
    """What served at a moment, in one line."""
    if change is None:
        return '<p class="rk-said">Nothing was recorded until then.</p>'
    one = change.change
    what = "nothing" if one.version == NO_VERSION else f"v{one.version}"
    return (
        f'<p class="rk-said"><b>{escape(one.model_name)} {what}</b> was {escape(one.alias)}, since '
        f"{moment(one.changed_at)} UTC: {escape(one.kind.label)}{escape(_by(change))}</p>"
    )


def inspection_html(then: ServedThen) -> str:
    """What made an inspection, and what was champion then."""
    made = f"{then.model_name} v{then.version} made it at {moment(then.created_at)} UTC"
    same = then.champion is not None and then.champion.change.version == then.version
    told = "; it was the champion then" if same else "; the champion then was another, see below"
    if then.champion is None:
        told = ""
    return f'<p class="rk-said"><b>{escape(made)}</b>{told}</p>' + served_html(then.champion)


def _change_row(one: NamedChange) -> str:
    change = one.change
    after = "nothing" if change.version == NO_VERSION else f"v{change.version}"
    before = "" if change.previous_version is None else f"v{change.previous_version} → "
    gate = "; ".join(str(reason) for reason in change.gate.get("reasons", ()))
    note = escape(change.note) + (f"<small>against the gate: {escape(gate)}</small>" if gate else "")
    cells = (f"{change.changed_at:%Y-%m-%d %H:%M:%S}", change.alias, before + after, change.kind.label)
    plain = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    return f"<tr>{plain}<td>{escape(_by(one).removeprefix(', by '))}</td><td>{note}</td></tr>"


def _by(one: NamedChange) -> str:
    who = " with ".join(filter(None, (one.changed_by, one.consent_by)))
    return f", by {who}" if who else ""


def _list_html(title: str, lines: Sequence[Any]) -> str:
    if not lines:
        return ""
    items = "".join(f"<li>{escape(str(line))}</li>" for line in lines)
    return f"<h3>{escape(title)}</h3><ul>{items}</ul>"


def _evaluation_html(entry: Mapping[str, Any]) -> str:
    rows = []
    for key, name in _FIGURES.items():
        value = entry.get(key)
        interval = entry.get(f"{key}_ci") or entry.get(f"{key}_band")
        kind = "95 % interval" if entry.get(f"{key}_ci") else "a perfect model: 95 %" if interval else ""
        if value is None:
            why = (entry.get("not_evaluable") or {}).get(key, "not measured")
            told = f"not evaluable: {escape(str(why))}"
            rows.append(f'<tr><td>{name}</td><td colspan="2" class="rk-muted">{told}</td></tr>')
            continue
        shown = f"{interval[0]:.3f} to {interval[1]:.3f}" if interval else ""
        more = f"{shown} <small>{kind}</small>" if interval else ""
        rows.append(f"<tr><td>{name}</td><td>{value:.3f}</td><td>{more}</td></tr>")
    counts = ", ".join(
        f"{entry[key]} {words}"
        for key, words in (("n_images", "images"), ("n_boxes", "recorded boxes"), ("n_clusters", "parts"))
        if key in entry
    )
    trained_on = entry.get("n_trained_on")
    held_out = f"; {trained_on} of the images were trained on" if trained_on is not None else ""
    table = f'<table class="rk-found rk-figures"><tbody>{"".join(rows)}</tbody></table>'
    on = escape(str(entry.get("on") or "unnamed parts"))
    errors = _errors_html(entry)
    return f'<h3>Measured on {on}</h3><p class="rk-said rk-muted">{counts}{held_out}</p>{table}{errors}'


def _errors_html(entry: Mapping[str, Any]) -> str:
    """Where it errs at its operating point; nothing for versions of before that was measured."""
    if not (errors := entry.get("errors")):
        return ""
    told = ", ".join(f"{count:,} {kind}" for kind, count in errors.items())
    rows = "".join(
        f"<tr><td>{escape(str(one['group']))}</td><td>{one['n_found']:,} of {one['n_boxes']:,}</td></tr>"
        for one in entry.get("found_by_size_px") or ()
        if one["n_boxes"]
    )
    return (
        f'<p class="rk-said rk-muted">At the operating point: {escape(told)}</p>'
        f'<table class="rk-found"><thead><tr><th>Longer side</th><th>Found</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _calibration_html(calibration: Mapping[str, Any]) -> str:
    chosen = " by ".join(
        str(calibration[key]) for key in ("operating_probability", "operating_chosen") if calibration.get(key)
    )
    facts = {
        "Method": str(calibration.get("method") or ""),
        "Fitted on": str(calibration.get("fitted_on") or ""),
        "Operating probability": chosen,
        "Score cut": str(calibration.get("score_cut", "")),
        "Id": str(calibration.get("id") or ""),
    }
    return "<h3>Calibration</h3>" + facts_html(facts) + _comparison_html(calibration.get("comparison") or {})


def _comparison_html(comparison: Mapping[str, Any]) -> str:
    """The calibration methods beside each other, out of fold; nothing where they were not compared."""
    methods = comparison.get("methods") or ()
    if not methods:
        return '<p class="rk-said rk-muted">The calibration methods were not compared for this version.</p>'
    rows = "".join(_method_row(one, is_chosen=one["method"] == comparison.get("chosen")) for one in methods)
    return (
        f'<p class="rk-said rk-muted">Methods compared out of fold: {comparison["n_boxes"]} boxes '
        f"({comparison['n_true']} true) of {comparison['n_groups']} parts</p>"
        '<table class="rk-found"><thead><tr><th>Method</th><th>Log loss</th><th>Brier</th><th>D-ECE</th></tr>'
        f"</thead><tbody>{rows}</tbody></table>"
    )


def _method_row(one: Mapping[str, Any], *, is_chosen: bool) -> str:
    name = escape(str(one["method"])) + (" (chosen)" if is_chosen else "")
    if not one.get("is_eligible", True):
        name += "<small>too little data to be chosen</small>"
    low, high = one["d_ece_band"]
    return (
        f"<tr><td>{name}</td><td>{one['log_loss']:.4f}</td><td>{one['brier']:.4f}</td>"
        f"<td>{one['d_ece']:.4f}<small>a perfect model: {low:.3f} to {high:.3f}</small></td></tr>"
    )


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_text(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_text(inner) for inner in value)
    return str(value)
