"""Virtual flaws: simulated flaws superposed on a real, flaw-free stretch of film.

The film itself is the background: its grain, bead, letters and scratches stay. A lost thickness changes the
primary dose behind it, and the density with it, as it would in the simulated weld of `render`; the change is
added to the film, so it has no seam. What cannot be read off the film (exposure, thickness, the density where
the film is lightest) is drawn at random.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np

from core.simulate.exposure import draw_exposure
from core.simulate.fields import Array, log_uniform
from core.simulate.flaws import Flaw, place_flaws
from core.simulate.geometry import WeldGeometry
from core.simulate.kinds import DEFAULT_MIX, FlawKind
from core.simulate.recorder import Film
from core.simulate.seam import find_seam
from core.simulate.truth import Scene, SimulatedFlaw, add_body, find_truth

#: Plates the exposure is drawn for, mm.
_PLATE_MM = (6.0, 25.0)
#: The film is smoothed by this before its density scales a flaw, so that its grain is not multiplied, px.
_SMOOTH_PX = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class VirtualFlaws:
    """A film with virtual flaws.

    Attributes:
        grey: (H, W) float32, 0..1, film polarity.
        truth: every virtual flaw, also the invisible ones.
    """

    grey: Array
    truth: tuple[SimulatedFlaw, ...]


def superpose_flaws(
    film: Array,
    rng: np.random.Generator,
    *,
    mm_per_px: float,
    columns: tuple[int, int] | None = None,
    mix: Mapping[FlawKind, float] = DEFAULT_MIX,
    flaw_groups: float = 6.0,
) -> VirtualFlaws:
    """The film with flaws in its seam.

    Args:
        film: (H, W) float32, grey 0..1, linear in density, more metal is brighter.
        rng: of everything that is drawn.
        mm_per_px: pixel pitch.
        columns: first and behind-last column that flaws may lie in, None for the whole width.
        mix: relative frequency of each kind of flaw.
        flaw_groups: mean number of flaws and flaw groups on 100 mm of seam (Poisson).

    Raises:
        ValueError: when the film is too small to show a seam or no column is left.
    """
    first, last = columns or (0, film.shape[1])
    if not 0 <= first < last <= film.shape[1]:
        raise ValueError(f"no columns {first} to {last} on a film of {film.shape[1]}")
    centre, half_width = find_seam(film)
    plate_mm = log_uniform(rng, *_PLATE_MM)
    part = np.ascontiguousarray(film[:, first:last], np.float32)
    weld = WeldGeometry(
        thickness_mm=np.full(part.shape, plate_mm, np.float32),
        centre=centre[first:last],
        half_width=half_width[first:last],
        root_half_width=0.3 * float(half_width[0]),
        plate_mm=plate_mm,
        mm_per_px=mm_per_px,
    )
    count = int(rng.poisson(flaw_groups * (last - first) * mm_per_px / 100))
    flaws = [flaw for flaw in place_flaws(rng, weld, mix=mix, count=count) if _is_whole(flaw, part.shape)]
    if not flaws:
        return VirtualFlaws(film.astype(np.float32), ())
    scene = _scene(part, weld, rng)
    grey = film.astype(np.float32, copy=True)
    grey[:, first:last] -= _change(flaws, scene)
    np.clip(grey, 0, 1, out=grey)
    truth = [_moved(entry, first) for flaw in flaws for entry in find_truth(flaw, scene)]
    return VirtualFlaws(grey, tuple(truth))


def _is_whole(flaw: Flaw, shape: tuple[int, ...]) -> bool:
    """True when all of it lies in the picture: a flaw cut by the end of the stretch would show a seam."""
    x0, y0, x1, y1 = flaw.extent()
    return x0 >= 0 and y0 >= 0 and x1 <= shape[1] and y1 <= shape[0]


def _scene(film: Array, weld: WeldGeometry, rng: np.random.Generator) -> Scene:
    """A scene whose dose gives the film's own grey values: grey = lightest - dose, in units of its span."""
    lightest = np.float32(1 + rng.uniform(0.05, 0.5))
    smooth = np.asarray(cv2.GaussianBlur(film, (0, 0), _SMOOTH_PX), np.float32)
    dose = lightest - smooth
    exposure = draw_exposure(rng, weld.plate_mm)
    source = dose / (exposure.primary(weld.thickness_mm) * np.float32(1 + exposure.scatter_ratio))
    return Scene(weld.thickness_mm, source, dose, exposure, _recorder(film, dose, lightest), weld.mm_per_px)


def _recorder(film: Array, dose: Array, lightest: np.float32) -> Film:
    """The film as a recorder, its granularity measured on it: the spread of neighbours' differences."""
    step = np.abs(np.diff(film, axis=1)[::4, ::4])
    deviation = 1.4826 * float(np.median(step)) / math.sqrt(2)
    density = float(np.mean(dose[::8, ::8]))
    return Film(
        density_per_dose=1.0,
        fog=0.0,
        darkest=float(lightest),
        lightest=float(lightest) - 1,
        granularity=max(deviation, 1e-3) / math.sqrt(0.5 * density),
        fine_px=0.9,
        coarse_px=2.0,
        coarse_share=0.3,
    )


def _change(flaws: list[Flaw], scene: Scene) -> Array:
    """(H, W) float32: how much darker each pixel becomes."""
    loss = np.zeros_like(scene.thickness_mm)
    for flaw in flaws:
        for body in flaw.bodies:
            add_body(loss, body, 0, 0)
    left = np.maximum(scene.thickness_mm - loss, np.float32(0))
    change = (scene.exposure.primary(left) - scene.exposure.primary(scene.thickness_mm)) * scene.source
    return scene.exposure.blurred(np.asarray(change, np.float32), scene.mm_per_px)


def _moved(entry: SimulatedFlaw, columns: int) -> SimulatedFlaw:
    x1, y1, x2, y2 = entry.bbox
    return replace(entry, bbox=(x1 + columns, y1, x2 + columns, y2))
