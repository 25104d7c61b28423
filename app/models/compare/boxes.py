"""The boxes behind a figure: a gallery of places, and both versions on the radiograph."""

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import streamlit as st

from app.models.compare import actions, state
from app.models.compare.filters import MM, OUTCOMES, PX, PlaceFilter, filtered, outcome_words, parts_of
from app.models.compare.notes.render import count_words, draw_note_form, notes_of
from app.models.compare.pair import pair_data
from app.models.compare.places import (
    DEFAULT_SHOW,
    ORDERS,
    Pair,
    boxes_at,
    caption_of,
    focus_of,
    image_name,
    ordered,
    overlap_words,
    pair_of,
    places_of,
    show_choices,
    size_words,
)
from app.models.compare.sending import state as sending_state
from app.models.compare.sending.actions import turn_tick
from app.models.compare.sending.render import draw_sending, may_send
from app.models.routes import crop_address
from app.shared.components.box_gallery.box_gallery import GalleryBox, GalleryItem, box_gallery
from app.shared.components.radiograph_pair.radiograph_pair import radiograph_pair
from app.shared.navigation import LABEL_IMAGE, page_at
from app.shared.place_notes import draw_notes
from app.shared.resources import resources
from core.domain.accounts import Identity
from core.evaluate.version_differences import DifferenceKind, Places
from core.imaging.display import around
from core.services.evaluation.evaluation_sets import SetContent
from core.services.evaluation.evaluations import VersionOnSet
from core.services.evaluation.recent_answers import RecentAnswers
from core.services.images.place_notes import ImageNotes
from core.store.blobs import BlobNotFoundError
from core.store.evaluations import EvaluationSet

_PER_PAGE = 60
#: Of the page that is not the gallery, alone and beside an open place.
_ABOVE_PX, _ABOVE_BESIDE_PX = 292, 396
#: Places by all that they depend on: a redraw for anything else computes none of them anew.
_KEPT: RecentAnswers[tuple[str, int, Places]] = RecentAnswers(16)


def draw_boxes(
    identity: Identity, chosen: EvaluationSet, found: Sequence[VersionOnSet], probability: float | None
) -> None:
    """Choose a kind of place, see all of them, open one."""
    service = resources().services.evaluations
    with st.container(horizontal=True, vertical_alignment="center", key="compare-boxes-bar"):
        first, second = _draw_pair_choice(found)
        pair = pair_of(first, second, probability)
        differences = service.differences(identity, first, second, probability)
        show = _draw_kind_choice(show_choices(pair, differences))
        order = _draw_order()
        told = st.container(horizontal=True, vertical_alignment="center", width="content")
    equipment = service.equipment(identity, chosen)
    wanted = _draw_filter(pair, equipment)
    words, n_all, places = _KEPT.get(
        _key(pair, show, order, wanted, equipment),
        lambda: _found(pair, differences, show, order, wanted, equipment),
    )
    of_all = "" if wanted.is_empty else f" of {n_all:,}"
    outcome = outcome_words(pair, wanted, show)
    whose = f" · {outcome}" if outcome else ""
    content, n_images = service.content(identity, chosen), len(np.unique(places.image))
    with told:
        if len(places):
            draw_sending(identity, pair, places, chosen, content)
        st.html(
            f'<p class="rk-bar">{words} <span class="rk-muted">{len(places):,}{of_all} in '
            f"{n_images:,} {'image' if n_images == 1 else 'images'}{whose}</span></p>",
            width="content",
        )
    if not len(places):
        _draw_none(n_all, wanted)
        return
    at = state.chosen_place(len(places))
    notes = notes_of(identity, [content.digests[one] for one in np.unique(places.image)])
    if at is None:
        _gallery(identity, pair, places, chosen, content, None, notes, order)
        return
    beside, large = st.columns([4, 15], gap="small")
    with beside:
        with st.container(horizontal=True, vertical_alignment="center", key="compare-place"):
            st.button(
                "All",
                icon=":material/grid_view:",
                key="compare.all",
                type="tertiary",
                on_click=state.close_place,
            )
            _draw_way_to_labels(identity, content.digests[int(places.image[at])])
            _draw_way_to_maps(pair, places, at, chosen, content)
            sha256 = content.digests[int(places.image[at])]
            x0, y0, x1, y1 = (round(one, 1) for one in focus_of(pair, places, at))
            here = notes.at(sha256, boxes_at(pair, places, at))
            draw_note_form(
                identity,
                here,
                sha256=sha256,
                places={"this box": (x0, y0, x1, y1)},
                versions=(first.version, second.version),
            )
        draw_notes(notes, here)
        _gallery(identity, pair, places, chosen, content, at, notes, order)
    with large:
        name = image_name(pair, int(places.image[at]))
        recorded, claimed = caption_of(pair, places, at)
        size = size_words(pair, places, at)
        told = f"{at + 1} of {len(places):,} · {name} · {size} · recorded: {recorded} · {' · '.join(claimed)}"
        written = notes.threads.get(sha256, ())
        data = pair_data(pair, places, at, chosen, content, told, notes=written)
        radiograph_pair(data, key=state.VIEWER, on_step=actions.step_place)


