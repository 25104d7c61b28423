"""Data of the viewer where labels are made."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC
from typing import Any

from app.shared.components.radiograph_viewer.radiograph_viewer import THRESHOLD_RANGE
from app.shared.viewer_rows import VIEW_AT_REST, kinds_by_class, known_kinds, shown_image
from core.domain.accounts import Identity
from core.domain.correction import REASON_WORDS
from core.domain.familiarity import NOT_VERIFIED
from core.domain.indication import ISO_6520
from core.domain.kinds import Family, family_of, is_imperfection
from core.domain.labels import Suggestion
from core.domain.own_classes import OwnClass
from core.domain.permissions import Action, may
from core.domain.radiograph import Radiograph
from core.services.labels.labels import EarlierLabels, LabelSheet
from core.standards.kinds import families_of
from core.store.queue import QueueItem

PREFIX = "labels-"
_MOST_REMARKS = 3


def label_data(
    sheet: LabelSheet,
    radiograph: Radiograph,
    identity: Identity,
    *,
    others: Sequence[str],
    refused: Mapping[str, Any],
    has_next: bool,
    visited: Sequence[tuple[str, str]],
    ahead: str | None = None,
    data_notice: str = "",
    earlier: EarlierLabels | None = None,
    own_classes: Sequence[OwnClass] = (),
) -> dict[str, Any]:
    """Data of one image for the viewer.

    Args:
        sheet: the labels.
        radiograph: its pixels.
        identity: who labels.
        others: names of those who are at this image now.
        refused: the edit that was not saved last and why, `edit` and `message`.
        has_next: more waits in the queue.
        visited: digest and name of the images of this session, this one among them.
        ahead: digest of the image that will probably come next.
        data_notice: what the data of the model that looked at it demands to be said.
        earlier: labels of the image before, which a key copies.
        own_classes: that an admin added.
    """
    answer, sha256 = sheet.answer, sheet.image.sha256
    operating = answer.model.operating_probability if answer else 0.5
    low, high = THRESHOLD_RANGE
    title = f"{answer.model.name} v{answer.model.version}" if answer else "no model looked at this image"
    return {
        **VIEW_AT_REST,
        "image": shown_image(radiograph, sheet.image.name, f"/labels/images/{sha256}/pixels"),
        "detections": [
            _suggestion(n, one, is_strange=answer is not None and answer.is_strange)
            for n, one in enumerate(sheet.suggestions, 1)
        ],
        "result_id": f"{PREFIX}{sha256}",
        "calibration": {
            "id": answer.model.calibration_id if answer else "",
            "words": NOT_VERIFIED if answer and answer.is_strange else f"as calibrated for {title}",
            "score_cut": answer.model.score_cut if answer else 0.0,
            "operating_probability": operating,
        },
        "model": {
            "title": title,
            "sha256": answer.model.sha256 if answer else "",
            "data_notice": data_notice,
            "device": "",
        },
        "threshold": round(min(high, max(low, operating)), 2),
        "threshold_rev": f"label-{title}",
        "reading": {
            **_labels(sheet, identity, others=others, refused=refused, has_next=has_next),
            "previous": _earlier(earlier),
            "own_classes": [own_class_data(one) for one in own_classes],
        },
        "batch": [_visited(digest, name) for digest, name in visited],
        "current": sha256,
        "prefetch": f"/labels/images/{ahead}/pixels" if ahead else None,
    }


def own_class_data(own: OwnClass) -> dict[str, Any]:
    """A class that an admin added, for the editor."""
    return {
        "code": own.code,
        "name": own.name,
        "colour": own.colour,
        "class": own.indication_class.value,
        "is_offered": own.is_offered,
    }


def _earlier(earlier: EarlierLabels | None) -> dict[str, Any] | None:
    if earlier is None:
        return None
    return {"name": earlier.name, "labels": [one.to_box() for one in earlier.labels]}


def words_of(items: Iterable[QueueItem]) -> list[dict[str, str]]:
    """Why the image is queued: the reason of each item, a note, and the remarks on its boxes."""
    return [
        {
            "words": REASON_WORDS[item.reason][0].upper() + REASON_WORDS[item.reason][1:],
            "remark": _remark(item),
        }
        for item in items
    ]


def _remark(item: QueueItem) -> str:
    said = list(dict.fromkeys(one.remark for one in item.boxes if one.remark))
    more = f", and {len(said) - _MOST_REMARKS} more" if len(said) > _MOST_REMARKS else ""
    of = " marked there" if item.sent is not None else ""
    n_boxes = f"({len(item.boxes)} boxes{of})" if len(item.boxes) > 1 else ""
    note = "" if item.sent is None or not item.sent.note else f"{item.sent.note};"
    return " ".join(filter(None, (note, n_boxes, ", ".join(said[:_MOST_REMARKS]) + more)))


def _labels(
    sheet: LabelSheet,
    identity: Identity,
    *,
    others: Sequence[str],
    refused: Mapping[str, Any],
    has_next: bool,
) -> dict[str, Any]:
    families = _families(sheet)
    return {
        "inspection_id": f"{PREFIX}{sheet.image.sha256}",
        "is_labelling": True,
        "owner": identity.user_id,
        "is_open": may(identity.role, Action.ANNOTATIONS_SAVE),
        "version": sheet.version,
        "saved_at": sheet.saved_at.astimezone(UTC).isoformat() if sheet.saved_at else None,
        "author": sheet.author,
        "content": {
            "labels": [one.to_box() for one in sheet.labels],
            "refused": [one.to_box() for one in sheet.refused],
            "note": sheet.note,
        },
        "kinds": kinds_by_class(*families, is_label=True),
        "numbers": [one for one in known_kinds(*families) if is_imperfection(one["code"])],
        "items": words_of(sheet.items),
        "others": list(others),
        "has_next": has_next,
        "refused": dict(refused),
    }


def _families(sheet: LabelSheet) -> tuple[Family, ...]:
    """The family of the model, else that of which the labels speak, else both."""
    if sheet.answer:
        return (family_of(sheet.answer.model.name),)
    is_casting = any(one.kind and Family.WELD not in families_of(one.kind) for one in sheet.labels)
    return (Family.CASTING,) if is_casting else (Family.WELD, Family.CASTING)


def _suggestion(n: int, one: Suggestion, *, is_strange: bool) -> dict[str, Any]:
    box = one.box
    remark = box.remark or ("dismissed by the inspector" if one.is_doubted else "")
    return {
        "n": n,
        "key": one.key,
        "box": list(box.bbox),
        "class": box.indication_class.value,
        "iso6520": None if box.kind else box.iso6520 or ISO_6520[box.indication_class],
        **({"kind": box.kind} if box.kind else {}),
        "score": None,
        "probability": box.probability,
        **({"is_unverified": True} if is_strange and box.probability is not None else {}),
        "origin": box.origin.value,
        "remark": remark[:1].upper() + remark[1:],
        "is_doubted": one.is_doubted,
        "isAdded": box.probability is None,
    }


def _visited(digest: str, name: str) -> dict[str, Any]:
    return {
        "key": digest,
        "name": name,
        "state": "ready",
        "summary": "",
        "title": name,
        "thumbnail_url": f"/labels/images/{digest}/thumbnail",
    }
