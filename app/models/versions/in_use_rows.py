"""What is known of a version in use, as rows and facts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from app.shared.moments import minute
from core.domain.drift import DriftAlarm, DriftResult, figure_words
from core.domain.qualification import Qualification
from core.domain.shadow import ShadowReading
from core.services.monitoring.drift import DriftState
from core.services.monitoring.live import LiveReliability
from core.services.monitoring.shadow import SHOWN, ShadowSummary

BIAS = (
    "This is no validation: only boxes at or above the operating point that an inspector confirmed or "
    "dismissed count; whoever decided had seen the probability; what the model did not report does not occur."
)


def drift_words(state: DriftState) -> str:
    """How far observing is, and how soon more noise would be noticed."""
    seen = f"{state.n_observed:,} images observed since the reference began"
    if state.last is None:
        seen += f"; {state.n_missing} more until the first window is compared with the reference."
    else:
        changed = ", ".join(one.name for one in state.last.changed) or "nothing"
        seen += f"; in the last full window {changed} changed; {state.n_missing} more until the next one."
    if state.sensitivity is None:
        return seen
    words = state.sensitivity.words
    advice = (
        "" if state.sensitivity.is_at_once else " Name the equipment in the setup where several are in use."
    )
    return f"{seen} {words[0].upper()}{words[1:]}.{advice}"


def shift_rows(result: DriftResult) -> list[dict[str, Any]]:
    """One row a test, the smallest p-value first."""
    return [
        {
            "Figure": one.name,
            "Reference": figure_words(one.name, one.before),
            "Last window": figure_words(one.name, one.now),
            "Distance": round(one.statistic, 3),
            "p": round(one.p_adjusted, 4),
            "Changed": "yes" if one.is_shifted else "",
        }
        for one in sorted(result.shifts, key=lambda one: one.p_adjusted)
    ]


def alarm_words(one: DriftAlarm) -> str:
    """An alarm and what became of it."""
    began = one.words[0].upper() + one.words[1:]
    told = f"{began}. {one.n_recent} images against {one.n_reference}, raised {minute(one.raised_at)} UTC."
    if one.acknowledged_at is None:
        return f"{told} No probability is verified and nothing is routed until it is acknowledged."
    renewed = "; from there on they are the reference" if one.is_new_reference else ""
    return f"{told} Acknowledged {minute(one.acknowledged_at)} UTC: {one.note}{renewed}."


def shadow_facts(found: ShadowSummary) -> dict[str, str]:
    """Counts of what the challenger read in shadow."""
    return {
        "Compared": f"v{found.challenger} (challenger, in shadow) with v{found.champion} (champion)",
        "Images": f"{found.n_images:,} read, {found.n_waiting} wait, {found.n_failed} could not be read",
        "Differ": f"{len(found.differing):,} of the newest {min(found.n_images, SHOWN):,}",
        "By class": _counts(found.by_class),
        "By size": _counts(found.by_size),
    }


def shadow_rows(found: ShadowSummary, model: str) -> list[dict[str, Any]]:
    """One row an image that both versions read differently, the newest first."""
    return [
        {
            "Image": found.names.get(one.image_sha256, one.image_sha256[:12]),
            f"v{one.champion}": one.n_champion,
            f"v{one.challenger}": one.n_challenger,
            "Inspection": f"/history?{urlencode({'inspection': one.inspection_id})}",
            "Compare": f"/compare?{_compared(one, model)}",
            "Differences": _counts(Counter(_difference(one, str(box["remark"])) for box in one.differences)),
            "Read": minute(one.read_at),
        }
        for one in found.differing
    ]


def _difference(one: ShadowReading, remark: str) -> str:
    """The kind of a difference, as `findings_of_versions` remarks on it."""
    if remark.startswith("only "):
        return f"only v{one.challenger}"
    if remark.endswith("does not report it"):
        return f"only v{one.champion}"
    return "probability" if ": probability " in remark else "class"


def _compared(one: ShadowReading, model: str) -> str:
    """The query that shows the image of a reading in both versions."""
    versions = f"{one.champion},{one.challenger}"
    return urlencode({"model": model, "v": versions, "inspection": one.inspection_id})


def live_facts(found: LiveReliability) -> dict[str, str]:
    """Counts behind the diagram."""
    n = found.all.n_boxes
    return {
        "Decided": f"{n:,} boxes in {found.n_readings:,} readings; {found.all.n_true:,} confirmed",
        "Probability": ""
        if found.all.mean_probability is None
        else f"{found.all.mean_probability:.2f} on average, {found.all.n_true / n:.2f} were confirmed",
        "Calibration": found.words,
        "Not counted": f"{found.n_open:,} without a call, {found.n_left_out:,} dismissed as in the part",
    }


def live_rows(found: LiveReliability) -> list[dict[str, Any]]:
    """One row a part and an equipment."""
    groups = (("Part", found.by_part), ("Equipment", found.by_equipment))
    return [
        {
            "Of": f"{kind} {name}",
            "Boxes": one.n_boxes,
            "Mean probability": round(one.mean_probability or 0.0, 2),
            "Confirmed": round(one.n_true / one.n_boxes, 2),
            "D-ECE": "too few boxes" if one.d_ece is None else f"{one.d_ece:.3f}",
            "Perfect up to": "" if one.band is None else f"{one.band[1]:.3f}",
        }
        for kind, found_by in groups
        for name, one in found_by.items()
    ]


def qualification_facts(one: Qualification, by: str) -> dict[str, str]:
    """A record as facts."""
    scope = one.scope
    ended = (
        "" if one.withdrawn_at is None else f"withdrawn {minute(one.withdrawn_at)} UTC: {one.withdrawn_note}"
    )
    return {
        "Procedure": scope.procedure,
        "Qualified": f"{minute(one.qualified_at)} UTC by {by}",
        "Holds until": ended or f"{scope.expires_on:%Y-%m-%d}",
        "Evaluation set": scope.evaluation_set,
        "Probability of detection": scope.detection or "not determined",
        "Equipment": ", ".join(scope.equipment) or "any",
        "Material": ", ".join(scope.materials) or "any",
        "Note": scope.note,
    }


def typed_list(text: str) -> tuple[str, ...]:
    """The entries of a text with one on each line."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _counts(counts: Mapping[str, int]) -> str:
    ordered: Sequence[tuple[str, int]] = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name}: {count}" for name, count in ordered)