def _key(
    pair: Pair, show: str, order: str, wanted: PlaceFilter, equipment: Mapping[str, str]
) -> tuple[Hashable, ...]:
    """What an answer of `_found` depends on."""
    known = frozenset(equipment.items()) if wanted.equipment else frozenset()
    return (pair.first.key, pair.second.key, pair.names, pair.probability, show, order, wanted, known)


def _found(
    pair: Pair,
    differences: dict[DifferenceKind, Places],
    show: str,
    order: str,
    wanted: PlaceFilter,
    equipment: Mapping[str, str],
) -> tuple[str, int, Places]:
    """The kind in words, the number of its places, and those that the filter lets through, in order."""
    words, places = places_of(pair, differences, show)
    through = filtered(pair, places, wanted, show=show, equipment=equipment)
    return words, len(places), ordered(pair, through, order)


def _draw_filter(pair: Pair, equipment: Mapping[str, str]) -> PlaceFilter:
    """The filter of the places, which stands in the address."""
    wanted, changed = state.prepare_filter(), actions.change_filter
    hidden = "collapsed"
    with st.container(horizontal=True, vertical_alignment="center", key="compare-filter"):
        st.pills(
            "Outcome",
            list(OUTCOMES),
            selection_mode="multi",
            key=state.FILTER_OUTCOMES,
            format_func=OUTCOMES.__getitem__,
            on_change=changed,
            label_visibility=hidden,
            width="content",
        )
        classes = {name for table in pair.tables for name in table.classes} | wanted.classes
        st.multiselect(
            "Class, recorded or claimed",
            sorted(classes),
            key=state.FILTER_CLASSES,
            placeholder="any class",
            on_change=changed,
            label_visibility=hidden,
            width=250,
        )
        st.caption("longer side", width="content")
        for key, label in ((state.FILTER_LEAST, "from"), (state.FILTER_MOST, "to")):
            st.number_input(
                f"Longer side {label}",
                min_value=0.0,
                value=None,
                key=key,
                placeholder=label,
                format="%g",
                on_change=changed,
                label_visibility=hidden,
                width=125,
            )
        st.segmented_control(
            "Unit of the size",
            [PX, MM],
            key=state.FILTER_UNIT,
            on_change=changed,
            label_visibility=hidden,
            width="content",
        )
        known = sorted(set(equipment.values()))
        choices = (
            (state.FILTER_PART, "part", parts_of(pair), wanted.part),
            (state.FILTER_EQUIPMENT, "equipment", known, wanted.equipment),
        )
        for key, label, names, asked in choices:
            if len(names) > 1 or asked:
                st.selectbox(
                    label.capitalize(),
                    [*names, *([asked] if asked and asked not in names else [])],
                    index=None,
                    key=key,
                    placeholder=f"any {label}",
                    on_change=changed,
                    label_visibility=hidden,
                    width=165,
                )
        if not wanted.is_empty:
            st.button(
                "Clear",
                key="compare.filter.clear",
                type="tertiary",
                icon=":material/filter_alt_off:",
                on_click=actions.clear_filter,
            )
    return wanted


def _draw_none(n_all: int, wanted: PlaceFilter) -> None:
    """Why nothing is shown."""
    if wanted.is_swapped:
        st.caption(
            f"From {wanted.least:g} to {wanted.most:g} {wanted.unit} lets nothing through: the lower bound "
            "is above the upper one. Swap them."
        )
    elif n_all:
        st.caption(f"None of the {n_all:,} is like this: {wanted.words()}. Clear the filter to see them.")
    else:
        st.caption("There is none on this set.")


def _draw_way_to_labels(identity: Identity, sha256: str) -> None:
    """To where the labels of the image are corrected, when it was handed in here, too."""
    page = page_at("label")
    if identity.role not in page.roles:
        return
    try:
        resources().services.workspace_of(identity).images.facts(sha256)
    except BlobNotFoundError:
        st.caption("Lies in its set only: hand it in to label it.")
        return
    st.page_link(page.file, label="Label this image", icon=page.icon, query_params={LABEL_IMAGE: sha256})


