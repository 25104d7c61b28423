"""The page Compare in this session: sets, versions, point, view and box; all of it lives in the address."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from math import inf

import streamlit as st

from app.models.compare.filters import MM, OUTCOMES, PX, PlaceFilter
from app.shared import state as app_state
from app.shared.uploads import lying, taken
from core.domain.model_version import ModelVersion
from core.services.datasets.set_making import SetFilter
from core.services.datasets.signed_truth import HistoryBounds
from core.store.evaluations import EvaluationSet

SET, POINT, OWN_POINT, VIEW, PAIR = (
    f"compare.{name}" for name in ("set", "point", "own_point", "view", "pair")
)
FILTER_OUTCOMES, FILTER_CLASSES, FILTER_LEAST, FILTER_MOST, FILTER_UNIT, FILTER_PART, FILTER_EQUIPMENT = (
    f"compare.filter.{name}" for name in ("outcomes", "classes", "least", "most", "unit", "part", "equipment")
)
GALLERY, VIEWER, KIND, GROUP_FIGURE, ORDER = (
    f"compare.{name}" for name in ("gallery", "pair_viewer", "kind", "group_figure", "order")
)
NEW_NAME, _NEW_FILE, NEW_PART, NEW_EQUIPMENT, NEW_CLASSES, NEW_LEAST, NEW_MOST, _SAID = (
    f"compare.new_set.{name}"
    for name in ("name", "file", "part", "equipment", "classes", "least", "most", "said")
)
(HISTORY_PART, HISTORY_EQUIPMENT, HISTORY_CLASSES, HISTORY_LEAST, HISTORY_MOST, HISTORY_SINCE, HISTORY_UNTIL,
 HISTORY_VERSION) = (
    f"compare.history.{name}"
    for name in ("part", "equipment", "classes", "least", "most", "since", "until", "version")
)  # fmt: skip
#: Keys of the filters of images of a new set, by where it is made from.
FILTER_KEYS = {
    "labels": (NEW_PART, NEW_EQUIPMENT, NEW_CLASSES, NEW_LEAST, NEW_MOST),
    "history": (HISTORY_PART, HISTORY_EQUIPMENT, HISTORY_CLASSES, HISTORY_LEAST, HISTORY_MOST),
}
_N_MADE, _REFUSED = "compare.n_made", "compare.new_set.refused"
FINDINGS, CURVES, GROUPS, ERRORS, CALIBRATION, POD, MAP, BOXES = (
    "findings",
    "curves",
    "groups",
    "errors",
    "calibration",
    "pod",
    "map",
    "boxes",
)
VIEWS = {
    FINDINGS: "Findings",
    CURVES: "Curves",
    GROUPS: "Class and size",
    ERRORS: "Errors",
    CALIBRATION: "Calibration",
    POD: "Detection by size",
    MAP: "Map",
    BOXES: "Boxes",
}
MOST_VERSIONS = 4
SHOW, AT, _ORDER = "show", "at", "order"
_OUTCOMES, _CLASSES, _LEAST, _MOST, _UNIT, _PART, _EQUIPMENT, _IMAGE = (
    "outcome", "class", "from", "to", "unit", "part", "equipment", "image"
)  # fmt: skip
#: Of the filter of places, in the address.
_FILTER = (_OUTCOMES, _CLASSES, _LEAST, _MOST, _UNIT, _PART, _EQUIPMENT, _IMAGE)
_MODEL, _SET, _VERSIONS, _POINT, _VIEW, _PAIR = "model", "set", "v", "p", "view", "with"
_INSPECTION = "inspection"


@dataclass(frozen=True, slots=True)
class OneImage:
    """The image of an inspection, and the two versions that are asked about it."""

    model: str
    inspection_id: str
    numbers: tuple[int, int]


def asked_image() -> OneImage | None:
    """The inspection in the address with its two versions; None where there are none."""
    asked = st.query_params
    numbers = [int(one) for one in asked.get(_VERSIONS, "").split(",") if one.isdigit()]
    if not asked.get(_INSPECTION) or len(numbers) < 2:
        return None
    return OneImage(
        asked.get(_MODEL) or app_state.chosen_model(), asked[_INSPECTION], (numbers[0], numbers[1])
    )


def leave_image(asked: OneImage) -> None:
    """Go on to the evaluation sets with the same versions; only from a callback."""
    st.query_params.from_dict({_MODEL: asked.model, _VERSIONS: ",".join(str(one) for one in asked.numbers)})


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """The versions that are compared, and how.

    Attributes:
        model: registered model.
        sets: those that can be chosen.
        chosen: the set, None where there is none.
        versions: every version of the model, newest first.
        numbers: the versions compared; the first one is what the others are compared with.
        measured: numbers of the versions that were measured on the set.
        probability: the operating point of all, None for each version's own.
        view: one of `VIEWS`.
    """

    model: str
    sets: Sequence[EvaluationSet]
    chosen: EvaluationSet | None
    versions: Sequence[ModelVersion]
    numbers: tuple[int, ...]
    measured: frozenset[int]
    probability: float | None
    view: str

    @property
    def missing(self) -> list[int]:
        """Chosen versions that were not measured on the set."""
        return [number for number in self.numbers if number not in self.measured]


def chosen_set(sets: Mapping[str, EvaluationSet]) -> EvaluationSet | None:
    """The chosen one of these sets by id; None where there is none."""
    return sets.get(st.session_state.get(SET) or "")


def new_name() -> str:
    """The name that was typed for a new set."""
    return str(st.session_state.get(NEW_NAME) or "").strip()


def n_made() -> int:
    """Sets that were made in this session; the form closes with each."""
    return int(st.session_state.get(_N_MADE, 0))


def was_made() -> None:
    """Count a set that was made, empty the name and let go of the file; only from a callback."""
    if (uploaded := st.session_state.get(new_file_key())) is not None:
        taken(uploaded)
    st.session_state[_N_MADE] = n_made() + 1
    st.session_state[NEW_NAME] = ""


def refuse_set(why: str) -> None:
    """Remember why no set was made; only from a callback."""
    st.session_state[_REFUSED] = why


def set_refusal() -> str:
    """Why the last set was not made, told once."""
    return str(st.session_state.pop(_REFUSED, ""))


def new_file_key() -> str:
    """Key of the chooser of an archive, another one after each set that was made: so it is empty again."""
    return f"{_NEW_FILE}.{n_made()}"


def new_file() -> bytes | None:
    """The archive that was handed in, which stays in its chooser; None where there is none."""
    uploaded = st.session_state.get(new_file_key())
    return None if uploaded is None else lying(uploaded).read()


def new_filter(source: str = "labels") -> SetFilter:
    """The images that a new set is wanted of, by a key of `FILTER_KEYS`."""
    asked = st.session_state
    part, equipment, classes, least, most = FILTER_KEYS[source]
    return SetFilter(
        part=str(asked.get(part) or "").strip(),
        equipment=str(asked.get(equipment) or "").strip(),
        classes=frozenset(asked.get(classes) or ()),
        least_px=float(asked.get(least) or 0),
        most_px=float(asked.get(most) or 0),
    )


def history_bounds() -> HistoryBounds:
    """The records that a new set from the history is wanted of; the last day is counted in."""
    asked = st.session_state
    since, until = (asked.get(key) for key in (HISTORY_SINCE, HISTORY_UNTIL))
    return HistoryBounds(
        model_version=asked.get(HISTORY_VERSION),
        since=None if since is None else datetime.combine(since, time.min, UTC),
        until=None if until is None else datetime.combine(until, time.min, UTC) + timedelta(days=1),
    )


def say(what: str) -> None:
    """Remember what the last action did; only from a callback."""
    st.session_state[_SAID] = what


def compare_said() -> str:
    """What the last action did, told once."""
    return str(st.session_state.pop(_SAID, ""))


def choose_set(chosen: EvaluationSet) -> None:
    """Turn to this set; only from a callback."""
    st.session_state[SET] = chosen.set_id


def has_own_points() -> bool:
    """True when each version is looked at its own operating point."""
    return bool(st.session_state.get(OWN_POINT))


def chosen_probability() -> float | None:
    """The operating point of all versions; None for each version's own."""
    return None if st.session_state[OWN_POINT] else round(float(st.session_state[POINT]), 2)


