"""What the images looked like that a model version learnt from, and how far another one is from them.

The distance is that to the nearest neighbour in the features of the network itself, each divided by its
spread between views of one part: Sun, Ming, Zhu, Li, "Out-of-distribution detection with deep nearest
neighbors" (2022, arXiv 2204.06507). Differences: pooled features of the first stages instead of the last
layer's, as the kind of part shows in textures; a few views of each part stand for all of them; and the limit
is set so that most images which calibrated the version pass it, and most other views of the parts that it was
taught.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from core.domain.errors import CalibrationDataError, ModelArtefactError
from core.domain.familiarity import DECIMALS, Familiarity

FILE = "familiarity.json"
#: This share passes for familiar of the images that calibrated, each part counting alike, and of other views
#: of the parts that were taught.
FAMILIAR_SHARE = 0.95
#: Of the views that taught a part, every so many-th stands for none: it is such another view.
_SET_ASIDE_EVERY = 3
#: So many views stand for a part.
VIEWS_A_PART = 6
#: One step of a stored feature, in spreads between views of one part.
_STEP = 0.125
_LEAST_SPREAD = 1e-4

Features = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class FamiliarityReference:
    """The reference of one version.

    Attributes:
        weights_sha256: of the weights whose features these are.
        centre, spread: (D,) what is taken from a feature, and what it is divided by.
        examples: (N, D) such features, one row a view.
        limit: distance up to which an image counts as familiar.
        about: what it was made from, in words and numbers; for the card.
    """

    weights_sha256: str
    centre: Features
    spread: Features
    examples: Features
    limit: float
    about: Mapping[str, Any]

    def of(self, appearance: Features) -> Familiarity:
        """How an image looks whose features are (D,)."""
        return Familiarity(round(self.distance(appearance), DECIMALS), round(self.limit, DECIMALS))

    def distance(self, appearance: Features) -> float:
        """From the nearest example: root mean square over the features, in spreads."""
        return _nearest(_scaled(appearance, self.centre, self.spread), self.examples)

    def to_json(self) -> str:
        """The content of the file; `from_json` reads it back."""
        steps = np.clip(np.rint(self.examples / _STEP), -128, 127).astype(np.int8)
        content = {
            "weights_sha256": self.weights_sha256,
            "limit": round(self.limit, DECIMALS),
            "about": dict(self.about),
            "n_features": int(self.examples.shape[1]),
            "centre": base64.b64encode(self.centre.astype("<f2").tobytes()).decode("ascii"),
            "spread": base64.b64encode(self.spread.astype("<f2").tobytes()).decode("ascii"),
            "examples": base64.b64encode(steps.tobytes()).decode("ascii"),
        }
        return json.dumps(content, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The reference in `text`.

        Raises:
            ModelArtefactError: when it is no such file.
        """
        try:
            content = json.loads(text)
            centre, spread = (
                np.frombuffer(base64.b64decode(content[name]), "<f2").astype(np.float32)
                for name in ("centre", "spread")
            )
            steps = np.frombuffer(base64.b64decode(content["examples"]), np.int8)
            examples = steps.reshape(-1, int(content["n_features"])).astype(np.float32) * _STEP
            if not len(examples) or centre.shape != spread.shape or centre.shape != examples.shape[1:]:
                raise ValueError("sizes do not fit")
            return cls(
                str(content["weights_sha256"]),
                centre,
                spread,
                examples,
                float(content["limit"]),
                content["about"],
            )
        except (ValueError, TypeError, KeyError) as error:
            raise ModelArtefactError(f"{FILE}: not a reference of familiar images: {error}") from error


