"""Actions of an annotator: save, submit, skip, go on to another image. Changes only from callbacks.

The viewer tells what it wants stored and on which version that rests. When somebody else was faster nothing
is stored: the next run shows the viewer what is there now, and it lays both side by side.
"""

from collections.abc import Mapping
from typing import Any

from app.label import state
from app.label.rows import PREFIX
from app.shared.access import acting, current_identity
from app.shared.incident import refusal_of
from app.shared.resources import resources
from app.shared.state import reported, reported_mapping
from core.domain.accounts import Identity
from core.domain.errors import BadInputError
from core.domain.labels import label_from
from core.domain.permissions import Action, may
from core.services.labels.labels import LabelSheet
from core.services.workspaces import Workspace
from core.store.queue import QueueFilter

_MOST_LABELS = 2_000


def workspace_of(identity: Identity) -> Workspace:
    """The workspace with this person's images."""
    return resources().services.workspace_of(identity)


def image_on_show(identity: Identity) -> str | None:
    """The image in the address, else the next one of the queue, now held; None when nothing waits."""
    if (named := state.image_in_address()) is not None:
        return named
    if not may(identity.role, Action.QUEUE_WORK):
        return None
    return _go_on(identity, workspace_of(identity), without=None)


def others_at(sheet: LabelSheet, identity: Identity) -> tuple[str, ...]:
    """Names of the others who are at this image now; free items of the queue about it are held."""
    workspace = workspace_of(identity)
    held: tuple[str, ...] = ()
    if sheet.items and may(identity.role, Action.QUEUE_WORK):
        held = tuple(workspace.queue.hold(identity, sheet.image.sha256).values())
    place, name = f"{workspace.key}/{sheet.image.sha256}", _printed_name(workspace, identity)
    seen = resources().presence.at(place, identity.user_id, name)
    return tuple(sorted({*held, *seen}))


@acting
def save() -> None:
    """Save the labels."""
    if event := reported_mapping(state.VIEWER, "reading"):
        identity = current_identity()
        state.label_state().refused = refusal_of(event, "Saving the labels", lambda: _save(event, identity))


@acting
def submit() -> None:
    """Close the image, whose labels are complete, and go on to the next."""
    if (event := reported_mapping(state.VIEWER, "submit")) is None:
        return
    identity, sha256 = current_identity(), _image_of(event)
    workspace, remembered = workspace_of(identity), state.label_state()
    workspace.labels.submit(identity, sha256, expected_version=int(event["version"]))
    remembered.n_done += 1
    remembered.said = f"{remembered.n_done} done"
    if may(identity.role, Action.QUEUE_WORK) or remembered.next_of_trail(sha256):
        _go_on(identity, workspace, without=sha256)


@acting
def skip() -> None:
    """Leave the image without labels, with a reason, and go on to the next."""
    if (event := reported_mapping(state.VIEWER, "skip")) is None:
        return
    identity, sha256 = current_identity(), _image_of(event)
    workspace = workspace_of(identity)
    workspace.queue.skip_image(identity, sha256, str(event["why"]))
    _go_on(identity, workspace, without=sha256)


@acting
def reopen() -> None:
    """Show one of the earlier images again."""
    if isinstance(sha256 := reported(state.VIEWER, "open"), str):
        _leave(current_identity(), to=sha256)


@acting
def forget() -> None:
    """Take an earlier image out of the strip."""
    sha256 = reported(state.VIEWER, "remove")
    if sha256 != state.image_in_address():
        state.label_state().forget(str(sha256))


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
    """The next image, now in the address; None when nothing waits. Images that were browsed come first."""
    if (following := state.label_state().next_of_trail(without)) is not None:
        _leave(identity, to=following)
        return following
    taken = workspace.queue.take_next(identity, QueueFilter(), but_not=[without] if without else [])
    _leave(identity, to=taken.image_sha256 if taken else None)
    return taken.image_sha256 if taken else None


def _leave(identity: Identity, *, to: str | None) -> None:
    """Show another image, or none; what was held of the one before goes back to the queue."""
    before = state.image_in_address()
    if before and before != to and may(identity.role, Action.QUEUE_WORK):
        workspace_of(identity).queue.release(identity, before)
    state.show_image(to)


def _image_of(event: Mapping[str, Any]) -> str:
    return str(event["inspection_id"]).removeprefix(PREFIX)


def _printed_name(workspace: Workspace, identity: Identity) -> str:
    with workspace.store.read() as work:
        user = work.users.find(identity.user_id)
    return (user.full_name or user.shown_name) if user and user.name else identity.name
