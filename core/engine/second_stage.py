"""The second stage: what group and type an indication of a weld looks like.

A small network on the features of `core.engine.look_features` says how likely each look is. What it says is
turned into a reliability: how often it was right where group and type are known.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from core.domain.detections import Detections, FloatArray
from core.domain.errors import ModelArtefactError
from core.domain.flaw_group import UNCLASSIFIED, FlawGroup, GroupClaim, TypeHint
from core.domain.indication import IndicationClass
from core.domain.radiograph import Polarity
from core.engine.look_features import FEATURES, look_features
from core.engine.seam_view import seam_of

Floats = npt.NDArray[np.float64]
#: Standardised features are kept within so many standard deviations.
_FURTHEST = 4.0
_SMALLEST_SHARE = 1e-4
_WORST_HINT = 0.05


class Look(StrEnum):
    """What the second stage tells apart: a type as it looks in one group."""

    POROSITY = "porosity"
    SLAG = "slag"
    CRACK = "crack"
    LACK_OF_FUSION = "lack of fusion"
    LACK_OF_PENETRATION = "lack of penetration"
    ELONGATED_SLAG = "elongated slag"
    UNDERCUT = "undercut"
    TUNGSTEN = "tungsten"

    @property
    def group(self) -> FlawGroup:
        """The group that it belongs to."""
        return _GROUP_AND_TYPE[self][0]

    @property
    def indication_class(self) -> IndicationClass:
        """The type that it hints at."""
        return _GROUP_AND_TYPE[self][1]


_GROUP_AND_TYPE = {
    Look.POROSITY: (FlawGroup.ROUNDED, IndicationClass.POROSITY),
    Look.SLAG: (FlawGroup.ROUNDED, IndicationClass.INCLUSION),
    Look.CRACK: (FlawGroup.LINEAR, IndicationClass.CRACK),
    Look.LACK_OF_FUSION: (FlawGroup.LINEAR, IndicationClass.LACK_OF_FUSION),
    Look.LACK_OF_PENETRATION: (FlawGroup.LINEAR, IndicationClass.LACK_OF_PENETRATION),
    Look.ELONGATED_SLAG: (FlawGroup.LINEAR, IndicationClass.INCLUSION),
    Look.UNDERCUT: (FlawGroup.EDGE, IndicationClass.UNDERCUT),
    Look.TUNGSTEN: (FlawGroup.DENSE, IndicationClass.INCLUSION),
}
LOOKS, GROUPS = tuple(Look), tuple(FlawGroup)
#: (looks, groups) 1 where a look belongs to a group.
MEMBERSHIP: Floats = np.array([[float(look.group is group) for group in GROUPS] for look in LOOKS])


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """An affine layer: (inputs, outputs) weights and (outputs,) bias."""

    weights: Floats
    bias: Floats


@dataclass(frozen=True, slots=True)
class Reliability:
    """From the share of the network to how often it was right: logistic in its log-odds."""

    slope: float
    intercept: float

    def of(self, share: float) -> float:
        """0 to 1."""
        share = min(max(share, _SMALLEST_SHARE), 1 - _SMALLEST_SHARE)
        return 1 / (1 + math.exp(-self.slope * math.log(share / (1 - share)) - self.intercept))


@dataclass(frozen=True, slots=True, eq=False)
class SecondStage:
    """The second stage of one model version.

    Attributes:
        centre, spread: (F,) of the features.
        layers: the hidden ones end in a ReLU, the last one gives a logit a look.
        group_reliability: of the group's share.
        type_reliability: of a type's share within its group, given that the group is right.
        least_group, least_type: reliability from which on a group is claimed, and a type as the class.
        fitted_on: one line.
        operating_shares: of each group, and of "unclassified", see `GroupClaim`; 1 where missing.
    """

    centre: Floats
    spread: Floats
    layers: tuple[Layer, ...]
    group_reliability: Reliability
    type_reliability: Reliability
    least_group: float
    least_type: float
    fitted_on: str
    operating_shares: Mapping[str, float] = field(default_factory=dict)

    def shares(self, features: FloatArray) -> Floats:
        """(N, looks) of (N, F) features, each row summing to 1."""
        values = ((features - self.centre) / self.spread).clip(-_FURTHEST, _FURTHEST)
        for layer in self.layers[:-1]:
            values = np.maximum(values @ layer.weights + layer.bias, 0)
        logits = values @ self.layers[-1].weights + self.layers[-1].bias
        grown = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
        result: Floats = grown / grown.sum(axis=1, keepdims=True)
        return result

    def claimed(self, image: FloatArray, found: Detections) -> Detections:
        """The detections of a normalised image (H, W), more metal brighter, with claims and their classes."""
        features = look_features(image, found, seam_of(image, Polarity.FILM))
        claims = tuple(self.claim(shares) for shares in self.shares(features))
        return replace(found, claims=claims, classes=tuple(self.class_of(claim) for claim in claims))

    def claim(self, shares: Floats) -> GroupClaim:
        """The claim of one row of `shares`."""
        by_group = shares @ MEMBERSHIP
        best = int(by_group.argmax())
        reliability = self.group_reliability.of(float(by_group[best]))
        if reliability < self.least_group:
            return GroupClaim(None, reliability, (), self.operating_shares.get(UNCLASSIFIED, 1.0))
        within = shares * MEMBERSHIP[:, best] / max(float(by_group[best]), 1e-9)
        hints = [
            TypeHint(look.indication_class, reliability * self._type_reliability(look, float(share)))
            for look, share in zip(LOOKS, within, strict=True)
            if look.group is GROUPS[best]
        ]
        ranked = sorted(hints, key=lambda hint: -hint.reliability)
        return GroupClaim(
            GROUPS[best],
            reliability,
            tuple(hint for hint in ranked if hint.reliability >= _WORST_HINT),
            self.operating_shares.get(GROUPS[best].value, 1.0),
        )

    def _type_reliability(self, look: Look, share: float) -> float:
        """1 where the group has no other type."""
        is_alone = MEMBERSHIP[:, GROUPS.index(look.group)].sum() == 1
        return 1.0 if is_alone else self.type_reliability.of(share)

    def class_of(self, claim: GroupClaim) -> IndicationClass:
        """The likeliest type where it is reliable enough, else unclassified."""
        if claim.types and claim.types[0].reliability >= self.least_type:
            return claim.types[0].indication_class
        return IndicationClass.UNCLASSIFIED

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON; `load` reads it back."""
        return {
            "looks": [look.value for look in LOOKS],
            "features": list(FEATURES),
            "centre": _rounded(self.centre),
            "spread": _rounded(self.spread),
            "layers": [{"weights": _rounded(one.weights), "bias": _rounded(one.bias)} for one in self.layers],
            "group_reliability": [self.group_reliability.slope, self.group_reliability.intercept],
            "type_reliability": [self.type_reliability.slope, self.type_reliability.intercept],
            "least_group": self.least_group,
            "least_type": self.least_type,
            "fitted_on": self.fitted_on,
            "operating_shares": dict(self.operating_shares),
        }

    @classmethod
    def load(cls, path: Path) -> Self:
        """The second stage in a file.

        One that was fitted before some features existed gives them no weight.

        Raises:
            ModelArtefactError: it is damaged, or of other features or looks than these.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            known, looks = content["features"], [look.value for look in LOOKS]
            is_ordered = known == [name for name in FEATURES if name in known]
            if not known or not is_ordered or content["looks"] != looks:
                raise ModelArtefactError(f"{path.parent.name}/{path.name} is of another second stage")
            at = np.array([FEATURES.index(name) for name in known])
            layers = [
                Layer(np.array(one["weights"], np.float64), np.array(one["bias"], np.float64))
                for one in content["layers"]
            ]
            layers[0] = replace(layers[0], weights=_spread_out(layers[0].weights, at, 0.0))
            return cls(
                centre=_spread_out(np.array(content["centre"], np.float64), at, 0.0),
                spread=_spread_out(np.array(content["spread"], np.float64), at, 1.0),
                layers=tuple(layers),
                group_reliability=Reliability(*map(float, content["group_reliability"])),
                type_reliability=Reliability(*map(float, content["type_reliability"])),
                least_group=float(content["least_group"]),
                least_type=float(content["least_type"]),
                fitted_on=str(content["fitted_on"]),
                operating_shares={str(k): float(v) for k, v in content["operating_shares"].items()},
            )
        except (OSError, KeyError, IndexError, TypeError, ValueError) as error:
            raise ModelArtefactError(f"cannot read {path.parent.name}/{path.name}: {error}") from error


def _spread_out(values: Floats, at: npt.NDArray[np.intp], fill: float) -> Floats:
    """(features, ...) the values (known, ...) at their places, `fill` elsewhere."""
    result: Floats = np.full((len(FEATURES), *values.shape[1:]), fill, np.float64)
    result[at] = values
    return result


def _rounded(values: Floats) -> list[Any]:
    """Lists of numbers of four significant digits: more than a 16-bit weight has."""
    if values.ndim > 1:
        return [_rounded(row) for row in values]
    return [float(f"{value:.4g}") for value in values]
