"""What the page Compare is asked for; all of it lives in the address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from app.shared import state as app_state
from app.shared.resources import MODELS, resources
from core.domain.accounts import Identity
from core.domain.model_version import ModelVersion
from core.services.evaluation.evaluations import VersionOnSet
from core.store.evaluations import EvaluationSet

SET, POINT, OWN_POINT, VIEW, PAIR = (
    f"compare.{name}" for name in ("set", "point", "own_point", "view", "pair")
)
FINDINGS, CURVES, GROUPS, ERRORS, CALIBRATION, BOXES = (
    "findings",
    "curves",
    "groups",
    "errors",
    "calibration",
    "boxes",
)
VIEWS = {
    FINDINGS: "Findings",
    CURVES: "Curves",
    GROUPS: "Class and size",
    ERRORS: "Errors",
    CALIBRATION: "Calibration",
    BOXES: "Boxes",
}
MOST_VERSIONS = 4
SHOW, AT = "show", "at"
_MODEL, _SET, _VERSIONS, _POINT, _VIEW, _PAIR = "model", "set", "v", "p", "view", "with"


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """What is compared.

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


def choose(identity: Identity) -> Choice:
    """Draw the bar; what is chosen goes into the address."""
    service = resources().services.evaluations
    model = app_state.chosen_model()
    sets, versions = service.sets.all(identity, model), service.versions(identity, model)
    _prepare(sets)
    with st.container(horizontal=True, vertical_alignment="bottom", key="compare-bar"):
        st.segmented_control("Model", MODELS, key=app_state.MODEL_KEY, on_change=_forget, width="content")
        by_id = {one.set_id: one for one in sets}
        st.selectbox(
            "Evaluation set",
            list(by_id),
            key=SET,
            format_func=lambda key: by_id[key].name,
            placeholder="none yet",
            disabled=not by_id,
            width=250,
        )
        chosen = by_id.get(st.session_state.get(SET) or "")
        measured = service.measured_on(identity, chosen) if chosen else frozenset()
        named = {one.version: version_words(one, one.version in measured) for one in versions}
        numbers = st.multiselect(
            "Versions; the first is what the others are compared with",
            list(named),
            key=_versions_key(model, named),
            max_selections=MOST_VERSIONS,
            width=420,
            placeholder="choose two or more",
            format_func=named.__getitem__,
        )
        st.toggle(
            "Each at its own point",
            key=OWN_POINT,
            help="The operating probability of each version's calibration; off: one for all.",
        )
        st.slider(
            "Operating probability",
            0.05,
            0.95,
            key=POINT,
            step=0.01,
            width=210,
            disabled=bool(st.session_state.get(OWN_POINT)),
        )
    st.segmented_control(
        "View",
        list(VIEWS),
        key=VIEW,
        format_func=VIEWS.__getitem__,
        label_visibility="collapsed",
        on_change=_keep_view,
    )
    probability = None if st.session_state[OWN_POINT] else round(float(st.session_state[POINT]), 2)
    view = str(st.session_state.get(VIEW) or FINDINGS)
    _into_address(model, chosen, numbers, probability, view)
    return Choice(model, sets, chosen, versions, tuple(numbers), measured, probability, view)


def version_words(version: ModelVersion, is_measured: bool) -> str:
    """`v2 champion`, and whether it has to be measured first."""
    aliases = f" {', '.join(version.aliases)}" if version.aliases else ""
    return f"v{version.version}{aliases}{'' if is_measured else ' (not measured)'}"


def chosen_pair(found: Sequence[VersionOnSet]) -> tuple[VersionOnSet, VersionOnSet]:
    """The two versions whose boxes are looked at; with more than two, the visitor chooses the second."""
    others = {one.version.version: one for one in found[1:]}
    if len(others) > 1:
        asked = st.query_params.get(_PAIR, "")
        first = next(iter(others))
        st.session_state.setdefault(PAIR, int(asked) if asked.isdigit() and int(asked) in others else first)
        if st.session_state[PAIR] not in others:
            st.session_state[PAIR] = first
        st.segmented_control(
            f"v{found[0].version.version} beside",
            list(others),
            key=PAIR,
            format_func=lambda number: f"v{number}",
            width="content",
        )
        number = st.session_state.get(PAIR) or first
        st.query_params[_PAIR] = str(number)
        return found[0], others[number]
    return found[0], next(iter(others.values()))


def show_boxes(show: str) -> None:
    """Turn to the boxes behind a figure; only from a callback."""
    st.session_state[VIEW] = BOXES
    st.query_params[SHOW] = show
    st.query_params.pop(AT, None)


def _versions_key(model: str, named: Mapping[int, str]) -> str:
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


def _prepare(sets: Sequence[EvaluationSet]) -> None:
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


def _forget() -> None:
    """Another model has other sets and versions; only from a callback."""
    for key in (SET, PAIR):
        st.session_state.pop(key, None)
    st.query_params.from_dict({_MODEL: app_state.chosen_model()})


def _keep_view() -> None:
    """A click on the view that is on show would empty the choice; only from a callback."""
    if st.session_state.get(VIEW) is None:
        st.session_state[VIEW] = st.query_params.get(_VIEW, FINDINGS)


def _into_address(
    model: str,
    chosen: EvaluationSet | None,
    numbers: Sequence[int],
    probability: float | None,
    view: str,
) -> None:
    wanted = {_MODEL: model, _VERSIONS: ",".join(str(one) for one in numbers), _VIEW: view}
    if chosen is not None:
        wanted[_SET] = chosen.set_id
    if probability is not None:
        wanted[_POINT] = f"{probability:.2f}"
    wanted |= {key: st.query_params[key] for key in (SHOW, AT, _PAIR) if key in st.query_params}
    if dict(st.query_params) != wanted:
        st.query_params.from_dict(wanted)


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return round(value, 2) if 0.05 <= value <= 0.95 else None
