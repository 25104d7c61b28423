"""The app's services on a temporary folder, with tiny real networks instead of the shipped models."""

from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from app.shared.resources import Resources
from core.config import Settings
from core.container import Container
from core.domain.errors import ModelNotFoundError
from core.domain.model_version import ModelVersion
from core.imaging.uploads import IncomingFile
from tests.artefacts import write_artefact
from tests.empty_stores import copy_empty_database
from tests.memory_registry import MemoryRegistry


class TwoModels(MemoryRegistry):
    """A registry of one weld and one casting version that can be taken away, cache and all."""

    def resolve(
        self, name: str, *, version: int | None = None, alias: str = "champion"
    ) -> tuple[ModelVersion, Path]:
        """The version and its folder."""
        if not self.is_there:
            raise ModelNotFoundError(f"no registered model {name!r}")
        return super().resolve(name, version=version, alias=alias)


def make_workplace(folder: Path, *, is_demo: bool = True, **more: Any) -> Resources:
    """Services and the app's objects, everything below `folder`; guests may come in unless told otherwise.

    Args:
        folder: empty.
        is_demo: whether guests may come in.
        more: settings.
    """
    url = copy_empty_database(folder / "radikal.db")
    settings = Settings(_env_file=None, data_dir=folder, database_url=url, device="cpu", **more)
    services = Container(settings, serves=True, hash_cost=4)
    services.registry = TwoModels()
    for name, polarity in (("weld", "film"), ("casting", "digital")):
        made = write_artefact(folder / name, name=name, polarity=polarity, score_spread=1.0)
        services.registry.add(made, alias="champion")
    return Resources(services, is_demo=is_demo)


def close_workplace(held: Resources) -> None:
    """Let background work finish and give back the connections."""
    held.close()


def radiograph_png(seed: int = 0, *, height: int = 96, width: int = 128) -> bytes:
    """A 16-bit PNG of noise, different for each seed; with a bright band, as a weld has on a film.

    Its polarity is told without asking: film of a weld, digital of a casting.
    """
    noise = np.random.default_rng(seed).integers(0, 65_535, (height, width))
    is_weld = np.abs(np.arange(height) / height - 0.5)[:, None] < 0.15
    pixels = np.where(is_weld, 39_000 + 0.2 * noise, 0.4 * noise).astype(np.uint16)
    is_written, encoded = cv2.imencode(".png", pixels)
    assert is_written
    return encoded.tobytes()


def incoming(name: str, data: bytes) -> IncomingFile:
    """A file in memory, as it is handed in."""
    return IncomingFile(name, partial(bytes, data))
