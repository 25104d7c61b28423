"""Indications that people decided about, beside one that looks like them."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from core.domain.reading import Call

#: So many of the most similar are looked at.
MOST_SIMILAR = 10


@dataclass(frozen=True, slots=True)
class Decided:
    """An indication that a person confirmed or dismissed.

    Attributes:
        inspection_id: of its inspection.
        image_sha256: of its radiograph.
        image_name: of its radiograph, as the inspection names it.
        indication_id: within the reading.
        bbox: x1, y1, x2, y2 in px.
        call: confirmed or dismissed.
        words: the call in words, with what a dismissed one is.
        decided_by: name of whoever saved the reading.
        decided_at: when it was saved.
        is_signed: the reading is signed.
    """

    inspection_id: str
    image_sha256: str
    image_name: str
    indication_id: str
    bbox: tuple[float, float, float, float]
    call: Call
    words: str
    decided_by: str
    decided_at: datetime
    is_signed: bool


@dataclass(frozen=True, slots=True, eq=False)
class Similar:
    """A decided indication and how alike it looks.

    Attributes:
        decided: the indication.
        likeness: cosine of the features of both, -1..1.
        picture: (h, w) uint8 of its surroundings.
    """

    decided: Decided
    likeness: float
    picture: npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class SimilarFound:
    """The most similar decided indications, most similar first.

    Attributes:
        found: at most `MOST_SIMILAR`.
        n_compared: decided indications of other radiographs that were compared.
        n_waiting: decided ones whose features are not there yet.
    """

    found: tuple[Similar, ...]
    n_compared: int
    n_waiting: int = 0

    @property
    def n_confirmed(self) -> int:
        """How many of those found were confirmed."""
        return sum(one.decided.call is Call.CONFIRMED for one in self.found)

    @property
    def words(self) -> str:
        """One line: how many of the most similar were confirmed, of how many that were compared."""
        waiting = f"; {self.n_waiting} more are not compared yet" if self.n_waiting else ""
        if not self.found:
            return f"nobody has confirmed or dismissed another indication here{waiting}"
        n = len(self.found)
        most = f"the {n} most similar" if n > 1 else "the only other one"
        calls = f"{self.n_confirmed} confirmed, {n - self.n_confirmed} dismissed"
        return f"of {most}, {calls} ({self.n_compared} compared{waiting})"
