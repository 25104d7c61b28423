"""The parts of the inspection page: choices, files and samples to hand in, the welcome, the viewer."""

import time
from dataclasses import dataclass
from pathlib import PurePath
from urllib.parse import quote

import streamlit as st

from app.inspection import actions
from app.inspection.items import (
    Readers,
    WorklistItem,
    open_item,
    progress_on,
    radiograph_of,
    worklist_items,
)
from app.inspection.reading import actions as reading_actions
from app.inspection.reading.rows import reading_data, zone_data
from app.inspection.rows import route_data, start_threshold, viewer_data
from app.inspection.state import VIEWER_KEY, remembered
from app.shared.access import current_identity, current_workspace, identified
from app.shared.components.radiograph_viewer.radiograph_viewer import radiograph_viewer
from app.shared.header import name_reader
from app.shared.navigation import page_at
from app.shared.resources import MODELS, resources
from app.shared.state import MODEL_KEY, chosen_model
from app.shared.templates import draw_html, draw_welcome
from core.domain.errors import WorkbenchError
from core.domain.kinds import family_of, other_reader
from core.domain.model_version import ModelVersion
from core.domain.records import Inspection
from core.services.images.samples import Sample
from core.services.inspections.open_readings import OpenReading

_POLL_S = 0.4
#: Samples of the first page: the champion reports the main flaw of each, which a test holds.
FIRST_SAMPLES = (
    "gas_pores.png",
    "porosity_clusters.png",
    "porosity_line.png",
    "worm_holes.png",
    "cracks_transverse.png",
    "lack_of_penetration.png",
)
_TILES_PER_ROW = 3


def draw_choices() -> None:
    """Weld or casting: for what is handed in next."""
    st.segmented_control(
        "Part of new files",
        MODELS,
        format_func=lambda model: f"New: {model}",
        key=MODEL_KEY,
        label_visibility="collapsed",
        help="Chooses the model for what is handed in next. Images on the worklist keep theirs.",
    )


def draw_add_menu() -> None:
    """The chooser and the samples behind one button."""
    count = remembered().uploader
    with st.popover("Add radiographs", icon=":material/add:", key=f"inspection.add.{count}"):
        draw_file_chooser()
        draw_folder_chooser()
        st.caption("Samples")
        for sample in samples():
            st.button(
                sample.title,
                key=f"inspection.add.{sample.name}",
                on_click=actions.open_sample,
                args=(sample,),
                type="tertiary",
                icon=":material/image:",
            )


def draw_file_chooser() -> None:
    """The chooser of files, which are taken at once; it is emptied then.

    It takes files of every kind: radiographs from DICOM equipment often have names without a suffix.
    """
    _draw_chooser(
        "files",
        "PNG, JPEG, BMP, TIFF, PGM, NumPy or DICONDE, 8 to 16 bit, one or many, or a ZIP of them",
        is_folder=False,
    )


def draw_folder_chooser() -> None:
    """The chooser of a folder with all that lies in it."""
    _draw_chooser("folder", "Or a whole folder; what is no radiograph is skipped", is_folder=True)


def _draw_chooser(name: str, label: str, *, is_folder: bool) -> None:
    key = f"inspection.upload.{name}.{remembered().uploader}"
    st.file_uploader(
        label,
        accept_multiple_files="directory" if is_folder else True,
        key=key,
        on_change=actions.take_files,
        args=(key,),
    )


def draw_remark() -> None:
    """Say which of the last files were not taken, on a page without a viewer that would."""
    if remark := remembered().remark:
        st.info(remark)


def draw_sample_tiles() -> None:
    """Shipped samples as radiographs to click."""
    shown = [sample for sample in samples() if sample.name in FIRST_SAMPLES]
    for start in range(0, len(shown), _TILES_PER_ROW):
        for column, sample in zip(st.columns(_TILES_PER_ROW, gap="small"), shown[start:], strict=False):
            with column, st.container(key=f"inspection-tile-{PurePath(sample.name).stem}"):
                draw_html("inspection/templates/tile.html", name=quote(sample.name))
                st.button(
                    sample.title,
                    key=f"inspection.sample.{sample.name}",
                    on_click=actions.open_sample,
                    args=(sample,),
                )


def samples() -> tuple[Sample, ...]:
    """The shipped samples, none when their card cannot be read (then the log says why)."""
    try:
        return resources().services.samples.all()
    except WorkbenchError as error:
        st.caption(f"The samples are missing: {error}")
        return ()


def draw_label_link(current: WorklistItem | None) -> None:
    """The link to the labels of the image on show, for whoever may correct them."""
    page = page_at("label")
    if current and current.entry.sha256 and current_identity().role in page.roles:
        st.page_link(page.file, label="Label this image", icon=page.icon,
                     query_params={"image": current.entry.sha256})  # fmt: skip


def draw_reader(current: WorklistItem) -> None:
    """The other models for the image on show, why this one reads it, and whether there is a newer version."""
    reader = current.version.name if current.version else current.entry.model
    if current.entry.sha256:
        other = next(model for model in MODELS if model != family_of(reader))
        _draw_read(current, other, f"Read as {other}", "inspection.read_as")
        sibling = other_reader(reader)
        if sibling in resources().services.registry.names():
            _draw_read(current, sibling, f"Read by {sibling}", "inspection.read_by")
    if current.picked:
        st.caption(f"{current.picked}.")
    if current.version is None:
        return
    champion = Readers(reader).champion
    is_other = current.version.name != chosen_model() or current.version.version != champion.version
    name_reader(current.version, current.entry.setup, is_champion=not is_other)
    if current.version.version != champion.version:
        st.caption(
            f"Read by v{current.version.version}. The champion is v{champion.version} now: hand the image "
            "in again to have it read by that."
        )


