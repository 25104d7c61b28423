"""What an annotator does with the image on show: save, submit, skip, go on; and which image that is.

The viewer tells what it wants stored and on which version that rests. When somebody else was faster nothing
is stored: the next run shows the viewer what is there now, and it lays both side by side.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from app.label.label_data import PREFIX, label_data
from app.shared.access import acting, current_identity
from app.shared.incident import incident
from app.shared.resources import resources
from core.domain.accounts import Identity
from core.domain.errors import BadInputError, StaleVersionError, WorkbenchError
from core.domain.labels import label_from
from core.domain.permissions import Action, may
from core.services.labels.labels import LabelSheet
from core.services.workspaces import Workspace
from core.store.queue import QueueFilter

VIEWER, IMAGE = "label.viewer", "image"
_MOST_LABELS = 2_000
_MOST_VISITED = 12


@dataclass
class LabelState:
    """The label page in this session.

    Attributes:
        refused: what was not saved last and why, `edit` and `message`.
        visited: digest and name of the images that were on show, oldest first.
        ahead: the image on show and the one that will probably come after it.
        said: what came of the last image.
        n_done: images that were completed.
        notices: what the training data of a model version demand to be said, by its title.
    """

    refused: dict[str, Any] = field(default_factory=dict)
    visited: list[tuple[str, str]] = field(default_factory=list)
    said: str = ""
    n_done: int = 0
    ahead: tuple[str, str | None] = ("", None)
    notices: dict[str, str] = field(default_factory=dict)

    def visit(self, sha256: str, name: str) -> None:
        """The image is on show; those of before stay within reach."""
        if all(known != sha256 for known, _ in self.visited):
            self.visited = [*self.visited, (sha256, name)][-_MOST_VISITED:]


def label_state() -> LabelState:
    """The state of the page in this session."""
    if "label" not in st.session_state:
        st.session_state["label"] = LabelState()
    state: LabelState = st.session_state["label"]
    return state


def workspace_of(identity: Identity) -> Workspace:
    """Where this person's images lie."""
    return resources().services.workspace_of(identity)


def image_on_show(identity: Identity) -> str | None:
    """The image in the address, else the next one of the queue; None when nothing waits."""
    if (named := st.query_params.get(IMAGE)) is not None:
        return named
    if not may(identity.role, Action.QUEUE_WORK):
        return None
    return _go_on(identity, workspace_of(identity), without=None)


def viewer_data(sheet: LabelSheet, identity: Identity, others: tuple[str, ...]) -> dict[str, Any]:
    """What the viewer is told of the image on show."""
    workspace, state = workspace_of(identity), label_state()
    state.visit(sheet.image.sha256, sheet.image.name)
    return label_data(
        sheet,
        workspace.images.load(sheet.image.sha256),
        identity,
        others=others,
        refused=state.refused,
        has_next=may(identity.role, Action.QUEUE_WORK),
        visited=state.visited,
        ahead=_ahead(sheet.image.sha256, identity),
        data_notice=_data_notice(sheet),
    )


def model_words(sheet: LabelSheet) -> str:
    """Who suggested the dashed boxes."""
    return f"{sheet.answer.model.name} v{sheet.answer.model.version}" if sheet.answer else ""


def _data_notice(sheet: LabelSheet) -> str:
    """As the card of the version says; nothing when it is not known any more."""
    if sheet.answer is None:
        return ""
    state, model = label_state(), sheet.answer.model
    if model_words(sheet) not in state.notices:
        try:
            version, _ = resources().services.registry.resolve(model.name, version=model.version)
        except WorkbenchError:
            return ""
        state.notices[model_words(sheet)] = version.data_notice
    return state.notices[model_words(sheet)]


def _ahead(sha256: str, identity: Identity) -> str | None:
    """The image that will probably come next, so that the browser can fetch it meanwhile; asked for once."""
    state = label_state()
    if state.ahead[0] != sha256 and may(identity.role, Action.QUEUE_WORK):
        coming = workspace_of(identity).queue.peek(identity, but_not=[sha256])
        state.ahead = (sha256, coming.image_sha256 if coming else None)
    return state.ahead[1] if state.ahead[0] == sha256 else None


