"""Files that lie beside the weights of a version and hold for no other weights."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from core.domain.errors import ModelArtefactError


class OfWeights(Protocol):
    """What such a file holds."""

    @property
    def weights_sha256(self) -> str:
        """Of the weights file that it was made with."""


Content = TypeVar("Content", bound=OfWeights)


def read_beside(weights: Path, name: str, parse: Callable[[str], Content]) -> Content | None:
    """The content of the file `name` beside a weights file; None where there is none.

    Args:
        weights: the weights file.
        name: of the file beside it.
        parse: takes the text of the file; raises ModelArtefactError where it is no such file.

    Raises:
        ModelArtefactError: when it is damaged, or of other weights.
    """
    path = weights.with_name(name)
    if not path.is_file():
        return None
    found = parse(path.read_text(encoding="utf-8"))
    with weights.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if found.weights_sha256 != digest:
        raise ModelArtefactError(f"{name} is of weights {found.weights_sha256[:12]}, not {digest[:12]}")
    return found
