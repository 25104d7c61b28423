"""The radiographs that ship as samples, and `python -m core.simulate.samples` which makes them again."""

import argparse
import hashlib
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from core.domain.radiograph import Polarity
from core.simulate.config import SimulationConfig
from core.simulate.dataset import TRUTH_FILE, coco_truth, encode_png
from core.simulate.diconde import encode_diconde
from core.simulate.kinds import DEFAULT_MIX, FlawKind
from core.simulate.render import SimulatedRadiograph, simulate_weld

logger = logging.getLogger(__name__)

COMMAND = "python -m core.simulate.samples --out data"
_LICENCE = "CC0-1.0 (simulated by this project; the program that made it is Apache-2.0)"


@dataclass(frozen=True, slots=True)
class SampleRecipe:
    """Recipe of one sample.

    Attributes:
        file: name of the file; `.dcm` is written as DICONDE, everything else as PNG.
        title: what is on it, in a few words.
        seed: of the simulation.
        kinds: what may occur; None is the usual mix, empty is flaw-free.
        flaw_groups: mean number of flaws and flaw groups on 100 mm of seam.
        polarity: film or digital.
        size_px: width and height.
        bit_depth: significant bits.
        furniture: whether letters, wires and film edges may occur.
    """

    file: str
    title: str
    seed: int
    kinds: tuple[FlawKind, ...] | None = None
    flaw_groups: float = 6.0
    polarity: Polarity = Polarity.FILM
    size_px: tuple[int, int] = (1600, 600)
    bit_depth: int = 12
    furniture: bool = field(default=True)

    def config(self) -> SimulationConfig:
        """The settings for `simulate_weld`."""
        kinds = tuple(DEFAULT_MIX) if self.kinds is None else self.kinds
        mix = {kind: DEFAULT_MIX[kind] if self.kinds is None else 1.0 for kind in kinds}
        return SimulationConfig(
            width_px=self.size_px[0],
            height_px=self.size_px[1],
            mm_per_px=(0.038, 0.06),
            plate_mm=(8.0, 20.0),
            polarities=(self.polarity,),
            bit_depths=(self.bit_depth,),
            mix=mix or DEFAULT_MIX,
            flaw_groups=self.flaw_groups if kinds else 0.0,
            has_furniture=self.furniture,
        )

    def render(self) -> SimulatedRadiograph:
        """The radiograph."""
        return simulate_weld(self.seed, self.config())

    def encode(self, radiograph: SimulatedRadiograph) -> bytes:
        """The bytes of the file."""
        if self.file.endswith(".dcm"):
            return encode_diconde(radiograph, component=Path(self.file).stem.replace("_", "-").upper())
        return encode_png(radiograph)


_K = FlawKind
RECIPES: tuple[SampleRecipe, ...] = (
    SampleRecipe("gas_pores.png", "Single gas pores", 2604, (_K.GAS_PORE,), 12),
    SampleRecipe("porosity_clusters.png", "Clustered porosity", 2602, (_K.CLUSTERED_POROSITY,), 4),
    SampleRecipe("porosity_line.png", "Pores in a line", 2605, (_K.LINEAR_POROSITY,), 3),
    SampleRecipe(
        "worm_holes.png", "Elongated cavities and worm holes", 2607, (_K.WORMHOLE, _K.ELONGATED_CAVITY), 6
    ),
    SampleRecipe("crack_longitudinal.png", "Longitudinal cracks", 2622, (_K.LONGITUDINAL_CRACK,), 3),
    SampleRecipe("cracks_transverse.png", "Transverse cracks", 2605, (_K.TRANSVERSE_CRACK,), 4),
    SampleRecipe("slag.png", "Slag inclusions and a slag line", 2604, (_K.SLAG_INCLUSION, _K.SLAG_LINE), 6),
    SampleRecipe(
        "lack_of_penetration.png", "Lack of penetration at the root", 2604, (_K.LACK_OF_PENETRATION,), 2
    ),
    SampleRecipe("lack_of_fusion.png", "Lack of fusion at the side wall", 2606, (_K.LACK_OF_FUSION,), 3),
    SampleRecipe("mixed_flaws.png", "Several kinds of flaw, letters and wires", 2601, None, 10),
    SampleRecipe("no_flaw.png", "A sound weld", 2606, ()),
    SampleRecipe(
        "digital_detector.png",
        "Flat panel: less metal is brighter",
        2601,
        None,
        10,
        Polarity.DIGITAL,
        (1400, 600),
    ),
    SampleRecipe(
        "panel_cracks.dcm",
        "DICONDE file of a flat panel: longitudinal cracks",
        2607,
        (_K.LONGITUDINAL_CRACK,),
        8,
        Polarity.DIGITAL,
        (1024, 512),
        14,
    ),
)


