"""Checkpoints in parts of at most 15 MiB, written whole or not at all."""

import io
from pathlib import Path
from typing import Any

import torch

from core.domain.errors import DatasetError
from core.training.checkpoint_index import INDEX

PART_BYTES = 15 * 1024 * 1024


def save_checkpoint(folder: Path, state: dict[str, Any], step: int) -> None:
    """Write `state` as the newest checkpoint of `folder` and remove the one before.

    The index names the parts and is replaced last, so a killed run leaves the older checkpoint.
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    content = buffer.getvalue()
    names = []
    for number, start in enumerate(range(0, len(content), PART_BYTES)):
        name = f"checkpoint-{step:07d}.part{number}"
        (folder / name).write_bytes(content[start : start + PART_BYTES])
        names.append(name)
    temporary = folder / (INDEX + ".new")
    temporary.write_text("\n".join(names), encoding="utf-8")
    temporary.replace(folder / INDEX)
    for part in folder.glob("checkpoint-*.part*"):
        if part.name not in names:
            part.unlink()


def forget_checkpoint(folder: Path) -> None:
    """Let a run in `folder` begin afresh; its parts are removed with the next checkpoint."""
    (folder / INDEX).unlink(missing_ok=True)


def load_checkpoint(folder: Path) -> dict[str, Any] | None:
    """The newest checkpoint of `folder`, on the CPU; None when there is none.

    Raises:
        DatasetError: when a part is missing.
    """
    index = folder / INDEX
    if not index.exists():
        return None
    try:
        content = b"".join((folder / name).read_bytes() for name in index.read_text(encoding="utf-8").split())
    except FileNotFoundError as error:
        raise DatasetError(f"the checkpoint in {folder} lacks a part: {error.filename}") from error
    state: dict[str, Any] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    return state
