"""Plots that lie beside figures in a run of MLflow."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_INCHES, _DOTS_PER_INCH = (6.4, 4.4), 110


@dataclass(frozen=True, slots=True)
class Plot:
    """A curve with a band.

    Attributes:
        title, x_label, y_label: words.
        x, y: (N,) points.
        low, high: (N,) ends of the band; empty for none.
        is_log: the x axis is logarithmic.
    """

    title: str
    x_label: str
    y_label: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    is_log: bool = False


def drawn(plot: Plot) -> "Figure":
    """The plot as a figure of matplotlib, which comes with MLflow; nothing is kept of it elsewhere."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=_INCHES, dpi=_DOTS_PER_INCH, layout="constrained")
    axes = figure.subplots()
    axes.plot(plot.x, plot.y, color="#2878b5")
    if len(plot.low):
        axes.fill_between(plot.x, plot.low, plot.high, color="#2878b5", alpha=0.18, linewidth=0)
    if plot.is_log:
        axes.set_xscale("log")
    axes.set(title=plot.title, xlabel=plot.x_label, ylabel=plot.y_label, ylim=(0, 1.02))
    axes.grid(alpha=0.3)
    return figure