def others_at(sheet: LabelSheet, identity: Identity) -> tuple[str, ...]:
    """Names of the others who are at this image now; what is free in the queue about it is held."""
    workspace = workspace_of(identity)
    held: tuple[str, ...] = ()
    if sheet.items and may(identity.role, Action.QUEUE_WORK):
        held = tuple(workspace.queue.hold(identity, sheet.image.sha256).values())
    place, name = (workspace.key, sheet.image.sha256), _printed_name(workspace, identity)
    seen = resources().presence.at(place, identity.user_id, name)
    return tuple(sorted({*held, *seen}))


@acting
def save_event() -> None:
    """The labels changed."""
    event = _event("reading")
    if not isinstance(event, Mapping):
        return
    state, identity = label_state(), current_identity()
    state.refused = {}
    try:
        _save(event, identity)
    except StaleVersionError:
        return  # the viewer sees what is stored now and compares
    except WorkbenchError as error:
        state.refused = {"edit": event.get("edit"), "message": f"{error}"}
    except (KeyError, TypeError, ValueError, AttributeError):
        state.refused = {"edit": event.get("edit"), "message": incident("Saving the labels")}


@acting
def submit_event() -> None:
    """The labels are complete: close the image, go on to the next."""
    event = _event("submit")
    if not isinstance(event, Mapping):
        return
    identity, sha256 = current_identity(), _image_of(event)
    workspace, state = workspace_of(identity), label_state()
    workspace.labels.submit(identity, sha256, expected_version=int(event["version"]))
    state.n_done += 1
    state.said = f"{state.n_done} done"
    if may(identity.role, Action.QUEUE_WORK):
        _go_on(identity, workspace, without=sha256)


@acting
def skip_event() -> None:
    """The image is left without labels: say why, go on to the next."""
    event = _event("skip")
    if not isinstance(event, Mapping):
        return
    identity, sha256 = current_identity(), _image_of(event)
    workspace = workspace_of(identity)
    workspace.queue.skip_image(identity, sha256, str(event["why"]))
    _go_on(identity, workspace, without=sha256)


@acting
def open_event() -> None:
    """One of the images of before is wanted again."""
    if isinstance(sha256 := _event("open"), str):
        _leave(current_identity(), to=sha256)


@acting
def remove_event() -> None:
    """An image of before is no longer wanted in the strip."""
    sha256, state = _event("remove"), label_state()
    if sha256 != st.query_params.get(IMAGE):
        state.visited = [one for one in state.visited if one[0] != sha256]


def _save(event: Mapping[str, Any], identity: Identity) -> None:
    content = event["content"]
    for name in ("labels", "refused"):
        if len(content[name]) > _MOST_LABELS:
            raise BadInputError(f"expected at most {_MOST_LABELS} labels, got {len(content[name])}")
    workspace_of(identity).labels.save(
        identity,
        _image_of(event),
        [label_from(one) for one in content["labels"]],
        refused=[label_from(one) for one in content["refused"]],
        note=str(content.get("note") or ""),
        expected_version=int(event["base"]),
    )


def _go_on(identity: Identity, workspace: Workspace, *, without: str | None) -> str | None:
    """The next image, now in the address; None when nothing waits."""
    taken = workspace.queue.take_next(identity, QueueFilter(), but_not=[without] if without else [])
    _leave(identity, to=taken.image_sha256 if taken else None)
    return taken.image_sha256 if taken else None


def _leave(identity: Identity, *, to: str | None) -> None:
    """Show another image, or none; what was held of the one before goes back to the queue."""
    before = st.query_params.get(IMAGE)
    if before and before != to and may(identity.role, Action.QUEUE_WORK):
        workspace_of(identity).queue.release(identity, before)
    if to is None:
        st.query_params.pop(IMAGE, None)
    else:
        st.query_params[IMAGE] = to


def _image_of(event: Mapping[str, Any]) -> str:
    return str(event["inspection_id"]).removeprefix(PREFIX)


def _event(name: str) -> Any:
    return getattr(st.session_state.get(VIEWER), name, None)


def _printed_name(workspace: Workspace, identity: Identity) -> str:
    with workspace.store.read() as work:
        user = work.users.find(identity.user_id)
    return (user.full_name or user.shown_name) if user and user.name else identity.name
