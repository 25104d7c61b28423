"""Model versions, their cards, gate reports and histories as rows and facts."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.models.versions.second_stage import second_stage_content
from app.shared.moments import minute, second
from core.domain.explanation_standing import first_words, standing_words, trust_line
from core.domain.explanations import METHOD_WORDS, Method
from core.domain.serving import NO_VERSION
from core.evaluate.gate_report import CheckState, GateReport
from core.services.lifecycle.alias_history import NamedChange, ServedThen
from core.services.lifecycle.versions import VersionSummary

#: Names of the figures that the page shows of an evaluation.
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
_SHOWN_APART = {
    *("description", "limits", "evaluation", "calibration", "trained_on", "classes", "pod", "second_stage")
}
#: Names of the rest of a card, where its key does not say it in words.
_REST_NAMES = {
    "data_notice": "Training data",
    "n_training_images": "Training images",
    "lineage": "From",
    "weights_sha256": "Weights, sha256",
    "manifest_sha256": "Data manifest, sha256",
}
_BYTES_PER_MB = 1_000_000
_RUN_DIGITS = 8


def version_rows(versions: Sequence[VersionSummary]) -> list[dict[str, Any]]:
    """One row of the table for each version, with figures on `common_set`, else on a set of its own each."""
    common = common_set(versions)
    return [_row(one, _evaluated(one.card, common)) for one in versions]


def columns_on_show(common: str) -> tuple[str, ...]:
    """The columns of `version_rows` that fit beside a version at 1280 px; a reader may show the others too.

    Args:
        common: the images that every version was measured on; where there are none, each row says on which.
    """
    figures = ("AP50", "Recall", "D-ECE", "False calls")
    if common:
        return ("Version", "Aliases", "In use since", "Trained", *figures, "Images")
    return ("Version", "Aliases", "Measured on", *figures)


def common_set(versions: Sequence[VersionSummary]) -> str:
    """The images that every sound version was measured on, as the cards name them; empty where none are."""
    cards = [one.card for one in versions if one.version is not None]
    named = [[str(entry.get("on")) for entry in card.get("evaluation") or ()] for card in cards]
    return next((on for on in (named[0] if named else ()) if all(on in names for names in named)), "")


def _evaluated(card: Mapping[str, Any], common: str) -> Mapping[str, Any]:
    """The evaluation of the card on the common set, else its first one."""
    entries = card.get("evaluation") or ()
    return next((one for one in entries if common and str(one.get("on")) == common), next(iter(entries), {}))


def _row(one: VersionSummary, evaluated: Mapping[str, Any]) -> dict[str, Any]:
    card = one.card
    data = (card.get("data_version") or {}).get("number")
    return {
        "Version": one.number,
        "Aliases": ", ".join(one.aliases),
        "In use since": minute(max(one.in_use_since.values())) if one.in_use_since else "",
        "Trained": str(card.get("date") or ""),
        "Measured on": str(evaluated.get("on") or ""),
        "AP50": _figure(evaluated, "ap50"),
        "Recall": _figure(evaluated, "recall"),
        "D-ECE": _figure(evaluated, "d_ece"),
        "False calls": _figure(evaluated, "false_calls_per_image"),
        "Images": one.n_trained_on if one.version is not None else None,
        "MB": one.n_bytes / _BYTES_PER_MB,
        "By": one.author,
        "From": str(card.get("lineage") or ""),
        "Data version": "" if data is None else f"{data}",
        "Run": one.run_id[:_RUN_DIGITS],
        "Training data": one.problem or str(card.get("data_notice") or ""),
    }


def _figure(evaluated: Mapping[str, Any], name: str) -> float | None:
    """A figure of an evaluation on a card; None where it was not measured."""
    value = evaluated.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def overview_facts(
    one: VersionSummary, explanations: Mapping[str, Any] | None = None, pod: str = ""
) -> dict[str, str]:
    """Origin and use of the version by name.

    Args:
        one: the version.
        explanations: what `radikal explain-eval` measured of it; None where nothing was.
        pod: its probability of detection in words, empty where it was not measured.
    """
    version, card = one.version, one.card
    if version is None:
        return {"Run": one.run_id, "Registered": f"{minute(one.registered_at)} UTC"}
    since = [f"{alias} since {minute(at)} UTC" for alias, at in sorted(one.in_use_since.items())]
    calibration = version.calibration
    return {
        "In use": "; ".join(since) or "serves as nothing now",
        "Release": str((card.get("release") or {}).get("note") or ""),
        "Training data": version.data_notice,
        "Trained": " on ".join(filter(None, (str(card.get("date") or ""), str(card.get("device") or "")))),
        "Made by": one.author or "not known",
        "Shipped as": "" if one.shipped_as is None else _shipped_words(one.shipped_as),
        "From": str(card.get("lineage") or ""),
        "Recipe": str(card.get("recipe") or ""),
        "Registered": f"{minute(one.registered_at)} UTC" if one.registered_at else "not known",
        "MLflow run": one.run_id or "not known",
        "Weights": f"sha256 {version.sha256}",
        "Data manifest": f"sha256 {one.manifest_sha256}, {one.n_trained_on} images",
        "Calibration": f"{calibration.method}, id {calibration.calibration_id}, operating probability "
        f"{calibration.operating_probability:g}, score cut {calibration.score_cut:g}",
        "Explanations": "; ".join(filter(None, (_standing(explanations), trust_line(explanations)))),
        "Detection by size": pod,
        "Polarity": version.polarity.value,
        "Size": f"{one.n_bytes / _BYTES_PER_MB:.1f} MB",
    }


def _shipped_words(shipped_as: int) -> str:
    return f"v{shipped_as} of the program; a version of this registry had that number already"


def card_content(one: VersionSummary, explanations: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Values of `card.html`.

    Args:
        one: the version.
        explanations: what `radikal explain-eval` measured of it; None where nothing was.
    """
    card = one.card
    calibration = card.get("calibration") or {}
    return {
        "one": one,
        "limits": card.get("limits") or (),
        "evaluations": [_evaluation(entry) for entry in card.get("evaluation") or ()],
        "calibration": _calibration_facts(calibration),
        "comparison": calibration.get("comparison") or {},
        "trained_on": card.get("trained_on") or (),
        "explanations": explanation_rows(explanations),
        "explanations_standing": _standing(explanations),
        "explanations_trust": trust_line(explanations),
        "classes": card.get("classes") or ("none: every box stays unclassified",),
        "second_stage": second_stage_content(card.get("second_stage") or {}),
        "rest": {
            _rest_name(str(key)): _rest_text(str(key), value)
            for key, value in card.items()
            if key not in _SHOWN_APART
        },
    }


