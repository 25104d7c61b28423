"""How radiographs that programs hand in are to be read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.domain.radiograph import Polarity
from core.domain.reading import Setup, setup_from
from core.domain.serving import CHAMPION

#: Kind of the jobs that inspect, and the lane in which they run beside training and measuring.
INSPECT, LANE = "inspect", "inspecting"


@dataclass(frozen=True, slots=True)
class Asked:
    """How radiographs that were handed in are to be read.

    Attributes:
        model: registered name.
        version: that reads every image; None takes the one that bears `alias`.
        alias: "champion" or "challenger".
        polarity: of files that do not state theirs.
        setup: what is inspected, as far as it is known.
    """

    model: str
    version: int | None = None
    alias: str = CHAMPION
    polarity: Polarity = Polarity.UNKNOWN
    setup: Setup = field(default_factory=Setup)

    @property
    def is_picked(self) -> bool:
        """True where a part that looks strange may be read by the model for new parts instead."""
        return self.version is None and self.alias == CHAMPION

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON; `asked_from` reads it back."""
        return {
            "model": self.model,
            "version": self.version,
            "alias": self.alias,
            "polarity": self.polarity.value,
            "setup": self.setup.to_dict(),
        }


def asked_from(content: Mapping[str, Any]) -> Asked:
    """What `Asked.to_dict` wrote."""
    return Asked(
        content["model"],
        content["version"],
        content["alias"],
        Polarity(content["polarity"]),
        setup_from(content["setup"]),
    )
