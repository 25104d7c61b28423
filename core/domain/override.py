"""A disposition signed in spite of what stands against it: objections, reason, note, signer."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from core.domain.errors import BadInputError

_LONGEST_NOTE = 2_000


class OverrideReason(StrEnum):
    """Reason why a disposition is signed in spite of an objection."""

    CONCESSION = "concession"
    REPAIR = "repair planned"
    NOT_APPLICABLE = "rule not applicable"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Override:
    """What stood against a disposition that was signed all the same, and why it was.

    Attributes:
        objections: as they were shown to the signer, one line each; never empty.
        note: in the signer's words; never empty.
        signer_id: "" until it is signed.

    Raises:
        BadInputError: no objection, no note, or a note that is too long.
    """

    objections: tuple[str, ...]
    reason: OverrideReason
    note: str
    signer_id: str = ""

    def __post_init__(self) -> None:
        if not self.objections:
            raise BadInputError("nothing stands against this disposition: there is nothing to override")
        if not self.note.strip():
            raise BadInputError("write a note: why this is signed in spite of what stands against it")
        if len(self.note) > _LONGEST_NOTE:
            raise BadInputError(f"note: expected at most {_LONGEST_NOTE} characters")

    @property
    def words(self) -> str:
        """Reason and note, such as "concession: agreed with the customer, letter of 3 May"."""
        return f"{self.reason.value}: {self.note}"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON; `override_from` reads it back."""
        return {
            "objections": list(self.objections),
            "reason": self.reason.value,
            "note": self.note,
            "signer_id": self.signer_id,
        }


def override_from(content: Mapping[str, Any]) -> Override:
    """The override that `Override.to_dict` wrote."""
    return Override(
        objections=tuple(content["objections"]),
        reason=OverrideReason(content["reason"]),
        note=content["note"],
        signer_id=content["signer_id"],
    )
