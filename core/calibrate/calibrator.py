"""The interface of calibrators, and their stored form."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from core.calibrate.beta import Beta, fit_beta
from core.calibrate.isotonic import fit_isotonic, isotonic_from
from core.calibrate.platt import Platt, fit_platt
from core.calibrate.temperature import Temperature, fit_temperature
from core.domain.errors import ModelArtefactError

Scores = npt.NDArray[np.floating[Any]]
Outcomes = npt.NDArray[np.bool_]


class Calibrator(Protocol):
    """A non-decreasing map from raw score to probability."""

    @property
    def method(self) -> str:
        """Its name in the calibration file."""

    @property
    def parameters(self) -> tuple[float, ...]:
        """The fitted parameters."""

    def probability(self, scores: Scores) -> npt.NDArray[np.float32]:
        """(N,) float32 in 0..1 for (N,) scores in 0..1."""


#: Every method, the simplest first: one, two and three parameters, then a table.
FIT: Mapping[str, Callable[[Scores, Outcomes], Calibrator]] = {
    "temperature": fit_temperature,
    "platt": fit_platt,
    "beta": fit_beta,
    "isotonic": fit_isotonic,
}
_PARAMETRIC: Mapping[str, tuple[int, Callable[..., Calibrator]]] = {
    "temperature": (1, Temperature),
    "platt": (2, Platt),
    "beta": (3, Beta),
}


def calibrator_from(method: str, parameters: Sequence[float]) -> Calibrator:
    """The calibrator that `method` and `parameters` of a calibration record describe.

    Raises:
        ModelArtefactError: on an unknown method, a wrong number of parameters, one that is not finite, or an
            isotonic table that falls or leaves 0..1.
    """
    if method not in FIT:
        raise ModelArtefactError(f"unknown calibration method {method!r}; known: {', '.join(FIT)}")
    is_finite = bool(np.isfinite(parameters).all())
    if method == "isotonic" and is_finite:
        try:
            return isotonic_from(tuple(parameters))
        except ValueError as error:
            raise ModelArtefactError(f"calibration 'isotonic': {error}") from error
    expected, make = _PARAMETRIC.get(method, ("pairs of", None))
    if make is None or not is_finite or len(parameters) != expected:
        raise ModelArtefactError(
            f"calibration {method!r} needs {expected} finite parameters, got {list(parameters)}"
        )
    return make(*parameters)
