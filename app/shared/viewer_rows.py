"""Parts of the plain data that every radiograph viewer is given."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.domain.flaw_group import UNCLASSIFIED, GroupClaim, claim_from, type_words
from core.domain.indication import ISO_6520, IndicationClass
from core.domain.kinds import WORD_KINDS, Family, is_imperfection
from core.domain.radiograph import Polarity, Radiograph
from core.standards.kinds import class_of, kinds_of, offered_kinds
from core.standards.rule_set import RuleSet
from core.standards.severity import claim_rank, severity_rank

#: A radiograph of more pixels is shown shrunk first, while full depth is on its way.
PREVIEW_ABOVE_PX = 1_500_000
POLARITY_WORDS = {
    Polarity.FILM: "film: less metal is darker",
    Polarity.DIGITAL: "digital: less metal is brighter",
}

#: Parts of the viewer's data on pages where nothing is being analysed.
VIEW_AT_REST = {
    "status": {"state": "ready", "message": "", "elapsed_ms": None},
    "links": None,
    "progress": None,
}


def shown_image(radiograph: Radiograph, name: str, address: str) -> dict[str, Any]:
    """The image.

    Args:
        radiograph: its pixels and what its file says.
        name: as people know it.
        address: of its pixels; a preview lies below it.
    """
    pitch = radiograph.pitch
    is_large = radiograph.pixels.size > PREVIEW_ABOVE_PX
    return {
        "name": name,
        "sha256": radiograph.sha256,
        "pixels_url": address,
        "preview_url": f"{address}/preview" if is_large else None,
        "width": radiograph.width,
        "height": radiograph.height,
        "bit_depth": radiograph.bit_depth,
        "file_format": radiograph.file_format,
        "polarity": radiograph.polarity.value,
        "polarity_text": POLARITY_WORDS.get(radiograph.polarity, "not stated"),
        "mm_per_px": pitch.mm_per_px if pitch else None,
        "pitch_source": pitch.words if pitch else None,
        "srb_um": None,
        "fields": dict(radiograph.fields),
        "notes": list(radiograph.notes),
    }


def rule_words(standard: str | None, level: str | None, tables: Sequence[RuleSet]) -> str:
    """The chosen rule, such as "ISO 5817, level B"; its id where its table is gone."""
    if standard is None:
        return "none chosen"
    title = next((one.title for one in tables if one.rule_set_id == standard), standard)
    return f"{title}, level {level or 'not chosen'}"


def quality_lines(report: Mapping[str, Any] | None) -> list[dict[str, str]] | None:
    """Each check of the image quality with its state; None when none was made."""
    if report is None:
        return None
    return [
        {
            "name": str(check["kind"]),
            "state": str(check["state"]),
            "message": str(check["message"]),
        }
        for check in report.get("checks", ())
    ]


def known_kinds(*families: Family) -> list[dict[str, str]]:
    """Every ISO 6520-1 number, or kind without one, of these families, with the class that it belongs to."""
    names = {code: name for family in families for code, name in kinds_of(family).items()}
    return [{"code": code, "class": class_of(code).value, "name": name} for code, name in names.items()]


def severity_ranks() -> dict[str, dict[str, int]]:
    """Ranks of the classes and of the numbers by which the list is ordered, the most severe lowest."""
    return {
        "classes": {one.value: severity_rank(one, None) for one in IndicationClass},
        "codes": {
            code: severity_rank(class_of(code), code) for family in Family for code in kinds_of(family)
        },
    }


def kinds_by_class(*families: Family, is_label: bool = False) -> dict[str, dict[str, Any]]:
    """For each class that one of the families speaks of its words, group number and the finer kinds.

    Args:
        families: weld or casting; both where nobody knows, the words of the first one count.
        is_label: labels are made, of imperfections only.

    Returns:
        `kinds` as (number or id, name); `group` None where the class has no ISO 6520-1 number.
    """
    first, names = families[0], {code: name for one in families for code, name in kinds_of(one).items()}
    offered = {
        one: [
            [kind, _hinted(kind, names[kind])]
            for kind in dict.fromkeys(kind for family in families for kind in offered_kinds(one, family))
            if kind != ISO_6520[one] and not (is_label and not is_imperfection(kind))
        ]
        for one in IndicationClass
    }
    return {
        one.value: {"words": _class_words(one, first), "group": _group(one, first), "kinds": kinds}
        for one, kinds in offered.items()
        if kinds or _group(one, first) or one is IndicationClass.UNCLASSIFIED
    }


def _group(one: IndicationClass, family: Family) -> str | None:
    return ISO_6520[one] if family is Family.WELD else None


def _class_words(one: IndicationClass, family: Family) -> str:
    """The class where nobody says the kind."""
    if one is IndicationClass.UNCLASSIFIED:
        return "type not specified"
    is_foreign = family is Family.CASTING and one is IndicationClass.INCLUSION
    return f"{'foreign material' if is_foreign else one.value}, type not specified"


def _hinted(kind: str, name: str) -> str:
    hint = WORD_KINDS[kind].hint if kind in WORD_KINDS else ""
    return f"{name}, {hint}" if hint else name


def claim_data(found: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the model claims of a detection, in words and with its rank; None without a second stage."""
    claim = claim_from(found)
    if claim is None:
        return None
    group = claim.group.value if claim.group else UNCLASSIFIED
    return {
        "group": group,
        "class": found["class"],
        "words": claim.words,
        "short": claim.short_words,
        "said": _claim_said(claim),
        "rank": claim_rank(claim),
        "operating_share": claim.operating_share,
    }


def _claim_said(claim: GroupClaim) -> str:
    """How often such a claim is right, in a sentence."""
    if claim.group is None:
        return f"The group is not sure: of its best guess {round(100 * claim.reliability)} in 100 are right."
    types = ", ".join(f"{type_words(claim.group, one)} {round(100 * one.reliability)}" for one in claim.types)
    said = f"Of such claims of {claim.group}, {round(100 * claim.reliability)} in 100 are right"
    return f"{said}; type, in 100: {types}." if types else f"{said}."