def _rest_name(key: str) -> str:
    return _REST_NAMES.get(key) or key.replace("_", " ").capitalize()


def _rest_text(key: str, value: Any) -> str:
    """A release is said by its note alone, which holds the threshold."""
    note = value.get("note") if key == "release" and isinstance(value, Mapping) else None
    return str(note) if note else _text(value)


def _standing(explanations: Mapping[str, Any] | None) -> str:
    """Which methods passed, and why the first map is the first."""
    return "; ".join(filter(None, (standing_words(explanations), first_words(explanations))))


def explanation_rows(figures: Mapping[str, Any] | None) -> list[dict[str, str]]:
    """A row for each method and the drawn Gaussian; none of a version that was not measured."""
    if figures is None:
        return []
    return [
        {
            "name": METHOD_WORDS[Method(name)] if name in set(Method) else f"drawn: a {name} on the box",
            "gain": "not evaluable" if one["gain"] is None else f"{one['gain']:.2f}",
            "gaps": "; ".join(_gap_words(base, gap) for base, gap in one["better_than"].items()),
            "said": "reaches every bar" if one["passes"] else "; ".join(one["fails"]),
        }
        for name, one in figures["methods"].items()
    ]


def _gap_words(base: str, gap: Mapping[str, Any]) -> str:
    interval = "" if gap["interval"] is None else " ({:+.2f} to {:+.2f})".format(*gap["interval"])
    return f"{base} {gap['value']:+.2f}{interval}"


def gate_content(report: GateReport) -> dict[str, Any]:
    """Values of `gate.html`."""
    evidence, n_reasons = report.evidence, len(report.reasons)
    on = (
        f"on {evidence.set_name}: {evidence.n_images} images, {evidence.n_boxes} recorded boxes, "
        f"{evidence.n_parts} independent parts"
        if evidence.n_parts
        else "nothing measured"
    )
    refuses = f"refuses, for {n_reasons} reason{'s' if n_reasons > 1 else ''}"
    return {
        "mark": "rk-accept" if report.is_green else "rk-reject",
        "verdict": "is green" if report.is_green else refuses,
        "against": f"v{evidence.candidate} against {report.compared_with}, {on}",
        "checks": [
            {
                "mark": _MARKS[check.state],
                "state": check.state.value,
                "name": check.name,
                "measured": check.measured,
                "bound": check.bound,
                "why": _beside_its_name(check.sentence),
            }
            for check in report.checks
        ],
    }


