"""Fits the second stage from examples with a known look and from cells of films that bear only codes.

A recorded cell holds at least one indication of its code. So a bag of reports is taught by the chance that
at least one of them has the recorded look (noisy or, as Viola, Platt and Zhang 2005 do with their bags), and
each of them that its group is a recorded one or rounded: single pores often went unrecorded.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from core.calibrate.logistic import fit_logistic, log_odds
from core.domain.flaw_group import FlawGroup
from core.engine.look_features import FEATURES
from core.engine.second_stage import GROUPS, LOOKS, MEMBERSHIP, Floats, Layer, Look, Reliability, SecondStage

#: Of the hidden layer, of training.
_HIDDEN, _STEPS, _RATE, _DECAY, _DROP = 12, 160, 0.01, 0.3, 0.1
#: So many networks of other first weights are averaged; their seeds lie so far apart.
_NETWORKS, _APART = 3, 100
#: Shape and place count by so much beside what the first stage says of the class.
_LEANING = 0.5
_FURTHEST = 4.0
#: Weight of all bags beside all examples, and of the groups that may stand in a cell beside its look.
BAG_WEIGHT, _ALLOWED_WEIGHT = 0.5, 0.3
#: Below these reliabilities no group is claimed, and no type taken as the class.
LEAST_GROUP, LEAST_TYPE = 0.6, 0.6

_LOOK_OF_CODE = (
    ("3011", Look.ELONGATED_SLAG),
    ("304", Look.TUNGSTEN),
    ("30", Look.SLAG),
    ("1", Look.CRACK),
    ("20", Look.POROSITY),
    ("401", Look.LACK_OF_FUSION),
    ("402", Look.LACK_OF_PENETRATION),
    ("501", Look.UNDERCUT),
)


@dataclass(frozen=True, slots=True, eq=False)
class Bag:
    """The reports that reach a recorded cell.

    Attributes:
        rows: of the features.
        look: index of the recorded look.
        groups: that are recorded in the cell or beside it.
    """

    rows: npt.NDArray[np.intp]
    look: int
    groups: frozenset[FlawGroup]


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """What training gives, before reliabilities."""

    centre: Floats
    spread: Floats
    layers: tuple[Layer, ...]

    def as_stage(
        self,
        group: Reliability = Reliability(1.0, 0.0),  # noqa: B008  # frozen
        within: Reliability = Reliability(1.0, 0.0),  # noqa: B008  # frozen
        fitted_on: str = "",
    ) -> SecondStage:
        """The second stage with these reliabilities."""
        return SecondStage(
            self.centre, self.spread, self.layers, group, within, LEAST_GROUP, LEAST_TYPE, fitted_on
        )


def look_of_code(code: str) -> Look | None:
    """The look of an ISO 6520-1 code; None where no look stands for it."""
    return next((look for start, look in _LOOK_OF_CODE if code.startswith(start)), None)


def fit_network(
    features: npt.NDArray[np.float32],
    looks: npt.NDArray[np.int64],
    in_bags: npt.NDArray[np.float32],
    bags: Sequence[Bag],
    *,
    seed: int,
) -> Network:
    """The mean of the logits of `_NETWORKS` networks that fit these, as one network.

    What one network says of a report on film depends on its first weights; the mean depends on them less.

    Args:
        features: (N, F) of reports with a known look.
        looks: (N,) of them.
        in_bags: (M, F) of the reports in bags.
        bags: whose rows count in `in_bags`.
        seed: of the first weights and of what is dropped.
    """
    centre, spread = features.mean(axis=0).astype(np.float64), features.std(axis=0).astype(np.float64)
    spread = np.where(spread > 1e-6, spread, 1.0)
    spread /= np.array([1.0 if name.startswith("class_") else _LEANING for name in FEATURES])
    known, bagged = (_standardised(one, centre, spread) for one in (features, in_bags))
    layout = _layout(bags, len(in_bags))
    nets = [_trained(known, looks, bagged, layout, seed + _APART * number) for number in range(_NETWORKS)]
    return Network(centre, spread, _averaged(nets))


def _trained(
    known: Tensor, looks: npt.NDArray[np.int64], bagged: Tensor, layout: "_Layout | None", seed: int
) -> tuple[Layer, Layer]:
    """The hidden and the last layer of one network."""
    generator = torch.Generator().manual_seed(seed)
    net = _net(known.shape[1], generator)
    target, weight = torch.from_numpy(looks), _balance(looks)
    optimiser = torch.optim.AdamW(net.parameters(), lr=_RATE, weight_decay=_DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, _STEPS)
    for _ in range(_STEPS):
        optimiser.zero_grad(set_to_none=True)
        entropy = nn.functional.cross_entropy(net(_dropped(known, generator)), target, reduction="none")
        loss = (weight * entropy).sum() / weight.sum()
        if layout is not None:
            loss = loss + BAG_WEIGHT * _bag_loss(net(_dropped(bagged, generator)).softmax(dim=1), layout)
        loss.backward()  # type: ignore[no-untyped-call]  # torch has no type for it
        optimiser.step()
        schedule.step()
    hidden, last = (
        Layer(one.weight.detach().numpy().T.astype(np.float64), one.bias.detach().numpy().astype(np.float64))
        for one in net
        if isinstance(one, nn.Linear)
    )
    return hidden, last


def _averaged(nets: Sequence[tuple[Layer, Layer]]) -> tuple[Layer, Layer]:
    """The layers of one network that gives the mean of the logits of all."""
    hidden, last = zip(*nets, strict=True)
    return (
        Layer(
            np.concatenate([one.weights for one in hidden], axis=1),
            np.concatenate([one.bias for one in hidden]),
        ),
        Layer(
            np.concatenate([one.weights for one in last]) / len(nets),
            np.mean([one.bias for one in last], axis=0),
        ),
    )


def with_reliabilities(
    network: Network,
    group: tuple[Floats, npt.NDArray[np.bool_]],
    within: tuple[Floats, npt.NDArray[np.bool_]],
    fitted_on: str,
) -> SecondStage:
    """The second stage whose reliabilities fit these shares and whether they were right."""
    return network.as_stage(fit_reliability(*group), fit_reliability(*within), fitted_on)


def fit_reliability(shares: Floats, is_right: npt.NDArray[np.bool_]) -> Reliability:
    """From shares to how often they were right, by a logistic in their log-odds that never falls.

    Args:
        shares: (N,) of the likeliest group, or type.
        is_right: (N,) whether it was.
    """
    targets = (is_right * (is_right.sum() + 1.0) + ~is_right) / (is_right.sum() + 2.0)
    targets = np.where(is_right, targets, 1 / ((~is_right).sum() + 2.0))
    return Reliability(*fit_logistic(log_odds(shares)[:, None], targets))


def _net(n_features: int, generator: torch.Generator) -> nn.Sequential:
    net = nn.Sequential(nn.Linear(n_features, _HIDDEN), nn.ReLU(), nn.Linear(_HIDDEN, len(LOOKS)))
    for one in net:
        if isinstance(one, nn.Linear):
            nn.init.normal_(one.weight, std=(2 / one.in_features) ** 0.5, generator=generator)
            nn.init.zeros_(one.bias)
    return net


def _standardised(values: npt.NDArray[np.float32], centre: Floats, spread: Floats) -> Tensor:
    return torch.from_numpy(((values - centre) / spread).clip(-_FURTHEST, _FURTHEST).astype(np.float32))


def _dropped(values: Tensor, generator: torch.Generator) -> Tensor:
    """Some features of each row at their mean, so that none is leant on alone."""
    return values * (torch.rand(values.shape, generator=generator) >= _DROP)


def _balance(looks: npt.NDArray[np.int64]) -> Tensor:
    """(N,) weights: a look counts by the root of its frequency."""
    counts = np.bincount(looks, minlength=len(LOOKS)).clip(min=1)
    return torch.from_numpy((1 / np.sqrt(counts))[looks].astype(np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class _Layout:
    """Bags as arrays: `row` and `bag` of each membership, look and group of each bag, allowed groups."""

    row: Tensor
    bag: Tensor
    look: Tensor
    group: Tensor
    weight: Tensor
    allowed: Tensor
    is_bound: Tensor


def _layout(bags: Sequence[Bag], n_rows: int) -> _Layout | None:
    if not bags:
        return None
    look = np.array([bag.look for bag in bags])
    allowed = np.zeros((n_rows, len(GROUPS)), np.float32)
    for bag in bags:
        groups = np.array([GROUPS.index(one) for one in {*bag.groups, FlawGroup.ROUNDED}], np.intp)
        allowed[np.ix_(bag.rows, groups)] = 1
    counts = np.bincount(look, minlength=len(LOOKS)).clip(min=1)
    return _Layout(
        row=torch.from_numpy(np.concatenate([bag.rows for bag in bags])),
        bag=torch.from_numpy(np.repeat(np.arange(len(bags)), [len(bag.rows) for bag in bags])),
        look=torch.from_numpy(look),
        group=torch.from_numpy(MEMBERSHIP[look].argmax(axis=1)),
        weight=torch.from_numpy((1 / np.sqrt(counts))[look].astype(np.float32)),
        allowed=torch.from_numpy(allowed),
        is_bound=torch.from_numpy(allowed.any(axis=1)),
    )


def _bag_loss(shares: Tensor, layout: _Layout) -> Tensor:
    members = torch.from_numpy(MEMBERSHIP.astype(np.float32))
    by_group = shares @ members
    loss = torch.zeros(())
    for values, wanted in ((shares, layout.look), (by_group, layout.group)):
        none = torch.log1p(-values[layout.row, wanted[layout.bag]].clamp(max=1 - 1e-4))
        missed = torch.zeros(len(wanted)).index_add_(0, layout.bag, none)
        found = torch.log(-torch.expm1(missed.clamp(max=-1e-4)))
        loss = loss - 0.5 * (layout.weight * found).sum() / layout.weight.sum()
    inside = (by_group * layout.allowed).sum(dim=1)[layout.is_bound]
    return loss - _ALLOWED_WEIGHT * torch.log(inside.clamp(min=1e-4)).mean()