def chosen_view() -> str:
    """One of `VIEWS`."""
    return str(st.session_state.get(VIEW) or FINDINGS)


def prepare_pair(others: Collection[int]) -> None:
    """Give the choice of the second version its first value, from the address if it names one of these."""
    asked, first = st.query_params.get(_PAIR, ""), next(iter(others))
    st.session_state.setdefault(PAIR, int(asked) if asked.isdigit() and int(asked) in others else first)
    if st.session_state[PAIR] not in others:
        st.session_state[PAIR] = first


def chosen_second(others: Collection[int]) -> int:
    """The second version, which now stands in the address."""
    number = int(st.session_state.get(PAIR) or next(iter(others)))
    st.query_params[_PAIR] = str(number)
    return number


def asked_filter() -> PlaceFilter:
    """The filter of places in the address; what is none there is left out."""
    asked = st.query_params
    return PlaceFilter(
        outcomes=frozenset(asked.get(_OUTCOMES, "").split(",")) & set(OUTCOMES),
        classes=frozenset(filter(None, asked.get(_CLASSES, "").split(","))),
        least=_size(asked.get(_LEAST)),
        most=_size(asked.get(_MOST)),
        unit=MM if asked.get(_UNIT) == MM else PX,
        part=asked.get(_PART, ""),
        equipment=asked.get(_EQUIPMENT, ""),
        image=asked.get(_IMAGE, ""),
    )


