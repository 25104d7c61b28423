"""A model card with the fields of the Hugging Face Hub: README.md with YAML in front."""

from collections.abc import Mapping
from typing import Any

import yaml

from core.domain.model_version import ModelVersion
from core.domain.pod_words import pod_line

#: Figures of an evaluation that the Hub lists, by the name that it knows or ours.
_METRICS = {
    "ap50": ("map_50", "AP50"),
    "ap50_95": ("map", "AP50:95"),
    "recall": ("recall", "Recall at the operating point"),
    "precision": ("precision", "Precision at the operating point"),
    "false_calls_per_image": ("false_calls_per_image", "False calls an image"),
    "d_ece": ("d_ece", "Calibration error (D-ECE)"),
}
_CODE_LICENSE = "apache-2.0"


def hub_card(version: ModelVersion, pod: Mapping[str, Any] | None = None) -> str:
    """The content of README.md for a version.

    Args:
        version: with its card.
        pod: what `radikal pod` measured of it; None where nothing was.
    """
    card = version.card
    front = yaml.safe_dump(hub_fields(version, pod), sort_keys=False, allow_unicode=True, width=100)
    lines = [
        f"---\n{front}---\n",
        f"# {version.name} v{version.version}\n",
        f"{card.get('description', '')}\n",
    ]
    lines += _section("Limits", [f"- {one}" for one in card.get("limits") or ()])
    lines += _section("Trained on", [f"- {one}" for one in card.get("trained_on") or ()])
    notice = str(card.get("data_notice") or "")
    lines += _section("Training data and licence", [notice] if notice else [])
    if pod is not None:
        calls = f"{pod['false_calls_per_image']:.2f} false calls an image"
        told = [f"- {name}: {pod_line(one)}" for name, one in (("all", pod["pod"]), *pod["by_class"].items())]
        on = f"By {pod['measure']} of the flaw, {calls}, on {pod['on']}:"
        lines += _section("Probability of detection", [on, "", *told])
    calibration = version.calibration
    lines += _section(
        "Use",
        [
            f"Probabilities are calibrated ({calibration.method}, id {calibration.calibration_id}); "
            f"operating probability {calibration.operating_probability:g}.",
            f"Weights: sha256 `{version.sha256}`.",
        ],
    )
    return "\n".join(lines)


def hub_fields(version: ModelVersion, pod: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The fields in front: license, library_name, tags, datasets in words, model-index."""
    card = version.card
    is_restricted = "gdxray" in str(card.get("data_notice") or "").lower()
    licence: dict[str, Any] = {"license": "other" if is_restricted else _CODE_LICENSE}
    if is_restricted:
        licence["license_name"] = "gdxray-research-and-education"
    results = [result for entry in card.get("evaluation") or () if (result := _result(entry)) is not None]
    if pod is not None and pod["pod"]["a90_95"] is not None:
        metric = {"type": "a90_95", "name": "a90/95, mm", "value": pod["pod"]["a90_95"]}
        results.append(_task(str(pod["on"]), [metric]))
    tags = ["object-detection", "radiography", "non-destructive-testing", version.name]
    return licence | {
        "library_name": "radikal",
        "pipeline_tag": "object-detection",
        "tags": [*tags, *(str(one) for one in card.get("classes") or ())],
        "model-index": [{"name": f"{version.name} v{version.version}", "results": results}],
    }


def _result(entry: Mapping[str, Any]) -> dict[str, Any] | None:
    metrics = [
        {"type": kind, "name": name, "value": entry[key]}
        for key, (kind, name) in _METRICS.items()
        if isinstance(entry.get(key), int | float) and not isinstance(entry.get(key), bool)
    ]
    return _task(str(entry.get("on") or "unnamed parts"), metrics) if metrics else None


def _task(on: str, metrics: list[dict[str, Any]]) -> dict[str, Any]:
    kind = "-".join("".join(c if c.isalnum() else " " for c in on.lower()).split())
    return {
        "task": {"type": "object-detection"},
        "dataset": {"name": on, "type": kind},
        "metrics": metrics,
    }


def _section(title: str, lines: list[str]) -> list[str]:
    return [f"## {title}\n", *lines, ""] if lines else []
