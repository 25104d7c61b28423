"""The images of the worklist as plain data for the viewer."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from app.inspection.analysis_queue import Answer, Question
from app.inspection.items import WorklistItem
from app.shared.components.radiograph_viewer.radiograph_viewer import THRESHOLD_RANGE
from app.shared.job_progress import duration_words
from app.shared.viewer_rows import POLARITY_WORDS, claim_data, shown_image
from app.shared.worklist import EntryState
from core.domain.explanation_standing import (
    LEAST_BOXES,
    first_words,
    methods_in_order,
    methods_passed,
    standing_words,
    trust_words,
)
from core.domain.familiarity import NOT_VERIFIED
from core.domain.flaw_group import is_reported
from core.domain.inspection import DetectionResult
from core.domain.kinds import Family, family_of
from core.domain.model_version import ModelVersion
from core.domain.outline import outline_from
from core.domain.polarity import GROUND_WORDS, IMAGES_IN, PolarityDecision
from core.domain.radiograph import PixelPitch, Polarity, PolarityGround, Radiograph
from core.domain.records import Inspection
from core.domain.sizing import is_closer
from core.imaging.outline_polygon import polygons_of
from core.services.inspections.judging import failed_checks
from core.services.routing.routing_certificates import RoutingCertificates, image_score, route_image

#: Shown with every route, so that it is taken for nothing else.
ROUTE_IS = (
    "The route is where the model would send this image; "
    "it is neither the verdict of a rule nor a disposition."
)


def start_threshold(model: ModelVersion) -> float:
    """The model's operating point, within what the page offers."""
    low, high = THRESHOLD_RANGE
    return round(min(high, max(low, model.calibration.operating_probability)), 2)


def viewer_data(
    items: Sequence[WorklistItem],
    current: WorklistItem,
    *,
    radiograph: Radiograph | None,
    model: ModelVersion,
    threshold: float,
    reading: Mapping[str, Any] | None = None,
    remark: str = "",
    progress_by_key: Mapping[str, str] | None = None,
    pitch: PixelPitch | None = None,
    is_film_first: bool = False,
    explanations: Mapping[str, Any] | None = None,
    is_explainable: bool = False,
    void: str = "",
) -> dict[str, Any]:
    """Plain data for the viewer: one image and the worklist around it.

    Args:
        items: the whole worklist.
        current: the image on show.
        radiograph: its pixels and what is known, None before it was read.
        model: the version that answers.
        threshold: to begin with; the viewer keeps its own afterwards.
        reading: see `app.inspection.reading.rows.reading_data`; None before there is one.
        remark: one line on those of the last files that were not taken.
        progress_by_key: how far each image is read, by the key of its entry; none are told without it.
        pitch: the scale that counts with the setup of the reading; None takes that of the radiograph.
        is_film_first: this person looks before the model is shown: the batch tells no counts.
        explanations: what `radikal explain-eval` measured of the version; None where nothing was.
        is_explainable: whoever looks may open the page Explain.
        void: why no probability is verified although the image is familiar; empty where they are.
    """
    result = current.answer.result if current.answer else None
    is_veiled = bool((reading or {}).get("is_first_look")) or (is_film_first and reading is None)
    shown = None if radiograph is None else _scaled(radiograph, pitch)
    is_counted = not (is_film_first or is_veiled)
    explained = (reading or {}).get("inspection_id") if is_explainable else None
    batch = current.entry.batch
    n_together = sum(item.entry.batch == batch for item in items) if batch else 1
    return {
        "image": _image(current, shown, model, (reading or {}).get("srb_mm"), n_together) if shown else None,
        "status": _status(items, current, result),
        "detections": _detections(result, is_void=bool(void)) if result and not is_veiled else [],
        "result_id": f"{current.entry.key}-{model.name}-{model.version}-{result is not None}-{is_veiled}",
        "calibration": _calibration(model, radiograph, result, void),
        "model": _model(model, result),
        "maps": _maps(explanations),
        "threshold": threshold,
        "threshold_rev": f"{model.name}-{model.version}",
        "links": _links(current.question, explained)
        if result and current.question and not is_veiled
        else None,
        "reading": None if reading is None else {**reading, "unread": list(shown.unread) if shown else []},
        "progress": progress(items, remark),
        "batch": [
            _batch_item(item, threshold, progress_by_key or {}, is_counted=is_counted) for item in items
        ],
        "current": current.entry.key,
    }


def _scaled(radiograph: Radiograph, pitch: PixelPitch | None) -> Radiograph:
    return radiograph if pitch is None else replace(radiograph, pitch=pitch)