def prepare_filter() -> PlaceFilter:
    """Give the fields of the filter what the address says; before they are drawn."""
    asked = asked_filter()
    st.session_state[FILTER_OUTCOMES] = [one for one in OUTCOMES if one in asked.outcomes]
    st.session_state[FILTER_CLASSES] = sorted(asked.classes)
    st.session_state[FILTER_LEAST] = asked.least or None
    st.session_state[FILTER_MOST] = asked.most or None
    st.session_state[FILTER_UNIT] = asked.unit
    st.session_state[FILTER_PART] = asked.part or None
    st.session_state[FILTER_EQUIPMENT] = asked.equipment or None
    return asked


def take_filter() -> None:
    """Put the filter that was chosen into the address, and no place; only from a callback."""
    typed = st.session_state
    least, most = typed.get(FILTER_LEAST) or 0, typed.get(FILTER_MOST) or 0
    unit = typed.get(FILTER_UNIT) or st.query_params.get(_UNIT, PX)
    said = {
        _OUTCOMES: ",".join(typed.get(FILTER_OUTCOMES) or ()),
        _CLASSES: ",".join(typed.get(FILTER_CLASSES) or ()),
        _LEAST: f"{least:g}" if least else "",
        _MOST: f"{most:g}" if most else "",
        _UNIT: MM if unit == MM else "",
        _PART: typed.get(FILTER_PART) or "",
        _EQUIPMENT: typed.get(FILTER_EQUIPMENT) or "",
    }
    for name, value in said.items():
        if value:
            st.query_params[name] = value
        else:
            st.query_params.pop(name, None)
    st.query_params.pop(AT, None)


def clear_filter() -> None:
    """Take the whole filter out of the address; only from a callback."""
    for name in (*_FILTER, AT):
        st.query_params.pop(name, None)


def show_boxes(show: str) -> None:
    """Turn to the boxes behind a figure, all of them; only from a callback."""
    clear_filter()
    st.session_state[VIEW] = BOXES
    st.query_params[SHOW] = show
    st.query_params.pop(AT, None)


def prepare_kind(choices: Mapping[str, str], default: str) -> tuple[str, dict[str, str]]:
    """The kind of places in the address, and all choices; a plot may lead to one beside `choices`."""
    asked, options = st.query_params.get(SHOW, default), dict(choices)
    if asked not in options:
        options = {asked: "from a plot"} | options
    if st.session_state.get(KIND) not in options or st.session_state[KIND] != asked:
        st.session_state[KIND] = asked
    return asked, options


def take_kind() -> None:
    """Put the chosen kind of places into the address, and no place; only from a callback."""
    st.query_params[SHOW] = str(st.session_state[KIND])
    st.query_params.pop(AT, None)


def prepare_order(orders: Collection[str]) -> str:
    """The order of places in the address, one of these, which the choice shows; empty for none."""
    asked = st.query_params.get(_ORDER, "")
    order = asked if asked in orders else ""
    st.session_state[ORDER] = order or None
    return order


def take_order() -> None:
    """Put the chosen order of places into the address, and no place; only from a callback."""
    if order := st.session_state.get(ORDER):
        st.query_params[_ORDER] = str(order)
    else:
        st.query_params.pop(_ORDER, None)
    st.query_params.pop(AT, None)


