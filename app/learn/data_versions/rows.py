"""Data versions and their differences as rows and in words."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.shared.moments import minute
from core.domain.accounts import COMMAND_LINE
from core.domain.data_manifest import ImageOrigin, ManifestChanges, ManifestImage
from core.services.datasets.data_versions import Preview
from core.store.data_versions import DataVersion


def preview_words(preview: Preview) -> str:
    """The labels there are, in one line."""
    if not preview.labelled and not preview.n_waiting:
        return "nothing is labelled yet"
    words = f"{preview.labelled} labelled images, {preview.n_new} new or changed since the newest version"
    waiting = f"{preview.n_waiting} more wait in the queue" if preview.n_waiting else ""
    return " · ".join(filter(None, (words, preview.judging.words, waiting)))


def version_rows(versions: Sequence[DataVersion], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """The versions as rows of a table."""
    return [
        {
            "Version": one.number,
            "Made": minute(one.created_at),
            "By": author(one, names),
            "Images": one.counts["images"],
            "Boxes": one.counts["boxes"],
            "Train": one.counts["parts"]["train"][0],
            "Calibration": one.counts["parts"]["calibration"][0],
            "Test": one.counts["parts"]["test"][0],
            "Note": one.note,
        }
        for one in versions
    ]


def author(version: DataVersion, names: Mapping[str, str]) -> str:
    """The name of the person who made it."""
    by = version.created_by
    return COMMAND_LINE.name if by is None else names.get(by, by)


def others(versions: Sequence[DataVersion], one: DataVersion) -> list[DataVersion]:
    """The versions that one can be compared with, its parent first."""
    rest = [other for other in versions if other.number != one.number]
    return sorted(rest, key=lambda other: (other.manifest_sha256 != one.parent_sha256, -other.number))


def version_facts(version: DataVersion, names: Mapping[str, str], judging: str = "") -> dict[str, str]:
    """A version by name; `judging` says which images never train."""
    counts = version.counts
    ignored = ", ".join(f"{code} {count}" for code, count in counts.get("ignored", {}).items())
    return {
        "Licence": version.licence,
        "Note": version.note or "none",
        "Made": f"{minute(version.created_at)} UTC by {author(version, names)}",
        "Boxes": f"{counts['boxes']} on {counts['images']} images of {counts['series']} parts, "
        f"{counts['clean']} images without any",
        "Classes": ", ".join(f"{name} {count}" for name, count in counts["classes"].items()) or "none",
        **({"Ignored": f"{ignored}: own classes, which models do not know"} if ignored else {}),
        "Labelled here": f"{counts['labelled']} of {counts['images']}",
        **({"Never train": judging} if judging else {}),
    }


def difference_rows(found: ManifestChanges) -> list[dict[str, Any]]:
    """Every image that differs, as rows of a table."""
    rows = [_row("added", image, None) for image in found.added]
    rows += [_row("changed", after, before) for before, after in found.changed]
    return rows + [_row("removed", image, image) for image in found.removed]


def difference_words(found: ManifestChanges) -> str:
    """The difference in one line."""
    if found.is_empty:
        return "Both hold the same images with the same boxes in the same parts."
    counts = (("added", found.added), ("changed", found.changed), ("removed", found.removed))
    return " · ".join(f"{len(images)} {what}" for what, images in counts)


def _row(what: str, image: ManifestImage, before: ManifestImage | None) -> dict[str, Any]:
    boxes = str(len(image.boxes))
    if before is not None and before is not image:
        boxes = f"{len(before.boxes)} → {len(image.boxes)}"
    part = image.part.value
    if before is not None and before.part is not image.part:
        part = f"{before.part.value} → {part}"
    return {
        "What": what,
        "Image": image.name,
        "Boxes": boxes,
        "For": part,
        "Shows": image.series,
        "From": "import" if image.origin is ImageOrigin.IMPORTED else f"labels v{image.annotation_version}",
        "Open": f"/label?image={image.sha256}",
    }
