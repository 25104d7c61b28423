"""What is kept of an image that a version read, to tell later whether the images change."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from core.domain.radiograph import Polarity, Radiograph
from core.imaging.quality.physical import physical_figures

POLARITY, N_BOXES = "polarity", "boxes"
LARGEST, MEAN = "largest probability", "mean probability"
_POLARITIES = {Polarity.FILM: 1.0, Polarity.DIGITAL: 0.0, Polarity.UNKNOWN: 0.5}
_DIGITS = 6


def figures_of(
    radiograph: Radiograph, detections: Sequence[Mapping[str, Any]], operating_probability: float
) -> dict[str, float]:
    """The figures of one image by name; those that it does not allow are missing.

    Args:
        radiograph: in the polarity that it was read in.
        detections: rows with `bbox` and `probability`, as an inspection keeps them.
        operating_probability: boxes from here on are counted, and their contrast is measured.
    """
    probabilities = [float(one["probability"]) for one in detections]
    shown = [one["bbox"] for one in detections if float(one["probability"]) >= operating_probability]
    boxes = np.array(shown, np.float32).reshape(-1, 4)
    figures = {
        **physical_figures(radiograph, boxes),
        POLARITY: _POLARITIES[radiograph.polarity],
        N_BOXES: float(len(shown)),
        LARGEST: max(probabilities, default=0.0),
    }
    if probabilities:
        figures[MEAN] = float(np.mean(probabilities))
    return {name: float(f"{value:.{_DIGITS}g}") for name, value in figures.items()}
