"""Flaws as bodies placed in the seam."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from core.simulate.cavities import (
    clustered_porosity,
    elongated_cavity,
    gas_pore,
    linear_porosity,
    uniform_porosity,
    wormhole,
)
from core.simulate.gaps import (
    lack_of_fusion,
    lack_of_penetration,
    longitudinal_crack,
    transverse_crack,
    undercut,
)
from core.simulate.geometry import WeldGeometry
from core.simulate.inclusions import slag_inclusion, slag_line, tungsten_inclusion
from core.simulate.kinds import FlawKind
from core.simulate.shapes import Body

#: Makers of the bodies of one flaw of each kind somewhere in the weld.
MAKERS: Mapping[FlawKind, Callable[[np.random.Generator, WeldGeometry], list[Body]]] = MappingProxyType(
    {
        FlawKind.GAS_PORE: gas_pore,
        FlawKind.UNIFORM_POROSITY: uniform_porosity,
        FlawKind.CLUSTERED_POROSITY: clustered_porosity,
        FlawKind.LINEAR_POROSITY: linear_porosity,
        FlawKind.ELONGATED_CAVITY: elongated_cavity,
        FlawKind.WORMHOLE: wormhole,
        FlawKind.LONGITUDINAL_CRACK: longitudinal_crack,
        FlawKind.TRANSVERSE_CRACK: transverse_crack,
        FlawKind.SLAG_INCLUSION: slag_inclusion,
        FlawKind.SLAG_LINE: slag_line,
        FlawKind.TUNGSTEN_INCLUSION: tungsten_inclusion,
        FlawKind.LACK_OF_PENETRATION: lack_of_penetration,
        FlawKind.LACK_OF_FUSION: lack_of_fusion,
        FlawKind.UNDERCUT: undercut,
    }
)
_TRIES = 4


@dataclass(frozen=True, slots=True, eq=False)
class Flaw:
    """One flaw or group of flaws of a kind: all its bodies."""

    kind: FlawKind
    bodies: tuple[Body, ...]

    def extent(self) -> tuple[int, int, int, int]:
        """x0, y0, x1, y1 around all bodies, px; may reach beyond the radiograph."""
        return (
            min(b.x0 for b in self.bodies),
            min(b.y0 for b in self.bodies),
            max(b.x0 + b.loss_mm.shape[1] for b in self.bodies),
            max(b.y0 + b.loss_mm.shape[0] for b in self.bodies),
        )


def place_flaws(
    rng: np.random.Generator, geometry: WeldGeometry, *, mix: Mapping[FlawKind, float], count: int
) -> list[Flaw]:
    """Up to `count` flaws of kinds drawn from `mix`, their surroundings not overlapping.

    A radiograph tends to one family of flaws, as real ones do: half of the draws repeat the first kind.
    """
    kinds = [kind for kind, weight in mix.items() if weight > 0]
    weights = np.array([mix[kind] for kind in kinds], np.float64)
    height, width = geometry.thickness_mm.shape
    placed: list[Flaw] = []
    lead: FlawKind | None = None
    repeats = rng.uniform(0.0, 0.8)
    for _ in range(count):
        kind = kinds[int(rng.choice(len(kinds), p=weights / weights.sum()))]
        kind = lead if lead is not None and rng.random() < repeats else kind
        lead = lead or kind
        for _ in range(_TRIES):
            bodies = tuple(b for b in MAKERS[kind](rng, geometry) if _is_inside(b, width, height))
            if bodies and not any(_overlap(Flaw(kind, bodies), other) for other in placed):
                placed.append(Flaw(kind, bodies))
                break
    return placed


def _is_inside(body: Body, width: int, height: int) -> bool:
    h, w = body.loss_mm.shape
    return body.x0 + w > 2 and body.y0 + h > 2 and body.x0 < width - 2 and body.y0 < height - 2


def _overlap(a: Flaw, b: Flaw) -> bool:
    ax0, ay0, ax1, ay1 = a.extent()
    bx0, by0, bx1, by1 = b.extent()
    return ax0 < bx1 and bx0 < ax1 and ay0 < by1 and by0 < ay1
