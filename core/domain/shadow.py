"""What a challenger said on an image that the champion read, which nobody saw while reading it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class ShadowReading:
    """Both versions on one image.

    Attributes:
        inspection_id: of the champion's reading.
        champion, challenger: version numbers.
        n_champion, n_challenger: boxes at or above the operating probability of each.
        differences: boxes that differ, each with `bbox`, `class`, `probability`, `by` and `remark`.
        problem: why the challenger could not read it; empty where it could.
    """

    image_sha256: str
    inspection_id: str
    model_name: str
    champion: int
    champion_sha256: str
    challenger: int
    challenger_sha256: str
    read_at: datetime
    n_champion: int
    n_challenger: int
    differences: tuple[Mapping[str, Any], ...] = field(default=(), hash=False)
    problem: str = ""
