"""`python -m core.training.fuse RUN --seed S`: fits the fusion of boxes and outlines into a run's weights.

Both are weighed by how often each is right on simulated welds that train nothing, so no real film is spent on
it: those stay for calibration.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from safetensors.torch import load_file, save_file

from core.calibrate.fusion_fit import fit_fusion, known_outcomes
from core.domain.errors import ModelArtefactError
from core.domain.radiograph import Polarity
from core.engine.detector import SCORE_FLOOR, Detector, Request, read_network
from core.engine.fusion import Candidates, Fusion
from core.engine.indications import Sighting, paired
from core.engine.tiling import BANDS, TILES
from core.imaging.normalise import normalise
from core.simulate.config import SimulationConfig
from core.simulate.kinds import mix_with
from core.simulate.render import simulate_weld
from core.training.command import exit_code

_WEIGHTS = "weights.safetensors"
#: Linear flaws come more often than by default: few films hold enough of them to weigh a piece without a box.
MIX: Mapping[str, float] = {
    "longitudinal crack": 4,
    "transverse crack": 3,
    "lack of penetration": 2,
    "lack of fusion": 2,
}


class Looks(Protocol):
    """A detector before its heads are brought together."""

    @property
    def polarity(self) -> Polarity:
        """The polarity of the images it wants."""

    def look_at(self, requests: Sequence[Request]) -> list[Sighting]:
        """The output of both heads for each request."""


def fuse(run: Path, *, seed: int, count: int) -> Path:
    """The weights of `run`, with the fusion in their header, and the way that films are cut from now on.

    Args:
        run: folder with `weights.safetensors`.
        seed: of the first simulated weld; neither it nor one of the next may have trained the run.
        count: of simulated welds.

    Raises:
        ModelArtefactError: when the weights cannot be used, or have no mask head.
        CalibrationDataError: when the welds show too little to fit.
    """
    path = run / _WEIGHTS
    network, header = read_network(path)
    if network.mask is None:
        raise ModelArtefactError(f"{path} has no mask head, so there is nothing to fuse")
    header |= {TILES: BANDS}
    header["fusion"] = fitted(Detector.load(path), seed=seed, count=count).to_json()
    save_file(load_file(path), path, header)
    return path


def fitted(detector: Looks, *, seed: int, count: int) -> Fusion:
    """The fusion that fits `count` simulated welds from `seed` on."""
    config = SimulationConfig(mix=mix_with(MIX))
    candidates: list[Candidates] = []
    outcomes: list[npt.NDArray[np.bool_]] = []
    for number in range(seed, seed + count):
        made = simulate_weld(number, config)
        image = normalise(made.pixels, polarity=made.polarity, model_polarity=detector.polarity)
        (sighting,) = detector.look_at([Request(image, SCORE_FLOOR)])
        boxes = np.array([flaw.bbox for flaw in made.truth], np.float32).reshape(-1, 4)
        is_seen = np.array([flaw.visible for flaw in made.truth], np.bool_)
        found, _ = paired(sighting)
        is_true, known = known_outcomes(found, boxes[is_seen], boxes[~is_seen])
        candidates.append(found.take(known))
        outcomes.append(is_true[known])
    return fit_fusion(candidates, outcomes)


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 done, 2 bad input."""
    parser = argparse.ArgumentParser(prog="python -m core.training.fuse", description=__doc__)
    parser.add_argument("run", type=Path, help="folder of a training run")
    parser.add_argument("--seed", type=int, required=True, help="of the first simulated weld")
    parser.add_argument("--count", type=int, default=40, help="simulated welds")
    options = parser.parse_args(arguments)
    return exit_code(lambda: fuse(options.run, seed=options.seed, count=options.count))


if __name__ == "__main__":
    sys.exit(main())