def write_samples(out: Path, recipes: Sequence[SampleRecipe] = RECIPES) -> Path:
    """Path of the `dataset_card.yaml` in `out`, beside `samples/` with the radiographs and their truth.json.

    Raises:
        OSError: when the folder cannot be written.
    """
    folder = out / "samples"
    folder.mkdir(parents=True, exist_ok=True)
    rendered = []
    entries = []
    for recipe in recipes:
        radiograph = recipe.render()
        content = recipe.encode(radiograph)
        (folder / recipe.file).write_bytes(content)
        rendered.append((recipe.file, radiograph))
        entries.append(_card_entry(recipe, radiograph, content))
        logger.info("%s: %d bytes, %d flaws", recipe.file, len(content), len(radiograph.truth))
    truth = json.dumps(coco_truth(rendered), separators=(",", ":"))
    (folder / TRUTH_FILE).write_text(truth + "\n", encoding="utf-8")
    card = out / "dataset_card.yaml"
    card.write_text(
        yaml.safe_dump(_card(entries), sort_keys=False, width=110, allow_unicode=True), encoding="utf-8"
    )
    return card


def _card(entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "samples": {
            "title": "Simulated weld radiographs",
            "licence": _LICENCE,
            "folder": "samples",
            "truth": f"samples/{TRUTH_FILE}",
            "regenerate": COMMAND,
            "how": "Beer-Lambert attenuation through a random butt weld with flaws of known size, scatter, "
            "unsharpness, noise and a digitiser; see core/simulate. No picture is taken from a real part.",
            "limits": "Made for demonstration, tests and training; nothing about detecting real flaws "
            "follows from them.",
            "files": entries,
        }
    }


def _card_entry(recipe: SampleRecipe, radiograph: SimulatedRadiograph, content: bytes) -> dict[str, Any]:
    height, width = radiograph.pixels.shape
    return {
        "file": recipe.file,
        "title": recipe.title,
        "model": "weld",
        "contents": dict(_counts(radiograph)),
        "flaws": len(radiograph.truth),
        "visible_flaws": sum(flaw.visible for flaw in radiograph.truth),
        "polarity": str(radiograph.polarity),
        "mm_per_px": round(radiograph.mm_per_px, 5),
        "plate_mm": round(radiograph.plate_mm, 2),
        "width": width,
        "height": height,
        "bit_depth": radiograph.bit_depth,
        "seed": recipe.seed,
        "licence": "CC0-1.0",
        "sha256": hashlib.sha256(content).hexdigest(),
        "pixels_sha256": pixels_sha256(radiograph),
    }


def pixels_sha256(radiograph: SimulatedRadiograph) -> str:
    """Digest of the pixel values, little-endian, row by row: independent of the file format."""
    return hashlib.sha256(radiograph.pixels.astype("<u2").tobytes()).hexdigest()


def _counts(radiograph: SimulatedRadiograph) -> Iterator[tuple[str, int]]:
    kinds = [str(flaw.kind) for flaw in radiograph.truth]
    for kind in sorted(set(kinds)):
        yield kind, kinds.count(kind)


def main(arguments: Sequence[str] | None = None) -> None:
    """Writes the samples; `--out` is the folder that gets dataset_card.yaml and samples/."""
    parser = argparse.ArgumentParser(description="Make the shipped sample radiographs again.")
    parser.add_argument("--out", type=Path, required=True, help="folder, e.g. data")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    write_samples(parser.parse_args(arguments).out)


if __name__ == "__main__":
    main()
