"""The data manifest: the sha256 of every training image."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from core.training.images import TrainingImage


def write_manifest(path: Path, images: list[TrainingImage]) -> None:
    """Write what `images` were: file name, series and sha256 of each, and their digest together."""
    write_entries(path, [image.identity for image in images])


def write_entries(path: Path, entries: Sequence[dict[str, Any]]) -> None:
    """Write a manifest of entries, each with the `sha256` of an image: a line an image, without spaces.

    An image that flaws were laid on several times has one line, with all `seeds`.
    """
    digest = json.dumps(_digest(entries))
    lines = ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in _one_an_image(entries))
    path.write_text(f'{{"digest":{digest},"images":[\n{lines}\n]}}\n', encoding="utf-8")


def manifest_digest(images: list[TrainingImage]) -> str:
    """One hex sha256 for a set of images, whatever their order."""
    return _digest(image.identity for image in images)


def _one_an_image(entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The entries, those that differ by their `seed` alone as one."""
    alike: dict[str, list[dict[str, Any]]] = {}
    for entry in entries:
        alike.setdefault(json.dumps({**entry, "seed": None}), []).append(entry)
    return [
        many[0]
        if len(many) == 1
        else {key: value for key, value in many[0].items() if key != "seed"}
        | {"seeds": [entry.get("seed") for entry in many]}
        for many in alike.values()
    ]


def _digest(entries: Iterable[dict[str, Any]]) -> str:
    digests = sorted({str(entry["sha256"]) for entry in entries})
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()