def _draw_way_to_maps(
    pair: Pair, places: Places, at: int, chosen: EvaluationSet, content: SetContent
) -> None:
    """To the maps of both versions at this place."""
    page = page_at("explanations")
    query = {
        "set": chosen.set_id,
        "image": content.digests[int(places.image[at])],
        "v": ",".join(name.removeprefix("v") for name in pair.names),
        "at": ",".join(f"{one:.1f}" for one in focus_of(pair, places, at)),
    }
    st.page_link(page.file, label="Explain in both versions", icon=page.icon, query_params=query)


def _gallery(
    identity: Identity,
    pair: Pair,
    places: Places,
    chosen: EvaluationSet,
    content: SetContent,
    at: int | None,
    notes: ImageNotes,
    order: str,
) -> None:
    start = 0 if at is None else max(0, min(at - _PER_PAGE // 2, len(places) - _PER_PAGE))
    items = [
        _item(pair, places, index, chosen, content, notes)
        for index in range(start, min(start + _PER_PAGE, len(places)))
    ]
    images = sending_state.ticked(chosen.set_id) if may_send(identity) else None
    box_gallery(
        items,
        key=state.GALLERY,
        on_open=actions.open_place,
        chosen=None if at is None else str(at),
        label=f"Places, {ORDERS.get(order, 'most telling first')}",
        is_narrow=at is not None,
        ticked=None
        if images is None
        else [item.key for item in items if content.digests[int(places.image[int(item.key)])] in images],
        on_tick=turn_tick(chosen.set_id, lambda place: content.digests[int(places.image[place])]),
        above_px=_ABOVE_PX if at is None else _ABOVE_BESIDE_PX,
    )
    if len(places) > len(items):
        st.caption(f"{start + 1} to {start + len(items)} of {len(places):,}")


def _item(
    pair: Pair, places: Places, at: int, chosen: EvaluationSet, content: SetContent, notes: ImageNotes
) -> GalleryItem:
    image = int(places.image[at])
    entry, sha256 = content.images[image], content.digests[image]
    rectangle = around(focus_of(pair, places, at), (entry.width, entry.height))
    boxes = []
    if places.truth[at] >= 0:
        boxes.append(GalleryBox(tuple(pair.tables[0].truth[places.truth[at]].tolist()), "recorded"))
    for kind, table, index in zip(
        ("first", "second"), pair.tables, (places.first[at], places.second[at]), strict=True
    ):
        if index >= 0:
            boxes.append(GalleryBox(tuple(table.boxes[index].tolist()), kind))
    recorded, claimed = caption_of(pair, places, at)
    noted = count_words(notes.at(sha256, boxes_at(pair, places, at)))
    told = " · ".join(filter(None, (overlap_words(pair, places, at), recorded, noted)))
    below = "\n".join((told, size_words(pair, places, at), image_name(pair, image)))
    address = crop_address(chosen, sha256, rectangle)
    return GalleryItem(str(at), address, rectangle, tuple(boxes), "\n".join(claimed), below)


def _draw_pair_choice(found: Sequence[VersionOnSet]) -> tuple[VersionOnSet, VersionOnSet]:
    """The two versions whose boxes are looked at; with more than two, the visitor chooses the second."""
    others = {one.version.version: one for one in found[1:]}
    if len(others) == 1:
        return found[0], next(iter(others.values()))
    state.prepare_pair(others)
    st.segmented_control(
        f"v{found[0].version.version} beside",
        list(others),
        key=state.PAIR,
        format_func=lambda number: f"v{number}",
        width="content",
    )
    return found[0], others[state.chosen_second(others)]


def _draw_order() -> str:
    """The order of the places that is chosen; empty for the most telling first."""
    order = state.prepare_order(ORDERS)
    st.selectbox(
        "Order",
        list(ORDERS),
        format_func=ORDERS.__getitem__,
        key=state.ORDER,
        index=None,
        placeholder="most telling first",
        width=190,
        label_visibility="collapsed",
        on_change=actions.change_order,
    )
    return order


def _draw_kind_choice(choices: dict[str, str]) -> str:
    """The kind of places that the address asks for."""
    asked, options = state.prepare_kind(choices, DEFAULT_SHOW)
    st.selectbox(
        "Places",
        list(options),
        key=state.KIND,
        format_func=options.__getitem__,
        width=330,
        label_visibility="collapsed",
        on_change=actions.change_kind,
    )
    return asked
