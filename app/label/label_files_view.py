"""Labels out and in as files: the download, and the form that takes an upload."""

import streamlit as st

from app.label.routes import EXPORT_ADDRESS
from app.shared.access import acting, current_identity
from app.shared.resources import resources
from core.domain.errors import BadInputError
from core.services.labels.label_files import Imported, LabelFormat

_FORMAT, _FILE, _ORIGIN, _SAID = (f"label_files.{name}" for name in ("format", "file", "origin", "said"))
_NAMES = {LabelFormat.COCO: "COCO", LabelFormat.YOLO: "YOLO", LabelFormat.VOC: "Pascal VOC"}
_MOST_TOLD = 8


def draw_files() -> None:
    """Downloads and the upload, folded."""
    with st.popover("Files", icon=":material/folder_zip:", key="label-files"):
        links = " ".join(
            f'<li>{name}: <a class="rk-report" href="{EXPORT_ADDRESS}?format={form.value}" download>'
            "labels</a>, "
            f'<a class="rk-report" href="{EXPORT_ADDRESS}?format={form.value}&amp;images=1" download>'
            "with originals</a></li>"
            for form, name in _NAMES.items()
        )
        st.html(f'<b>Download all labels</b><ul class="rk-signed">{links}</ul>')
        st.caption(
            "COCO and VOC come back exactly; YOLO keeps no ISO 6520-1 numbers. Originals keep every bit."
        )
        with st.form("label_files.form", border=False, clear_on_submit=True):
            st.selectbox(
                "Take over labels written as", list(_NAMES), key=_FORMAT, format_func=_NAMES.__getitem__
            )
            st.checkbox("VOC files count pixels from 0", key=_ORIGIN)
            st.file_uploader("A ZIP file, or a COCO file (.json)", key=_FILE)
            st.form_submit_button("Import", on_click=import_event)
        for line in st.session_state.get(_SAID, ()):
            st.caption(line)


@acting
def import_event() -> None:
    """Take over the labels in the file that was chosen."""
    st.session_state[_SAID] = []
    file = st.session_state.get(_FILE)
    if file is None:
        raise BadInputError("choose a file with labels first")
    identity = current_identity()
    files = resources().services.workspace_of(identity).label_files
    origin = 0 if st.session_state.get(_ORIGIN) else 1
    done = files.import_(identity, file, file.name, LabelFormat(st.session_state[_FORMAT]), voc_origin=origin)
    st.session_state[_SAID] = imported_words(done)


def imported_words(done: Imported) -> list[str]:
    """What was taken over and what was not, one line each."""
    said = f"{done.n_images} images changed, {done.n_same} unchanged, {done.n_boxes} boxes"
    more = len(done.problems) - _MOST_TOLD
    told = [f"Not taken: {one}" for one in done.problems[:_MOST_TOLD]]
    return [said, *told, *([f"and {more} more were not taken"] if more > 0 else [])]