def read_reference(folder: Path, weights_sha256: str) -> FamiliarityReference | None:
    """The reference in the folder of a version with these weights; None where it has none.

    Raises:
        ModelArtefactError: when it is damaged, or made with other weights.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    found = FamiliarityReference.from_json(path.read_text(encoding="utf-8"))
    if found.weights_sha256 != weights_sha256:
        raise ModelArtefactError(
            f"{FILE} was made with weights {found.weights_sha256[:12]}, not {weights_sha256[:12]}"
        )
    return found


def make_reference(
    learnt: Features,
    learnt_parts: Sequence[str],
    calibrating: Features,
    calibrating_parts: Sequence[str],
    *,
    weights_sha256: str,
    about: Mapping[str, Any],
) -> FamiliarityReference:
    """The reference of a version.

    Args:
        learnt: (N, D) features of images that trained it.
        learnt_parts: N names of the parts that they show.
        calibrating: (M, D) features of images that calibrated it and trained nothing.
        calibrating_parts: M names of parts.
        weights_sha256: of its weights.
        about: for the file.

    Raises:
        CalibrationDataError: when there are none of either.
    """
    if not len(learnt) or not len(calibrating):
        raise CalibrationDataError(
            "familiarity takes images that trained the version and images that calibrated it"
        )
    is_aside, names = is_set_aside(learnt_parts), np.asarray(learnt_parts)
    bank, parts = learnt[~is_aside], names[~is_aside].tolist()
    centre, spread = bank.mean(axis=0), _spread(bank, parts)
    scaled = _scaled(bank, centre, spread)
    examples = scaled[_representatives(scaled, parts)]
    found = FamiliarityReference(weights_sha256, centre, spread, examples, 0.0, about)
    found = FamiliarityReference.from_json(found.to_json())  # distances as they are measured later
    limit = max(
        _share_by_part(np.array([found.distance(one) for one in views]), own)
        for views, own in ((calibrating, calibrating_parts), (learnt[is_aside], names[is_aside].tolist()))
        if len(views)
    )
    limit = round(limit, DECIMALS)  # as it is kept
    return FamiliarityReference(weights_sha256, found.centre, found.spread, found.examples, limit, about)


def is_set_aside(parts: Sequence[str]) -> npt.NDArray[np.bool_]:
    """(N,) bool: every third view of each part that has as many, from its second one on."""
    names, aside = np.asarray(parts), np.zeros(len(parts), bool)
    for name in set(parts):
        own = np.flatnonzero(names == name)
        if len(own) >= _SET_ASIDE_EVERY:
            aside[own[1::_SET_ASIDE_EVERY]] = True
    return aside


def _scaled(values: Features, centre: Features, spread: Features) -> Features:
    scaled: Features = ((values - centre) / spread).astype(np.float32)
    return np.clip(scaled, -128 * _STEP, 127 * _STEP)


def _nearest(scaled: Features, examples: Features) -> float:
    return float(np.sqrt(np.square(examples - scaled).mean(axis=1).min()))


def _spread(values: Features, parts: Sequence[str]) -> Features:
    """Between views of one part, root mean square over the parts; never zero."""
    names = np.asarray(parts)
    within = [values[names == name] for name in sorted(set(parts))]
    variances = [one.var(axis=0) for one in within if len(one) > 1] or [values.var(axis=0)]
    spread: Features = np.sqrt(np.mean(variances, axis=0)).astype(np.float32)
    return np.maximum(spread, _LEAST_SPREAD)


def _representatives(scaled: Features, parts: Sequence[str]) -> list[int]:
    """Indices of a few views of each part: the most central, then each the farthest from those before it."""
    names, chosen = np.asarray(parts), []
    for name in sorted(set(parts)):
        own = np.flatnonzero(names == name)
        apart = np.square(scaled[own][:, None] - scaled[own][None]).mean(axis=2)
        picked = [int(apart.sum(axis=1).argmin())]
        while len(picked) < min(VIEWS_A_PART, len(own)):
            picked.append(int(apart[:, picked].min(axis=1).argmax()))
        chosen += [int(own[index]) for index in picked]
    return chosen


def _share_by_part(distances: npt.NDArray[np.float64], parts: Sequence[str]) -> float:
    """The distance that `FAMILIAR_SHARE` of the images do not exceed, each part counting alike."""
    names = np.asarray(parts)
    weights = np.array([1 / np.sum(names == name) for name in parts]) / len(set(parts))
    order = np.argsort(distances)
    reached = np.searchsorted(np.cumsum(weights[order]), FAMILIAR_SHARE - 1e-9)
    return float(distances[order][min(int(reached), len(order) - 1)])
