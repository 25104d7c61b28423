"""The curves of a training on new data and on the data it knew."""

import plotly.graph_objects as go
import streamlit as st

from core.services.training.retraining import Curves

_HEIGHT_PX = 330
#: Told apart by dash and by shade, not by hue alone.
_STYLES = {
    "training": {"color": "#4fa3e0", "dash": "solid"},
    "held back": {"color": "#d9a03c", "dash": "dash"},
    "simulated": {"color": "#9aa3ab", "dash": "dot"},
}


def draw_curves(curves: Curves, *, key: str, steps: int) -> None:
    """Draw the curves, with a title that sums them up.

    Args:
        curves: read from the run's metrics.
        key: widget key.
        steps: asked for, the end of the axis.
    """
    if not curves.steps:
        st.caption("The curves appear with the first report of the training.")
        return
    st.html(f'<p class="rk-said"><b>{finding(curves)}</b></p>')
    st.plotly_chart(figure(curves, steps), key=key, config={"displayModeBar": False}, theme="streamlit")
    st.caption("Loss without unit, of the averaged weights for what is held back; lower is better. "
               "Nothing is chosen by these curves.")  # fmt: skip


def figure(curves: Curves, steps: int) -> go.Figure:
    """Loss over steps: a line for the training data and one for each group held back."""
    lines = {"training": curves.loss, **curves.validation}
    mode = "lines" if len(curves.steps) > 1 else "markers"
    chart = go.Figure(
        [
            go.Scatter(
                x=curves.steps,
                y=values,
                mode=mode,
                name=name if name == "training" else f"{name}, not trained on",
                line=_STYLES.get(name, {}),
                hovertemplate="step %{x}: %{y:.3f}",
            )
            for name, values in lines.items()
        ]
    )
    chart.update_layout(
        height=_HEIGHT_PX,
        margin={"l": 48, "r": 12, "t": 8, "b": 40},
        hovermode="x unified",
        legend={"orientation": "h", "y": 1.08, "x": 0},
        uirevision="kept",  # a zoom survives the next poll
    )
    chart.update_xaxes(title="optimiser step", range=[0, steps])
    chart.update_yaxes(title="loss", rangemode="tozero")
    return chart


def finding(curves: Curves) -> str:
    """The changes of the losses so far, in one line."""
    words = []
    for name, verb in (("held back", "what is held back"), ("simulated", "what it knew")):
        values = curves.validation.get(name, ())
        if len(values) > 1 and values[0] > 0:
            change = 100 * (values[-1] / values[0] - 1)
            words.append(f"loss on {verb} {change:+.0f} %")
    seen = f"Step {curves.steps[-1]}"
    return f"{seen}: {', '.join(words)} since the first report" if words else seen
