"""What the page of data versions remembers and shows as data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st

from app.shared import state as app_state
from app.shared.access import acting, current_identity
from app.shared.resources import resources
from core.domain.accounts import COMMAND_LINE
from core.domain.data_manifest import Difference, ImageOrigin, ManifestImage
from core.domain.radiograph import Polarity
from core.services.datasets.data_versions import MAKE_DATA_VERSION, DataRequest
from core.store.data_versions import DataVersion
from core.store.jobs import Job, JobState

LICENCE, NOTE, IMPORT, POLARITY = (f"data.{name}" for name in ("licence", "note", "import", "polarity"))
CALIBRATION, TEST, AGAINST = (f"data.{name}" for name in ("calibration", "test", "against"))
_CHOSEN = "data"
POLARITIES = {Polarity.FILM: "film", Polarity.DIGITAL: "digital detector", Polarity.UNKNOWN: "as the model"}
_PERCENT = 100


@dataclass
class DataState:
    """The page of data versions in this session.

    Attributes:
        selections: by table, what was selected when it was first drawn.
        n_made: versions that were asked for; the form closes with each.
    """

    selections: dict[str, Any] = field(default_factory=dict)
    n_made: int = 0


def data_state() -> DataState:
    """The state of the page in this session."""
    if "data_versions" not in st.session_state:
        st.session_state["data_versions"] = DataState()
    kept: DataState = st.session_state["data_versions"]
    return kept


def chosen_model() -> str:
    """The model whose data are on show; it is the one of the header."""
    return app_state.chosen_model()


def chosen(versions: Sequence[DataVersion]) -> DataVersion | None:
    """The version in the address, else the newest; None when there is none."""
    asked = st.query_params.get(_CHOSEN, "")
    named = next((one for one in versions if str(one.number) == asked), None)
    return named or (versions[0] if versions else None)


def first_selection(table: str, numbers: Sequence[int], one: DataVersion | None) -> dict[str, Any]:
    """What is selected when the table of these versions is first drawn."""
    rows = [numbers.index(one.number)] if one is not None and one.number in numbers else []
    return data_state().selections.setdefault(table, {"selection": {"rows": rows}})


def choose_row(table: str, numbers: Sequence[int]) -> None:
    """Put the version of the selected row into the address; only from a callback."""
    rows = st.session_state[table].selection.rows
    if rows:
        st.query_params[_CHOSEN] = str(numbers[rows[0]])


def choose_model() -> None:
    """Put the chosen model into the address, and no version; only from a callback."""
    st.query_params.from_dict({"model": chosen_model()})


def version_rows(versions: Sequence[DataVersion], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """The versions as rows of a table."""
    return [
        {
            "Version": one.number,
            "Made": f"{one.created_at:%Y-%m-%d %H:%M}",
            "By": author(one, names),
            "Images": one.counts["images"],
            "Boxes": one.counts["boxes"],
            "Train": one.counts["parts"]["train"][0],
            "Calibration": one.counts["parts"]["calibration"][0],
            "Test": one.counts["parts"]["test"][0],
            "Note": one.note,
        }
        for one in versions
    ]


def author(version: DataVersion, names: Mapping[str, str]) -> str:
    """Who made it, as people know them."""
    by = version.created_by
    return COMMAND_LINE.name if by is None else names.get(by, by)


def others(versions: Sequence[DataVersion], one: DataVersion) -> list[DataVersion]:
    """What a version can be compared with, its parent first."""
    rest = [other for other in versions if other.number != one.number]
    return sorted(rest, key=lambda other: (other.manifest_sha256 != one.parent_sha256, -other.number))


def difference_rows(found: Difference) -> list[dict[str, Any]]:
    """Every image that differs, as rows of a table."""
    rows = [_row("added", image, None) for image in found.added]
    rows += [_row("changed", after, before) for before, after in found.changed]
    return rows + [_row("removed", image, image) for image in found.removed]


def difference_words(found: Difference) -> str:
    """The difference in one line."""
    if found.is_empty:
        return "Both hold the same images with the same boxes in the same parts."
    counts = (("added", found.added), ("changed", found.changed), ("removed", found.removed))
    return " · ".join(f"{len(images)} {what}" for what, images in counts)


def _row(what: str, image: ManifestImage, before: ManifestImage | None) -> dict[str, Any]:
    boxes = str(len(image.boxes))
    if before is not None and before is not image:
        boxes = f"{len(before.boxes)} → {len(image.boxes)}"
    part = image.part.value
    if before is not None and before.part is not image.part:
        part = f"{before.part.value} → {part}"
    return {
        "What": what,
        "Image": image.name,
        "Boxes": boxes,
        "For": part,
        "Shows": image.series,
        "From": "import" if image.origin is ImageOrigin.IMPORTED else f"labels v{image.annotation_version}",
        "Open": f"/label?image={image.sha256}",
    }


def current_job() -> Job | None:
    """The newest job that makes a data version, while it runs or when it went wrong."""
    jobs = resources().services.jobs.latest(current_identity(touch=False), [MAKE_DATA_VERSION], limit=1)
    return jobs[0] if jobs and jobs[0].state is not JobState.DONE else None


@acting
def make() -> None:
    """Start the job that makes a version of what is labelled; only from a callback."""
    chosen_file = st.session_state.get(IMPORT)
    request = DataRequest(
        model_name=chosen_model(),
        licence=str(st.session_state.get(LICENCE) or "").strip(),
        note=str(st.session_state.get(NOTE) or "").strip(),
        coco=Path(chosen_file) if chosen_file else None,
        polarity=st.session_state.get(POLARITY) or Polarity.UNKNOWN,
        calibration_share=int(st.session_state.get(CALIBRATION, 20)) / _PERCENT,
        test_share=int(st.session_state.get(TEST, 20)) / _PERCENT,
    )
    resources().services.data.start(current_identity(), request)
    data_state().n_made += 1
    st.query_params.pop(_CHOSEN, None)