def change_rows(changes: Sequence[NamedChange]) -> list[dict[str, str]]:
    """Every change of every alias, newest first."""
    return [_change_row(one) for one in reversed(changes)]


def served_content(change: NamedChange | None) -> dict[str, str]:
    """Values of `served.html`: the version that an alias pointed to at a moment, empty when none did."""
    if change is None:
        return {}
    one = change.change
    by = f", by {_people(change)}" if _people(change) else ""
    return {
        "what": f"{one.model_name} {_version_words(one.version)}",
        "since": f"was {one.alias}, since {minute(one.changed_at)} UTC: {one.kind.label}{by}",
    }


def inspection_words(then: ServedThen) -> tuple[str, str]:
    """The version that made an inspection, and whether it was the champion then."""
    made = f"{then.model_name} v{then.version} made it at {minute(then.created_at)} UTC"
    if then.champion is None:
        return made, ""
    is_same = then.champion.change.version == then.version
    return made, "; it was the champion then" if is_same else "; the champion then was another, see below"


def _beside_its_name(sentence: str) -> str:
    """The sentence of a check without its name and outcome, which stand beside it."""
    _, is_there, why = sentence.partition(": not evaluable, ")
    return why if is_there else sentence


def _change_row(one: NamedChange) -> dict[str, str]:
    change = one.change
    before = "" if change.previous_version is None else f"v{change.previous_version} → "
    return {
        "at": second(change.changed_at).removesuffix(" UTC"),
        "alias": change.alias,
        "version": before + _version_words(change.version),
        "how": change.kind.label,
        "by": _people(one),
        "note": change.note,
        "gate": "; ".join(str(reason) for reason in change.gate.get("reasons", ())),
    }


def _version_words(number: int) -> str:
    return "nothing" if number == NO_VERSION else f"v{number}"


def _people(one: NamedChange) -> str:
    return " with ".join(filter(None, (one.changed_by, one.consent_by)))


def _evaluation(entry: Mapping[str, Any]) -> dict[str, Any]:
    counted = (("n_images", "images"), ("n_boxes", "recorded boxes"), ("n_clusters", "parts"))
    trained_on = entry.get("n_trained_on")
    held_out = f"; {trained_on} of the images were trained on" if trained_on is not None else ""
    return {
        "on": str(entry.get("on") or "unnamed parts"),
        "counts": ", ".join(f"{entry[key]} {words}" for key, words in counted if key in entry) + held_out,
        "figures": [_figure_row(entry, key, name) for key, name in _FIGURES.items()],
        "errors": ", ".join(f"{count:,} {kind}" for kind, count in (entry.get("errors") or {}).items()),
        "sizes": [one for one in entry.get("found_by_size_px") or () if one["n_boxes"]],
    }


def _figure_row(entry: Mapping[str, Any], key: str, name: str) -> dict[str, Any]:
    value, interval = entry.get(key), entry.get(f"{key}_ci") or entry.get(f"{key}_band")
    kind = "95 % interval" if entry.get(f"{key}_ci") else "a perfect model: 95 %"
    return {
        "name": name,
        "value": value,
        "why": (entry.get("not_evaluable") or {}).get(key, "not measured"),
        "interval": f"{interval[0]:.3f} to {interval[1]:.3f}" if interval else "",
        "kind": kind if interval else "",
    }


def _calibration_facts(calibration: Mapping[str, Any]) -> dict[str, str]:
    chosen = " by ".join(
        str(calibration[key]) for key in ("operating_probability", "operating_chosen") if calibration.get(key)
    )
    return {
        "Method": str(calibration.get("method") or ""),
        "Fitted on": str(calibration.get("fitted_on") or ""),
        "Operating probability": chosen,
        "Score cut": str(calibration.get("score_cut", "")),
        "Id": str(calibration.get("id") or ""),
    }


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_text(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_text(inner) for inner in value)
    return str(value)