def _image(
    current: WorklistItem,
    radiograph: Radiograph,
    model: ModelVersion,
    srb_mm: float | None,
    n_together: int,
) -> dict[str, Any]:
    result = current.answer.result if current.answer else None
    return shown_image(radiograph, current.entry.name, f"/pixels/{radiograph.sha256}") | {
        **polarity_data(radiograph, current.polarity),
        "n_together": n_together,
        "srb_um": None if srb_mm is None else 1000 * srb_mm,  # no file states it, so the setup may
        "notes": list(dict.fromkeys((*radiograph.notes, *(result.notes if result else ())))),
    }


def polarity_data(radiograph: Radiograph, decision: PolarityDecision | None) -> dict[str, Any]:
    """The polarity with its ground, and the question where it has to be stated.

    Args:
        radiograph: in the polarity that counts.
        decision: what counts and why; None before the image was looked at.
    """
    ground = GROUND_WORDS[radiograph.polarity_ground]
    is_known = radiograph.polarity is not Polarity.UNKNOWN
    short = f"{radiograph.polarity} · {ground}" if is_known else "polarity not stated"
    words = f"{POLARITY_WORDS[radiograph.polarity]} ({ground})" if is_known else "not stated"
    warning = decision.warning if decision else ""
    return {
        "polarity_text": words,
        "polarity_line": {
            "text": f"{short} ⚠" if warning else short,
            "title": warning or (decision.estimate.told if decision and is_known else ""),
            "warning": warning,
            "is_stated_by_file": radiograph.polarity_ground is PolarityGround.FILE,
        },
        "polarity_ask": decision.estimate.told if decision and decision.is_asked else None,
    }


def _status(
    items: Sequence[WorklistItem], current: WorklistItem, result: DetectionResult | None
) -> dict[str, Any]:
    status = {"state": current.state, "message": "", "elapsed_ms": result.elapsed_ms if result else None}
    if current.state in ("failed", "cancelled"):
        status["message"] = _why(current)
    elif current.entry.state is EntryState.READING:
        status["message"] = f"Reading {current.entry.name}"
    elif current.state == "asked":
        status["message"] = "Not read yet: say whether it is a film or a digital image"
    elif current.is_pending:
        status["message"] = _why(current) or "Looking for indications"
    return status


def progress(items: Sequence[WorklistItem], remark: str = "") -> dict[str, Any] | None:
    """Progress of the worklist in words, failures and files not taken; None when there is nothing to tell.

    `can_cancel` says that something waits that was not begun; `title` says in full why something waits.
    """
    pending = [item for item in items if item.is_pending]
    failed = [item for item in items if item.state in ("failed", "cancelled")]
    if not remark and (len(items) < 2 or not (pending or failed)):
        return None
    done = sum(item.state == "ready" for item in items)
    text = f"{done} of {len(items)} analysed"
    told = next((why for item in pending if (why := _why(item))), "")
    if told:  # nobody knows for how long; there is room for one short sentence
        text += f". {_first_words(told)}"
    elif pending:
        text += _time_left(items, len(pending))
    return {
        "text": text,
        "title": told,
        "is_running": bool(pending),
        "can_cancel": any(item.state == "waiting" for item in pending),
        "failed": [
            {"key": item.entry.key, "name": item.entry.name, "message": _why(item)} for item in failed
        ],
        "remark": remark,
    }


def _first_words(told: str) -> str:
    return told.partition(". ")[0].partition(":")[0].removesuffix(".")


def _why(item: WorklistItem) -> str:
    return item.entry.message or item.why_not or (item.answer.message if item.answer else "")


def _time_left(items: Sequence[WorklistItem], pending: int) -> str:
    taken = [item.answer.result.elapsed_ms for item in items if item.answer and item.answer.result]
    if not taken:
        return ""
    return f", about {duration_words(pending * sum(taken) / len(taken) / 1000)} left"


def _detections(result: DetectionResult, *, is_void: bool) -> list[dict[str, Any]]:
    family = family_of(result.model.name)
    return [
        {
            "n": number,
            "box": row["bbox"],
            "class": row["class"],
            "iso6520": row["iso6520"] if family is Family.WELD else None,
            "score": row["score"],
            "probability": row["probability"],
            **({"is_unverified": True} if result.is_strange or is_void else {}),
            "claim": claim_data(row),
            **_outline_data(row),
        }
        for number, row in enumerate(result.rows(), start=1)
    ]


def _outline_data(row: Mapping[str, Any]) -> dict[str, Any]:
    """Corners and area of the model's outline, and its size where that is closer, px; {} without one."""
    if (content := row.get("outline")) is None:
        return {}
    outline = outline_from(content)
    size = {"length": outline.length_px, "width": outline.width_px}
    return {
        "outline": polygons_of(outline),
        "area": outline.area_px,
        **({"size": size} if is_closer(outline.length_px, outline.width_px, row["bbox"]) else {}),
    }


