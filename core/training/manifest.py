"""The data manifest: the sha256 of every training image."""

import hashlib
import json
from pathlib import Path

from core.training.images import TrainingImage


def write_manifest(path: Path, images: list[TrainingImage]) -> None:
    """Write what `images` were: file name, series and sha256 of each, and their digest together."""
    content = {"digest": manifest_digest(images), "images": [image.identity for image in images]}
    path.write_text(json.dumps(content, indent=0) + "\n", encoding="utf-8")


def manifest_digest(images: list[TrainingImage]) -> str:
    """One hex sha256 for a set of images, whatever their order."""
    digests = sorted(str(image.identity["sha256"]) for image in images)
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()
