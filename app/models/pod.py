"""The probability of detection of one or two versions as a plot and in words."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from app.shared.templates import draw_html
from core.domain.pod_words import family_words, pod_line, size_words
from core.evaluate.pod_misfit import misfit_of
from core.evaluate.pod_models import PodFit

#: Told apart by colour-blind people; lines differ by dash, points by shape as well.
_COLOURS = ("#4fa3e0", "#f0a13c", "#b07fd8", "#2fae8f")
_FAINT = tuple(f"rgba({int(c[1:3], 16)}, {int(c[3:5], 16)}, {int(c[5:], 16)}, 0.16)" for c in _COLOURS)
_DASHES, _SYMBOLS = ("solid", "dash", "dot", "dashdot"), ("circle", "square", "diamond", "triangle-up")
_TEMPLATE = "models/templates/pod.html"
_ALL = "All flaws"
_N_POINTS = 60
_COMMAND = "radikal pod --model {model} --version {version}"


def draw_pod(
    named: Sequence[tuple[str, Mapping[str, Any] | None]],
    *,
    model: str,
    key: str,
    height: int = 430,
    beside: str = "",
) -> None:
    """Draw the curves of versions with their bands, of all flaws or one class, and every figure under them.

    Args:
        named: name of each version, such as "v3", and what `radikal pod` measured of it; None: nothing.
        model: registered model.
        key: of the plot.
        height: of the plot, px.
        beside: name of the evaluation set that stands above and that the curves are not of; empty for none.
    """
    measured = [(name, one) for name, one in named if one is not None]
    kinds = drawable_kinds(measured)
    if kinds:
        kind = kinds[0]
        if len(kinds) > 1:
            kind = str(st.selectbox("Flaws", kinds, format_func=_kind_words, key=f"{key}.flaws", width=280))
        drawn = [(name, of_kind(one, kind)) for name, one in measured]
        drawn = [(name, one) for name, one in drawn if one["pod"].get("curve")]
        figure = pod_plot(drawn, height, beside=beside, order=[name for name, _ in named])
        draw_html("models/compare/templates/title.html", title=figure.layout.meta)
        st.plotly_chart(figure, key=key, config={"displayModeBar": False})
        for words in (*misfit_words(drawn, kind, has_choice=len(kinds) > 1), *_bandless_words(drawn)):
            st.caption(words)
    missing = [
        _COMMAND.format(model=model, version=name.removeprefix("v")) for name, one in named if one is None
    ]
    draw_html(
        _TEMPLATE, versions=[pod_rows(*one) for one in measured], missing=missing, said=together(measured)
    )


def drawable_kinds(measured: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """What there is a curve of in any version: all flaws first, then classes."""
    classes = sorted({label for _, one in measured for label in one.get("by_class", {})})
    return [
        kind
        for kind in (_ALL, *classes)
        if any(of_kind(one, kind)["pod"].get("curve") for _, one in measured)
    ]


def of_kind(one: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """The figures with those of one class in the place of those of all flaws; each with a curve if it can."""
    estimate = one["pod"] if kind == _ALL else one.get("by_class", {}).get(kind, {})
    bins = one.get("bins") or () if kind == _ALL else estimate.get("bins") or ()
    if not estimate.get("curve") and (curve := _curve_of_fit(estimate, bins, one["pod"].get("curve"))):
        estimate = {**estimate, "curve": curve}
    return {**one, "pod": estimate, "bins": bins}


def _curve_of_fit(
    estimate: Mapping[str, Any], bins: Sequence[Mapping[str, Any]], of_all: Mapping[str, Any] | None
) -> dict[str, list[float]] | None:
    """The curve that the kept fit tells, without a band; None where there is no fit or nowhere to begin.

    Cards of versions keep the fit of a class and leave its curve out. It begins at the smallest group of the
    class, or of older cards, which have no groups, at the smallest flaw of all.
    """
    fit, largest = estimate.get("fit"), estimate.get("largest_mm")
    begins = [float(group["size_mm"]) for group in bins] or ((of_all or {}).get("size_mm") or [])[:1]
    if not fit or not largest or not begins:
        return None
    sizes = np.geomspace(min(begins), float(largest), _N_POINTS)
    return {"size_mm": sizes.tolist(), "pod": PodFit.from_dict(fit).at(sizes).tolist()}


def _bandless_words(drawn: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """Which curves have no band, or no points either, and why."""
    said = []
    for name, one in drawn:
        if "lower" in one["pod"]["curve"]:
            continue
        if one.get("bins"):
            said.append(f"{name} without a band: its card keeps that of all flaws only.")
        else:
            said.append(
                f"{name} without band and points: its card keeps those of all flaws only. "
                "The curve begins at the smallest flaw of all, not of this class."
            )
    return said


def misfit_words(
    drawn: Sequence[tuple[str, Mapping[str, Any]]], kind: str, *, has_choice: bool = True
) -> list[str]:
    """Sentences about versions whose curve misses its points; of all flaws also why, where one can choose."""
    found = [(name, misfit_of(one["pod"], one.get("bins") or ())) for name, one in drawn]
    said = [f"{name}: {one.words}." for name, one in found if one is not None]
    if said and kind == _ALL and has_choice:
        said.append(
            "All flaws mix classes that are found very differently: choose one for a curve that fits better."
        )
    return said


def _kind_words(kind: str) -> str:
    return kind[:1].upper() + kind[1:]


def pod_plot(
    named: Sequence[tuple[str, Mapping[str, Any]]],
    height: int,
    *,
    beside: str = "",
    order: Sequence[str] = (),
) -> go.Figure:
    """Probability of detection over size on a logarithmic axis; `meta` is a title that says what is seen.

    Args:
        named: name and figures of each version, with a curve.
        height: px.
        beside: name of an evaluation set that these curves are not of.
        order: names of all versions on the page, so that each keeps its colour where others have no curve.
    """
    figure = go.Figure()
    for index, (name, one) in enumerate(named):
        _add_curve(figure, name, one, order.index(name) if name in order else index)
    figure.add_hline(y=0.9, line={"color": "#8a929a", "width": 1, "dash": "dot"})
    figure.update_layout(
        meta=_title(named, beside),
        height=height,
        margin={"l": 10, "r": 10, "t": 34, "b": 10},
        hovermode="closest",
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 1, "xanchor": "right"},
        dragmode=False,
    )
    ticks = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50]
    axis = f"{str(named[0][1]['measure']).capitalize()} of the flaw, mm"
    figure.update_xaxes(type="log", title={"text": axis}, tickvals=ticks)
    figure.update_yaxes(range=[0, 1.02], title={"text": "Probability of detection"})
    return figure


def _title(named: Sequence[tuple[str, Mapping[str, Any]]], beside: str) -> str:
    """What the flaws are, and of each version the size and the false calls that it pays for it."""
    seen = list(dict.fromkeys(str(one["on"]) for _, one in named))
    unlike = f", not on {beside}" if beside and beside not in seen else ""
    return f"On {' and '.join(seen)}{unlike}: {'; '.join(_reached(*one) for one in named)}"


def _reached(name: str, one: Mapping[str, Any]) -> str:
    size, calls = one["pod"]["a90_95"], f"{one['false_calls_per_image']:.2f} false calls an image"
    if size is None:
        return f"{name} finds 9 of 10 at no size, at {calls}"
    beyond = " (beyond the largest flaw)" if one["pod"].get("is_extrapolated") else ""
    return f"{name} finds 9 of 10 from {size_words(size)} on{beyond}, at {calls}"


def _add_curve(figure: go.Figure, name: str, one: Mapping[str, Any], index: int) -> None:
    curve, a90_95 = one["pod"]["curve"], one["pod"]["a90_95"]
    sizes = curve["size_mm"]
    if "lower" in curve:
        figure.add_trace(
            go.Scatter(
                x=[*sizes, *sizes[::-1]],
                y=[*curve["upper"], *curve["lower"][::-1]],
                fill="toself",
                mode="lines",
                line={"width": 0},
                fillcolor=_FAINT[index],
                hoverinfo="skip",
                showlegend=False,
            )
        )
    figure.add_trace(
        go.Scatter(
            x=sizes,
            y=curve["pod"],
            mode="lines",
            name=f"{name}, {one['false_calls_per_image']:.2f} false calls an image",
            line={"color": _COLOURS[index], "dash": _DASHES[index], "width": 2},
            hovertemplate="%{x:.2f} mm: %{y:.3f}<extra>" + name + "</extra>",
        )
    )
    bins = one.get("bins") or ()
    figure.add_trace(
        go.Scatter(
            x=[group["size_mm"] for group in bins],
            y=[group["found"] / group["n"] for group in bins],
            mode="markers",
            showlegend=False,
            marker={"color": _COLOURS[index], "symbol": _SYMBOLS[index], "size": 7},
            text=[f"{group['found']} of {group['n']} flaws" for group in bins],
            hovertemplate="about %{x:.2f} mm: %{text}<extra>" + name + "</extra>",
        )
    )
    if a90_95 is not None and a90_95 <= sizes[-1]:
        figure.add_trace(
            go.Scatter(
                x=[a90_95],
                y=[0.9],
                mode="markers",
                showlegend=False,
                marker={
                    "color": _COLOURS[index],
                    "symbol": _SYMBOLS[index],
                    "size": 12,
                    "line": {"width": 2, "color": "#fff"},
                },
                hovertemplate=f"{name}: a90/95 %{{x:.2f}} mm<extra></extra>",
            )
        )


def pod_rows(name: str, one: Mapping[str, Any]) -> dict[str, Any]:
    """Values of one version in `pod.html`."""
    pod = one["pod"]
    estimates = {
        "All flaws": pod,
        **{str(label).capitalize(): estimate for label, estimate in one.get("by_class", {}).items()},
        "All, boxes that overlap by half": one["strict"],
    }
    if one.get("n_faint"):
        estimates[f"With {one['n_faint']:,} too faint to see"] = one["with_faint"]
    estimates["All, by strength of response"] = one["response"]
    counted = f"{one['n_targets']:,} flaws in {one['n_images']:,} images: {one['on']}"
    leaked = one.get("n_trained_on") or 0
    return {
        "name": name,
        "counted": counted,
        "calls": f"{one['false_calls_per_image']:.2f} false calls an image at probability "
        f"{one['operating_probability']:g}",
        "family": family_words(pod["fit"]) if pod.get("fit") else "",
        "leaked": f"{leaked} of the images were trained on: the figures mean nothing" if leaked else "",
        "rows": [_row(words, estimate) for words, estimate in estimates.items()],
    }


def _row(words: str, estimate: Mapping[str, Any]) -> dict[str, str]:
    found = f"{estimate['n_found']:,} of {estimate['n_targets']:,}" if "n_found" in estimate else ""
    sizes = {key: size_words(estimate[key]) for key in ("a50", "a90", "a90_95")}
    beyond = "beyond the largest flaw" if estimate.get("is_extrapolated") else ""
    return {"name": words, "found": found, "why": str(estimate["reason"]), "beyond": beyond, **sizes}


def together(measured: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """Whether the curves of several versions may be compared; empty for one."""
    if len(measured) < 2:
        return ""
    if len({one["set_digest"] for _, one in measured}) == 1:
        return "Measured on the same flaws."
    return "Measured on different flaws: the curves cannot be compared."


def pod_summary(one: Mapping[str, Any] | None) -> str:
    """One line for the overview of a version; empty where nothing was measured."""
    if one is None:
        return ""
    return f"{pod_line(one['pod'])}, {one['false_calls_per_image']:.2f} false calls an image; {one['on']}"
