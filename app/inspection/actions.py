"""Callbacks of the inspection page: images that are handed in, opened, removed; the threshold."""

from collections.abc import Mapping
from typing import Any

from app.inspection.items import Readers, looks_of, question_of, worklist_items
from app.inspection.state import (
    analyses,
    chosen_polarity,
    intake,
    own_worklist,
    remembered,
    uploaded_files,
    viewer_event,
)
from app.shared import state
from app.shared.access import acting, current_identity, current_workspace
from app.shared.uploads import taken
from core.domain.errors import BadInputError
from core.domain.radiograph import Polarity
from core.imaging.uploads import IncomingFile, take_folder
from core.services.images.samples import Sample


@acting
def take_files(key: str) -> None:
    """Take the files in the chooser of this key; it is emptied."""
    page, identity = remembered(), current_identity()
    files = [file for file in uploaded_files(key) if file.file_id not in page.taken]
    page.taken.update(file.file_id for file in files)
    if not files:
        return
    target = own_worklist(), identity
    first: str | None
    if len(files) == 1 and "/" not in files[0].name:
        first = intake().receive(*target, taken(files[0]), chosen_polarity(), page.setup, **_taken_as())
        page.remark = ""
    else:
        folder = take_folder([taken(file) for file in files])
        first = intake().receive_folder(*target, folder, chosen_polarity(), page.setup, **_taken_as())
        page.remark = folder.remark
    state.show_entry(first or state.shown_entry())
    page.uploader += 1


@acting
def open_sample(sample: Sample) -> None:
    """Put a shipped sample on the worklist and open it; the model that it is for reads it."""
    page, target = remembered(), (own_worklist(), current_identity())
    file = IncomingFile(sample.name, sample.path.read_bytes)
    key = intake().receive(*target, file, sample.polarity, page.setup, model=sample.model)
    page.uploader += 1
    _open(key)


@acting
def open_event() -> None:
    """The visitor chose another image in the viewer; a failed analysis is tried again."""
    worklist = own_worklist()
    if (entry := worklist.get(viewer_event("open"))) is None:
        return
    _open(entry.key)
    if entry.sha256 is not None:
        version = Readers(entry.model).of(entry)
        if analyses().forget_failure(question_of(entry, current_identity(), version)):
            worklist.read_anew(entry.key, entry.model)


@acting
def read_as(key: str, model: str) -> None:
    """Let the other model read this one image; what the first one reported stays where somebody opened it."""
    own_worklist().read_as(key, model)
    current_workspace().worklist.read_as(current_identity(), key, model)
    _open(key)


@acting
def remove_event() -> None:
    """The visitor removed an image from the worklist; what was stored stays stored."""
    if key := viewer_event("remove"):
        own_worklist().remove(key)
        current_workspace().worklist.remove(current_identity(), key)


@acting
def polarity_event() -> None:
    """The visitor states the polarity of the image: it is read in that.

    So are those that were handed in together with it, look alike, and that nobody has begun to read.
    """
    event = viewer_event("polarity")
    if not isinstance(event, Mapping):
        return
    try:
        polarity = Polarity(str(event["polarity"]))
    except ValueError as error:
        raise BadInputError("polarity: expected film or digital") from error
    key, identity, workspace = str(event["key"]), current_identity(), current_workspace()
    items, _ = worklist_items()
    recorded = {item.entry.key: item.recorded for item in items if item.recorded}
    now = {one: workspace.inspections.newest(identity, found) for one, found in recorded.items()}
    if key in now and not now[key].is_open:
        raise BadInputError("the inspection is signed: its polarity stays as it was signed")
    begun = {one for one, found in now.items() if workspace.readings.is_begun(found)}
    changed = own_worklist().state_polarity(key, polarity, looks_of(items), leave=begun)
    workspace.worklist.state_polarity(identity, changed, polarity)


@acting
def cancel_event() -> None:
    """The visitor does not want to wait for analyses that were not begun."""
    if viewer_event("cancel"):
        analyses().cancel(current_identity().user_id)


@acting
def threshold_event() -> None:
    """The threshold came to rest."""
    value = viewer_event("threshold")
    if isinstance(value, int | float):
        remembered().threshold = round(float(value), 2)


def _open(key: str) -> None:
    """Show the entry, because the visitor asked for it."""
    state.show_entry(key)
    remembered().opened = key


def _taken_as() -> dict[str, Any]:
    """The model that reads what is handed in now, and the numbers that it gets."""
    return {"model": state.chosen_model(), "numbers": remembered().numbers}