def chosen_place(n: int) -> int | None:
    """Number of the place that is open, of `n`; None while all are shown."""
    asked = st.query_params.get(AT, "")
    return int(asked) if asked.isdigit() and int(asked) < n else None


def open_place() -> None:
    """Open the place that the gallery reported; only from a callback."""
    key = getattr(st.session_state.get(GALLERY), "open", None)
    if key is not None and str(key).isdigit():
        st.query_params[AT] = str(key)


def step_place() -> None:
    """Go on by the step that the viewer reported; only from a callback."""
    step = getattr(st.session_state.get(VIEWER), "step", None)
    asked = st.query_params.get(AT, "")
    if step in (1, -1) and asked.isdigit():
        st.query_params[AT] = str(max(0, int(asked) + int(step)))


def close_place() -> None:
    """Show all places again; only from a callback."""
    st.query_params.pop(AT, None)


def group_figure() -> str:
    """The figure that is shown by class and size, `recall` or `ap50`."""
    return str(st.session_state.get(GROUP_FIGURE) or "recall")


def selected_lead(key: str) -> str | None:
    """The boxes that the selected point of a plot leads to; None when it leads nowhere."""
    points = st.session_state[key]["selection"]["points"]
    lead = next((one["customdata"] for one in points if one.get("customdata")), None)
    return None if lead is None else str(lead[0] if isinstance(lead, list | tuple) else lead)


def versions_key(model: str, named: Mapping[int, str]) -> str:
    """Key of the choice of versions, with its first value from the address.

    A multiselect knows its choices by their words. When these change below it (a version was measured, or
    promoted), the words that the browser sends fit nothing and the choice would come out empty; so other
    words make another widget, which takes up what the address says.
    """
    key = f"compare.versions.{model}.{'|'.join(named.values())}"
    if key not in st.session_state:
        asked = [int(one) for one in st.query_params.get(_VERSIONS, "").split(",") if one.isdigit()]
        st.session_state[key] = [one for one in asked if one in named] or sorted(list(named)[:2])
    return key


def prepare(sets: Sequence[EvaluationSet]) -> None:
    """Give the widgets their first values from the address; what it names and is not there is ignored."""
    asked, ids = st.query_params, [one.set_id for one in sets]
    if st.session_state.get(SET) not in ids:
        st.session_state[SET] = asked.get(_SET) if asked.get(_SET) in ids else (ids[0] if ids else None)
    point = _number(asked.get(_POINT))
    st.session_state.setdefault(OWN_POINT, point is None)
    st.session_state.setdefault(POINT, 0.5 if point is None else point)
    st.session_state.setdefault(VIEW, asked.get(_VIEW) if asked.get(_VIEW) in VIEWS else FINDINGS)
    if st.session_state[VIEW] is None:  # a segmented control can be clicked empty
        st.session_state[VIEW] = FINDINGS


def forget() -> None:
    """Another model has other sets and versions; only from a callback."""
    for key in (SET, PAIR):
        st.session_state.pop(key, None)
    st.query_params.from_dict({_MODEL: app_state.chosen_model()})


def keep_view() -> None:
    """A click on the view that is on show would empty the choice; only from a callback."""
    if st.session_state.get(VIEW) is None:
        st.session_state[VIEW] = st.query_params.get(_VIEW, FINDINGS)


def put_into_address(
    model: str,
    chosen: EvaluationSet | None,
    numbers: Sequence[int],
    probability: float | None,
    view: str,
) -> None:
    """Put all that is chosen into the address."""
    wanted = {_MODEL: model, _VERSIONS: ",".join(str(one) for one in numbers), _VIEW: view}
    if chosen is not None:
        wanted[_SET] = chosen.set_id
    if probability is not None:
        wanted[_POINT] = f"{probability:.2f}"
    wanted |= {
        key: st.query_params[key] for key in (SHOW, AT, _ORDER, _PAIR, *_FILTER) if key in st.query_params
    }
    if dict(st.query_params) != wanted:
        st.query_params.from_dict(wanted)


def _size(text: str | None) -> float:
    """A size that is above 0 and finite; 0 where it is none."""
    try:
        value = float(text or "")
    except ValueError:
        return 0.0
    return value if 0 < value < inf else 0.0


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return round(value, 2) if 0.05 <= value <= 0.95 else None
