"""The polarity of a radiograph, estimated from the picture: by a weighed sum of signs, never in doubt."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.domain.polarity import PolarityEstimate
from core.domain.radiograph import Polarity
from core.imaging.polarity_signs import NAMES, signs

WEIGHTS = Path(__file__).with_name("polarity_weights.json")
#: A sign that is positive, and one that is negative, in words.
_WORDS = {
    "middle": ("most of the picture is bright", "most of the picture is dark"),
    "skew": ("a few parts are much brighter than the rest", "a few parts are much darker than the rest"),
    "ends": ("large areas are at the bright end", "large areas are at the dark end"),
    "noise": ("the noise grows with brightness", "the noise falls with brightness"),
    "band": ("the weld is brighter than the plate", "the weld is darker than the plate"),
    "rim": ("the rim is brighter than the middle", "the rim is darker than the middle"),
    "corners": ("the corners are bright", "the corners are dark"),
    "spots": ("markers, wires and other details are bright", "markers, wires and other details are dark"),
    "texture": ("the parts with most detail are bright", "the parts with most detail are dark"),
    "flat": ("the even areas are bright", "the even areas are dark"),
    "holes": ("the openings of the part are bright", "the openings of the part are dark"),
}
_GROUPS = {
    **dict.fromkeys(("noise_rise", "noise_wide", "noise_wide_rise"), "noise"),
    "bow": "band",
    **dict.fromkeys(("spots_small", "spots_middle", "spots_large"), "spots"),
    **dict.fromkeys(("ridges_small", "ridges_middle", "ridges_large"), "spots"),
}
#: Signs of a seam say nothing of a casting.
_WELD_ONLY = ("band",)
_FAIR_SHARE = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class PolarityWeights:
    """Weights of the signs for one kind of part.

    Attributes:
        weights: by `NAMES`; a positive sum means film.
        speaks_above: least chance of the more likely polarity at which it is told.
    """

    weights: npt.NDArray[np.float64]
    speaks_above: float


def estimate_polarity(pixels: npt.NDArray[np.generic], kind: str) -> PolarityEstimate:
    """The polarity that the picture tells; UNKNOWN where it does not, e.g. without contrast or below 96 px.

    Odd: the inverted picture gets the other polarity with the same confidence.

    Args:
        pixels: (H, W), any real dtype.
        kind: of the part, "weld" or "casting"; of any other nothing is told.
    """
    fitted = polarity_weights().get(kind)
    if fitted is None:
        return PolarityEstimate(Polarity.UNKNOWN, 0.5, f"nothing was measured on a {kind}")
    found = signs(pixels)
    if found is None:
        return PolarityEstimate(
            Polarity.UNKNOWN, 0.5, "there is too little contrast, or the image is too small"
        )
    total = float(found @ fitted.weights)
    confidence = 1 / (1 + float(np.exp(-abs(total))))
    reason = _strongest(found, fitted.weights, total, kind)
    if confidence < fitted.speaks_above:
        return PolarityEstimate(Polarity.UNKNOWN, confidence, reason)
    return PolarityEstimate(Polarity.FILM if total > 0 else Polarity.DIGITAL, confidence, reason)


@cache
def polarity_weights() -> dict[str, PolarityWeights]:
    """The shipped weights by kind of part; `benchmarks/polarity.py --fit` wrote them."""
    content = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    return {
        kind: PolarityWeights(np.asarray([one["weights"][name] for name in NAMES]), one["speaks_above"])
        for kind, one in content["kinds"].items()
    }


def _strongest(
    found: npt.NDArray[np.float64], weights: npt.NDArray[np.float64], total: float, kind: str
) -> str:
    """The sign that adds most to the sum, in words; the weld itself where it adds a fair share."""
    sums: dict[str, float] = {}
    looks: dict[str, float] = {}
    for name, value, weight in zip(NAMES, found, weights, strict=True):
        group = _GROUPS.get(name, name)
        if group in _WELD_ONLY and kind != "weld":
            continue
        share = value * weight * np.sign(total)
        sums[group] = sums.get(group, 0.0) + share
        looks[group] = looks.get(group, 0.0) + value * abs(weight)
    strongest = max(sums, key=lambda group: sums[group])
    if sums.get("band", 0.0) > _FAIR_SHARE * abs(total):
        strongest = "band"
    if sums[strongest] <= 0:
        return ""
    return _WORDS[strongest][0 if looks[strongest] > 0 else 1]
