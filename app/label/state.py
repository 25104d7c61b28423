"""The label page in this session."""

from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from app.shared.navigation import LABEL_IMAGE
from core.services.labels.labels import EarlierLabels

VIEWER = "label.viewer"
#: In the address: the filter of the images that were browsed, so that a reload goes on along them.
WALK = "walk"
_MOST_VISITED = 12


@dataclass
class LabelState:
    """The label page in this session.

    Attributes:
        refused: the edit that was not saved last and why, `edit` and `message`.
        visited: digest and name of the images that were on show, oldest first.
        said: how many images were completed, in words.
        n_done: images that were completed.
        ahead: the image on show and the one that will probably come after it.
        notices: notices on the training data by model and version.
        earlier: the image on show and the labels of the one before it.
        trail: images that were browsed, in their order: whoever is done with one of them goes on to the next.
    """

    refused: dict[str, Any] = field(default_factory=dict)
    visited: list[tuple[str, str]] = field(default_factory=list)
    said: str = ""
    n_done: int = 0
    ahead: tuple[str, str | None] = ("", None)
    notices: dict[tuple[str, int], str] = field(default_factory=dict)
    earlier: tuple[str, EarlierLabels | None] = ("", None)
    trail: tuple[str, ...] = ()

    def visit(self, sha256: str, name: str) -> None:
        """Put an image on show; earlier ones stay within reach."""
        if all(known != sha256 for known, _ in self.visited):
            self.visited = [*self.visited, (sha256, name)][-_MOST_VISITED:]

    def before(self, sha256: str) -> str | None:
        """The image that was on show before this one; None where none was."""
        digests = [digest for digest, _ in self.visited]
        at = digests.index(sha256) if sha256 in digests else 0
        return digests[at - 1] if at else None

    def next_of_trail(self, sha256: str | None) -> str | None:
        """The image after this one among those that were browsed; None at their end and elsewhere."""
        at = self.trail.index(sha256) + 1 if sha256 in self.trail else len(self.trail)
        return self.trail[at] if at < len(self.trail) else None

    def trail_words(self, sha256: str) -> str:
        """Place of the image among those that were browsed, such as "3 of 200"; empty elsewhere."""
        return f"{self.trail.index(sha256) + 1} of {len(self.trail)}" if sha256 in self.trail else ""

    def forget(self, sha256: str) -> None:
        """Take an image out of those within reach."""
        self.visited = [one for one in self.visited if one[0] != sha256]


def label_state() -> LabelState:
    """The state of the page in this session."""
    state: LabelState = st.session_state.setdefault("label", LabelState())
    return state


def image_in_address() -> str | None:
    """The digest of the image in the address."""
    return st.query_params.get(LABEL_IMAGE)


def show_image(sha256: str | None) -> None:
    """Put an image into the address, None takes it out."""
    if sha256 not in label_state().trail:
        st.query_params.pop(WALK, None)
    if sha256 is None:
        st.query_params.pop(LABEL_IMAGE, None)
    else:
        st.query_params[LABEL_IMAGE] = sha256