def _calibration(
    model: ModelVersion, radiograph: Radiograph | None, result: DetectionResult | None, void: str
) -> dict[str, Any]:
    """For the reader: what kind of image it holds for. Figures and the parts stand on the model's card."""
    calibration, polarity = model.calibration, radiograph.polarity if radiograph else model.polarity
    is_other = Polarity.UNKNOWN not in (polarity, model.polarity) and polarity is not model.polarity
    kind = IMAGES_IN[model.polarity]
    warning = f"not calibrated for this kind of image, only for {kind}" if is_other else ""
    warning = warning or calibration.doubt or void
    if result is not None and result.is_strange:
        warning = NOT_VERIFIED
    familiar = result.familiarity.words if result and result.familiarity else ""
    return {
        "id": calibration.calibration_id,
        "words": warning or f"calibrated on {kind}",
        "warning": warning,
        "familiarity": "; ".join(filter(None, (void, familiar))),
        "is_verified": not warning,
        "score_cut": calibration.score_cut,
        "operating_probability": calibration.operating_probability,
    }


def _model(model: ModelVersion, result: DetectionResult | None) -> dict[str, Any]:
    aliases = f" ({', '.join(model.aliases)})" if model.aliases else ""
    return {
        "title": f"{model.name} v{model.version}{aliases}",
        "sha256": model.sha256,
        "data_notice": model.data_notice,
        "device": result.device if result else "",
    }


def _maps(explanations: Mapping[str, Any] | None) -> dict[str, Any]:
    """Which map is shown first, and what is said beside it: how far its method can be believed."""
    is_measured = explanations is not None and explanations["n_boxes"] >= LEAST_BOXES
    passed = methods_passed(explanations) if explanations is not None and is_measured else None
    return {
        "order": [one.value for one in methods_in_order(explanations)],
        "standing": "; ".join(filter(None, (first_words(explanations), standing_words(explanations)))),
        "passed": None if passed is None else [one.value for one in passed],
        "trust": trust_words(explanations),
    }


def _links(question: Question, explained: str | None) -> dict[str, str | None]:
    """Where answers on the image are. `page` is Explain, of the inspection `explained`; None without one."""
    query = urlencode(
        {"model": question.model, "version": question.version, "polarity": question.polarity.value}
        | ({"chosen": "1"} if question.is_chosen else {})
    )
    base = f"/results/{question.sha256}"
    return {
        "map": f"{base}/map?{query}",
        "without": f"{base}/without?{query}",
        "similar": f"{base}/similar?{query}",
        "faithfulness": f"{base}/faithfulness?{query}",
        "json": f"{base}/detections.json?{query}",
        "png": f"{base}/annotated.png?{query}",
        "page": None if explained is None else f"/explanations?{urlencode({'inspection': explained})}",
    }


def _batch_item(
    item: WorklistItem, threshold: float, progress_by_key: Mapping[str, str], *, is_counted: bool
) -> dict[str, Any]:
    words = {"ready": "", "asked": "polarity?"}
    summary, answer = words.get(item.state, item.state), item.answer
    if is_counted and answer is not None and (found := _found(answer)) is not None:
        summary = f"{sum(is_reported(one, threshold) for one in found)} at {threshold:.2f}"
    sha256 = item.entry.sha256
    return {
        "key": item.entry.key,
        "name": item.entry.name,
        "state": item.state,
        "summary": summary,
        "progress": str(progress_by_key.get(item.entry.key, "")),
        "title": f"{item.entry.name}: {item.entry.message or summary}",
        "thumbnail_url": f"/thumbnails/{sha256}" if sha256 else None,
    }


def _found(answer: Answer) -> Sequence[Mapping[str, Any]] | None:
    if answer.inspection is not None:
        return answer.inspection.detections
    if answer.result is None or answer.result.detections.probabilities is None:
        return None
    return answer.result.rows()


def route_data(
    result: DetectionResult, inspection: Inspection, certificates: RoutingCertificates, void: str = ""
) -> dict[str, Any]:
    """Plain data for the viewer: `route`, `is_certified`, `text` and `reasons`.

    Args:
        result: of the model.
        inspection: its record, with the report of the image-quality gate.
        certificates: those that are kept.
        void: why they do not hold now; empty where they do.
    """
    probabilities = result.detections.probabilities
    if probabilities is None:
        raise ValueError("a raw score routes nothing: the detections were not calibrated")
    model = inspection.model
    standing = certificates.standing(model.name, sha256=model.sha256, calibration_id=model.calibration_id)
    found = route_image(
        image_score(probabilities),
        standing,
        familiarity=result.familiarity,
        void=void,
        has_quality=inspection.image_quality is not None,
        failed_quality=failed_checks(inspection.image_quality),
    )
    text = f"routing: {found.route}" if found.is_certified else f"routing: not certified, so {found.route}"
    return {
        "route": found.route.value,
        "is_certified": found.is_certified,
        "text": text,
        "reasons": [*found.reasons, ROUTE_IS],
    }