def _draw_read(current: WorklistItem, model: str, label: str, key: str) -> None:
    reader = current.version.name if current.version else current.entry.model
    st.button(
        label,
        icon=":material/swap_horiz:",
        type="tertiary",
        key=key,
        on_click=actions.read_as,
        args=(current.entry.key, model),
        help=f"This image is read by {reader}. The other images stay as they are.",
    )


def draw_invitation() -> None:
    """The empty page: drop files or take a sample; the limits of the product, once."""
    try:
        model = resources().champions.champion(chosen_model())
    except WorkbenchError as error:
        st.error(f"No analysis is possible: {error}. What you handed in before is safe.")
        return
    draw_welcome(
        "Drop a radiograph or a folder, or take a sample",
        "The model marks indications with a calibrated probability and shows what raised it. It reports "
        "indications, not defects: whether a part is accepted you decide, and an empty result is no proof "
        "that nothing is there.",
    )
    files, folder = st.columns([3, 2], gap="small")
    with files:
        draw_file_chooser()
    with folder:
        draw_folder_chooser()
    st.caption("Samples: simulated weld radiographs, made for this product")
    draw_sample_tiles()
    st.caption(f"{model.name} v{model.version}: {model.data_notice}")


def draw_viewer(inspection: Inspection | None, *, is_pending: bool) -> None:
    """The viewer; it polls while something is being read or analysed.

    Args:
        inspection: the one on show, that the rest of the page was drawn for.
        is_pending: there is something to wait for.
    """
    is_polling = remembered().polls(is_pending=is_pending, now=time.monotonic())
    drawn_for = inspection.inspection_id if inspection else None
    st.fragment(identified(touch=False)(_viewer), run_every=_POLL_S if is_polling else None)(
        _Drawn(is_pending, is_polling, drawn_for)
    )


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What the rest of the page was drawn for; when it differs, the whole page is drawn again."""

    is_pending: bool
    is_polling: bool
    inspection_id: str | None


def _viewer(drawn: _Drawn) -> None:
    items, current = worklist_items()
    if current is None:
        st.rerun()
    if (model := current.version) is None:
        st.error(current.why_not)
        return
    page, reading = remembered(), open_item(current)
    is_pending = any(item.is_pending for item in items)
    inspection_id = reading.reading.inspection.inspection_id if reading else None
    now = _Drawn(is_pending, page.polls(is_pending=is_pending, now=time.monotonic()), inspection_id)
    if now != drawn or page.wants_dialog():
        st.rerun()
    _put_in_address(current)
    radiograph_viewer(
        viewer_data(
            items,
            current,
            radiograph=radiograph_of(current),
            model=model,
            threshold=_threshold_for(model),
            reading=_reading_data(current, reading) if reading else None,
            remark=page.remark,
            progress_by_key=progress_on(items, current, reading),
            pitch=reading.pitch if reading else None,
            is_film_first=reading.is_film_first if reading else _is_film_first(),
            explanations=resources().services.explanation_records.of(model.sha256),
            is_explainable=current_identity().role in page_at("explanations").roles,
            void=_void(current),
        ),
        key=VIEWER_KEY,
        on_open=actions.open_event,
        on_remove=actions.remove_event,
        on_cancel=actions.cancel_event,
        on_threshold=actions.threshold_event,
        on_polarity=actions.polarity_event,
        on_scale=reading_actions.scale_event,
        on_reading=reading_actions.save_event,
        on_decision=reading_actions.decide_event,
        on_sign=reading_actions.sign_event,
        on_revise=reading_actions.revise_event,
        on_seen=reading_actions.seen_event,
        on_zone=reading_actions.zone_event,
        on_measures=reading_actions.measures_event,
        on_unveil=reading_actions.unveil_event,
    )


def _void(item: WorklistItem) -> str:
    """Why no probability on show is verified: drift that nobody acknowledged; else empty."""
    inspection = item.answer.inspection if item.answer else None
    return "" if inspection is None else resources().services.drift.void_words(inspection)


def _reading_data(item: WorklistItem, reading: OpenReading) -> dict[str, object]:
    route = None
    if item.answer and item.answer.result and item.answer.inspection and not reading.is_veiled:
        certificates = resources().services.routing.certificates
        void = resources().services.drift.void_words(item.answer.inspection)
        route = route_data(item.answer.result, item.answer.inspection, certificates, void)
    identity, inspection = current_identity(), reading.reading.inspection
    zone = reading.zone or current_workspace().zones.of(identity, inspection)
    return reading_data(reading, identity, refused=remembered().refused) | {
        "route": route,
        "zone": zone_data(zone, inspection),
    }


def _is_film_first() -> bool:
    return current_workspace().film_first.is_on(current_identity())


def _threshold_for(model: ModelVersion) -> float:
    """The threshold last reported for this version, else its operating point."""
    page, name = remembered(), f"{model.name}-{model.version}"
    if page.threshold_model != name or page.threshold is None:
        page.threshold_model, page.threshold = name, start_threshold(model)
    return page.threshold


def _put_in_address(item: WorklistItem) -> None:
    """Put the image and the choice for new ones in the address, so that a reload comes back here."""
    wanted = {"model": chosen_model(), **({"image": item.entry.sha256} if item.entry.sha256 else {})}
    if dict(st.query_params) != wanted:
        st.query_params.from_dict(wanted)
