"""The import of labels in this session: the file that was chosen, how it is taken, the plan on show."""

from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from core.imaging.uploads import IncomingFile
from core.labelling.entries import LabelFormat
from core.labelling.import_plan import ImportPlan
from core.services.labels.label_imports import ImportOptions

#: In the address of the label page: the import is on show.
IMPORT = "import"
FILE, FORMAT, ORIGIN, IMAGES, EMPTY = (
    f"label_import.{name}" for name in ("file", "format", "origin", "images", "empty")
)
_MAP = "label_import.map."


@dataclass
class ImportState:
    """The import in this session.

    Attributes:
        file: that was chosen, None where there is none.
        options: that the plan was made with, None before it was.
        plan: what the import would do.
        problem: why there is no plan, in words.
        done: what the last import did, in words.
        n_chosen: files that were chosen; each has a chooser of its own.
        mapping: what classes of the file mean, as the visitor said.
    """

    file: IncomingFile | None = None
    options: ImportOptions | None = None
    plan: ImportPlan | None = None
    problem: str = ""
    done: str = ""
    n_chosen: int = 0
    mapping: dict[str, str] = field(default_factory=dict)

    def forget_plan(self) -> None:
        """Make the plan anew when it is drawn next."""
        self.options, self.plan, self.problem = None, None, ""


def import_state() -> ImportState:
    """The state of the import in this session."""
    state: ImportState = st.session_state.setdefault("label_import", ImportState())
    return state


def is_on_show() -> bool:
    """True when the address asks for the import."""
    return IMPORT in st.query_params


def show() -> None:
    """Let the address of the label page ask for the import; only from a callback."""
    st.query_params.from_dict({IMPORT: "1"})


def leave() -> None:
    """Let the address of the label page ask for nothing; only from a callback."""
    st.query_params.clear()


def chooser_key() -> str:
    """Of the chooser, a new one after each file, so that it is empty again."""
    return f"{FILE}.{import_state().n_chosen}"


def chosen_file() -> Any:
    """The file in the chooser, None without one."""
    return st.session_state.get(chooser_key())


def map_key(name: str) -> str:
    """Of the select of a class."""
    return f"{_MAP}{name}"


def chosen_target(name: str) -> str | None:
    """What the visitor chose for a class of the file."""
    return st.session_state.get(map_key(name))


def forget_targets() -> None:
    """Forget what classes of another file mean; only from a callback."""
    import_state().mapping = {}
    for key in [str(key) for key in st.session_state if str(key).startswith(_MAP)]:
        del st.session_state[key]


def prepare_options() -> None:
    """Give the widgets their first values."""
    st.session_state.setdefault(IMAGES, True)


def options() -> ImportOptions:
    """How the file is to be taken, as the widgets say."""
    asked = st.session_state
    form = asked.get(FORMAT)
    return ImportOptions(
        form=LabelFormat(form) if form else None,
        mapping=dict(import_state().mapping),
        voc_origin=0 if asked.get(ORIGIN) else 1,
        takes_images=bool(asked.get(IMAGES, True)),
        takes_empty=not asked.get(EMPTY),
    )
