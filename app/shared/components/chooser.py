"""Handing in radiographs: file chooser, samples, model and polarity."""

from pathlib import PurePath
from urllib.parse import quote

import streamlit as st

from app.shared import state
from app.shared.access import acting, current_identity
from app.shared.resources import MODELS, resources
from core.domain.errors import WorkbenchError
from core.domain.radiograph import Polarity
from core.imaging.folder import take_folder
from core.services.images.samples import Sample

_SHOWN_SAMPLES = 6
_TILES_PER_ROW = 3
_POLARITY_TEXT = {
    Polarity.UNKNOWN: "as the model expects, unless the file says",
    Polarity.FILM: "film: less metal is darker",
    Polarity.DIGITAL: "digital: less metal is brighter",
}


def draw_choices() -> None:
    """Weld or casting, and the polarity of files that do not say theirs."""
    st.segmented_control(
        "Part", MODELS, format_func=str.capitalize, key=state.MODEL_KEY, label_visibility="collapsed"
    )
    st.selectbox(
        "Polarity of new files",
        list(_POLARITY_TEXT),
        format_func=lambda polarity: f"Polarity: {_POLARITY_TEXT[polarity]}",
        key=state.POLARITY_KEY,
        label_visibility="collapsed",
        width=330,
        help="PNG and TIFF files do not say which way brightness runs, so it is asked, never guessed.",
    )


def draw_add_menu() -> None:
    """The chooser and the samples behind one button."""
    count = state.inspection_state().uploader
    with st.popover("Add radiographs", icon=":material/add:", key=f"inspection.add.{count}"):
        draw_uploader()
        draw_folder_chooser()
        st.caption("Samples")
        for sample in samples():
            st.button(
                sample.title,
                key=f"inspection.add.{sample.name}",
                on_click=_open_sample,
                args=(sample,),
                type="tertiary",
                icon=":material/image:",
            )


def draw_uploader() -> None:
    """The choosers of files and of a folder; files are taken at once and the choosers are emptied.

    What a file is, its content says: radiographs from DICOM equipment often have names without a suffix, so
    no kind of file is kept out here.
    """
    _draw_chooser(
        "files",
        "PNG, JPEG, BMP, TIFF or DICONDE, 8 to 16 bit, one or many, or a ZIP of them",
        is_folder=False,
    )


def draw_folder_chooser() -> None:
    """The chooser of a folder with all that lies in it."""
    _draw_chooser("folder", "Or a whole folder; what is no radiograph is skipped", is_folder=True)


def _draw_chooser(name: str, label: str, *, is_folder: bool) -> None:
    key = f"inspection.upload.{name}.{state.inspection_state().uploader}"
    st.file_uploader(
        label,
        accept_multiple_files="directory" if is_folder else True,
        key=key,
        on_change=_take_files,
        args=(key,),
    )


def draw_remark() -> None:
    """What of the last files was not taken, on a page without a viewer that would tell it."""
    if remark := state.inspection_state().remark:
        st.info(remark)


def draw_sample_tiles() -> None:
    """Shipped samples as pictures to click."""
    shown = samples()[:_SHOWN_SAMPLES]
    for start in range(0, len(shown), _TILES_PER_ROW):
        for column, sample in zip(st.columns(_TILES_PER_ROW, gap="small"), shown[start:], strict=False):
            with column, st.container(key=f"inspection-tile-{PurePath(sample.name).stem}"):
                st.html(f'<img class="rk-tile" src="/samples/{quote(sample.name)}/thumbnail" alt="">')
                st.button(
                    sample.title,
                    key=f"inspection.sample.{sample.name}",
                    on_click=_open_sample,
                    args=(sample,),
                )


def samples() -> tuple[Sample, ...]:
    """The shipped samples, none when their card cannot be read (then the log says why)."""
    try:
        return resources().services.samples.all()
    except WorkbenchError as error:
        st.caption(f"The samples are missing: {error}")
        return ()


@acting
def _take_files(key: str) -> None:
    current, held, identity = state.inspection_state(), resources(), current_identity()
    files = [file for file in state.uploaded_files(key) if file.file_id not in current.taken]
    current.taken.update(file.file_id for file in files)
    if not files:
        return
    polarity, setup, tray = state.chosen_polarity(), state.reading_state().setup, state.tray()
    first: str | None
    if len(files) == 1 and "/" not in files[0].name:
        first = held.intake.receive(tray, identity, files[0].getvalue(), files[0].name, polarity, setup)
        current.remark = ""
    else:
        folder = take_folder([(file.name, file.getvalue()) for file in files])
        first = held.intake.receive_folder(tray, identity, folder, polarity, setup)
        current.remark = folder.remark
    current.current = first or current.current
    current.uploader += 1


@acting
def _open_sample(sample: Sample) -> None:
    current = state.inspection_state()
    current.current = resources().intake.open_sample(
        state.tray(), current_identity(), sample, state.reading_state().setup
    )
    current.uploader += 1
    state.choose_model(sample.model)
