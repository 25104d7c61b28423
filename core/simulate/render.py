"""A whole simulated weld radiograph with its truth."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.domain.radiograph import Polarity
from core.simulate import furniture, wear
from core.simulate.config import SimulationConfig
from core.simulate.exposure import Exposure, draw_exposure
from core.simulate.fields import Array, log_uniform, smooth_field
from core.simulate.flaws import Flaw, place_flaws
from core.simulate.geometry import WeldGeometry, build_geometry
from core.simulate.recorder import Recorder, draw_detector, draw_film
from core.simulate.truth import Scene, SimulatedFlaw, add_body, find_truth

DEFAULT = SimulationConfig()


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedRadiograph:
    """A simulated radiograph.

    Attributes:
        pixels: (H, W) uint16, 0 .. 2^bit_depth - 1.
        bit_depth: significant bits.
        polarity: film or digital.
        mm_per_px: pixel pitch at the object.
        plate_mm: nominal plate thickness.
        truth: every flaw in the picture, also the invisible ones (`visible` tells).
        seed: what it was made from.
    """

    pixels: npt.NDArray[np.uint16]
    bit_depth: int
    polarity: Polarity
    mm_per_px: float
    plate_mm: float
    truth: tuple[SimulatedFlaw, ...]
    seed: int


def simulate_weld(seed: int, config: SimulationConfig = DEFAULT) -> SimulatedRadiograph:
    """The radiograph of `seed`: the same seed and config give the same radiograph."""
    rng = np.random.default_rng(seed)
    mm_per_px = log_uniform(rng, *config.mm_per_px)
    plate_mm = log_uniform(rng, *config.plate_mm)
    polarity = config.polarities[int(rng.integers(len(config.polarities)))]
    bit_depth = int(rng.choice(config.bit_depths))
    weld = build_geometry(
        rng, height=config.height_px, width=config.width_px, mm_per_px=mm_per_px, plate_mm=plate_mm
    )
    flaws = _draw_flaws(rng, weld, config)
    if config.has_furniture:
        _add_furniture(rng, weld)
    exposure = draw_exposure(rng, plate_mm)
    source = _source(rng, weld, has_edges=config.has_furniture)
    dose = _expose(weld, flaws, exposure, source)
    own = rng if config.recorder_seed is None else np.random.default_rng(config.recorder_seed)
    recorder: Recorder = draw_film(own, dose) if polarity is Polarity.FILM else draw_detector(own, dose)
    scene = Scene(weld.thickness_mm, source, dose, exposure, recorder, mm_per_px)
    truth = tuple(entry for flaw in flaws for entry in find_truth(flaw, scene))
    image = recorder.record(dose, rng)
    if config.has_wear:
        _add_wear(rng, image, mm_per_px, is_film=polarity is Polarity.FILM)
    pixels = _digitise(image, bit_depth)
    return SimulatedRadiograph(pixels, bit_depth, polarity, mm_per_px, plate_mm, truth, seed)


def _draw_flaws(rng: np.random.Generator, weld: WeldGeometry, config: SimulationConfig) -> list[Flaw]:
    if config.flaw_groups == 0:
        return []
    expected = config.flaw_groups * config.width_px * weld.mm_per_px / 100
    count = max(int(rng.poisson(expected)), config.min_groups)
    return place_flaws(rng, weld, mix=config.mix, count=count)


def _add_furniture(rng: np.random.Generator, weld: WeldGeometry) -> None:
    if rng.random() < 0.6:
        furniture.add_wires(rng, weld.thickness_mm, weld)
    for _ in range(int(rng.choice((0, 1, 2), p=(0.5, 0.35, 0.15)))):
        furniture.add_letters(rng, weld.thickness_mm, weld)
    if rng.random() < 0.1:
        furniture.add_ruler(rng, weld.thickness_mm, weld)


def _source(rng: np.random.Generator, weld: WeldGeometry, *, has_edges: bool) -> Array:
    """(H, W) float32: the dose without metal, falling off from the beam's centre, cut by the film's edge."""
    height, width = weld.thickness_mm.shape
    x = (np.arange(width, dtype=np.float32) / width - np.float32(rng.uniform(0.2, 0.8))) ** 2
    y = (np.arange(height, dtype=np.float32) / width - np.float32(0.5 * height / width)) ** 2
    source = 1 / (1 + np.float32(rng.uniform(0.0, 1.2)) * (x + y[:, None]))
    source *= 1 + np.float32(rng.uniform(0, 0.03)) * smooth_field(rng, height, width, 40 / weld.mm_per_px)
    if has_edges and rng.random() < 0.15:
        source *= furniture.edge_shade(rng, height, width, weld.mm_per_px)
    return np.asarray(source, np.float32)


def _expose(weld: WeldGeometry, flaws: list[Flaw], exposure: Exposure, source: Array) -> Array:
    """The dose on the film, scaled to about 1 where it is highest."""
    thickness = weld.thickness_mm
    if flaws:
        loss = np.zeros_like(thickness)
        for flaw in flaws:
            for body in flaw.bodies:
                add_body(loss, body, 0, 0)
        thickness = np.maximum(thickness - loss, np.float32(0.0))
    else:
        thickness = thickness.copy()
    primary = exposure.primary(thickness)
    primary *= source
    dose = exposure.dose(primary, weld.mm_per_px)
    scale = 1 / max(float(np.percentile(dose[::8, ::8], 95)), 1e-9)
    source *= np.float32(scale)
    dose *= np.float32(scale)
    return dose


def _add_wear(rng: np.random.Generator, image: Array, mm_per_px: float, *, is_film: bool) -> None:
    """Random traces of handling; a detector has no film to scratch, but uneven lines."""
    traces = [(wear.add_bands, 0.5), (wear.add_uneven_processing, 0.5), (wear.add_blotches, 0.4)]
    if is_film:
        traces += [(wear.add_scratches, 0.6), (wear.add_dust, 0.6), (wear.add_stains, 0.4)]
    for add, chance in traces:
        if rng.random() < chance:
            add(rng, image, mm_per_px)
    if is_film and rng.random() < 0.35:
        wear.posterise(rng, image)


def _digitise(image: Array, bit_depth: int) -> npt.NDArray[np.uint16]:
    full = (1 << bit_depth) - 1
    image = image * np.float32(full)
    np.clip(image, 0, full, out=image)
    return np.rint(image, out=image).astype(np.uint16)
