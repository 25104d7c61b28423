"""The script that MLflow stores with each model version and runs to load it (model from code).

It runs where only the packed part of `core` and the pinned packages are; see `core.registry.packing`.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from core.calibrate.calibrator import calibrator_from
from core.domain.radiograph import Polarity
from core.engine.detector import SCORE_FLOOR, Detector, Request
from core.engine.merging import SUPPORT_SHARE
from core.engine.second_stage import SecondStage
from core.imaging.normalise import normalise
from core.imaging.read import read_radiograph, read_radiograph_file
from core.registry.artefact import GROUPS, read_artefact

COLUMNS = ("image", "x1", "y1", "x2", "y2", "class", "score", "probability", "claim")


class IndicationModel(PythonModel):
    """Radiographs in, one DataFrame of boxes out: the boxes that the workbench shows."""

    # MLflow would make a table of an input whose type it knows, so `predict` names none; this keeps it from
    # saying at every registration that it should
    _skip_type_hint_validation = True

    def load_context(self, context: PythonModelContext) -> None:
        """Read weights, calibration and second stage from the artefact folder of the version."""
        self._artefact = read_artefact(Path(context.artifacts["artefact"]))
        self._detector = Detector.load(self._artefact.weights, device="cpu")
        groups = self._artefact.folder / GROUPS
        self._second_stage = SecondStage.load(groups) if groups.is_file() else None
        record = self._artefact.calibration
        self._calibrator = calibrator_from(record.method, record.parameters)

    def predict(  # type: ignore[no-untyped-def]
        self, context, model_input, params=None
    ) -> pd.DataFrame:
        """One row a box: `image` counts from 0, xyxy px, class, raw score, calibrated probability, claim.

        Args:
            context: of MLflow.
            model_input: one radiograph or several: (H, W) or (N, H, W) arrays of uint8, uint16 or floats,
                paths, the bytes of files, or a list or a one-column DataFrame of these.
            params: `min_probability` (0..1), and `polarity` ("film", "digital" or "unknown") of radiographs
                that do not say.

        Raises:
            ValueError: something is no radiograph.
            UnreadableImageError: a file cannot be read.
        """
        wanted: dict[str, Any] = {"min_probability": 0.0, "polarity": Polarity.UNKNOWN.value}
        wanted |= params or {}
        rows: list[dict[str, Any]] = []
        for number, one in enumerate(listed(model_input)):
            found = self._detect(*pixels_of(one, Polarity(wanted["polarity"])))
            rows += [{"image": number} | box for box in found]
        frame = pd.DataFrame(rows, columns=list(COLUMNS))
        kept = frame[frame["probability"] >= float(wanted["min_probability"])].reset_index(drop=True)
        numbers = dict.fromkeys(COLUMNS[1:5] + COLUMNS[6:8], "float64")
        return kept.astype({"image": "int64", **numbers, "class": "object", "claim": "object"})

    def _detect(self, pixels: Any, polarity: Polarity) -> list[dict[str, Any]]:
        image = normalise(pixels, polarity=polarity, model_polarity=self._artefact.polarity)
        cut = self._artefact.calibration.score_cut
        request = Request(image, max(SUPPORT_SHARE * cut, SCORE_FLOOR))
        found = self._detector.detect_many([request])[0].above(cut)
        probabilities = self._calibrator.probability(found.scores)
        if self._second_stage is not None:
            found = self._second_stage.claimed(image, found)
        claims = found.claims or (None,) * len(found)
        boxes = zip(found.boxes.tolist(), found.classes, found.scores, probabilities, claims, strict=True)
        return [
            dict(zip(COLUMNS[1:5], box, strict=True))
            | {"class": str(label), "score": float(score), "probability": float(probability)}
            | {"claim": "" if claim is None else json.dumps(claim.to_dict())}
            for box, label, score, probability, claim in boxes
        ]


def listed(model_input: Any) -> Iterable[Any]:
    """The single radiographs of an input."""
    if isinstance(model_input, pd.DataFrame):
        return list(model_input.iloc[:, 0])
    if isinstance(model_input, str | bytes | Path):
        return [model_input]
    if isinstance(model_input, list | tuple) and model_input and _is_nested(model_input[0]):
        model_input = np.asarray(model_input)  # numbers from JSON
    if isinstance(model_input, np.ndarray) and model_input.ndim == 2 and model_input.dtype != object:
        return [model_input]
    return list(model_input)


def pixels_of(one: Any, polarity: Polarity) -> tuple[Any, Polarity]:
    """(H, W) pixels at their depth, and their polarity.

    Raises:
        ValueError: it is no radiograph.
        UnreadableImageError: the file cannot be read.
    """
    if isinstance(one, str | Path):
        read = read_radiograph_file(Path(one), polarity=polarity)
        return read.pixels, read.polarity
    if isinstance(one, bytes):
        read = read_radiograph(one, polarity=polarity)
        return read.pixels, read.polarity
    array = np.asarray(one)
    if array.ndim != 2 or array.dtype.kind not in "uif" or not array.size:
        raise ValueError(
            f"expected a path, the bytes of a file or an (H, W) array of numbers, got {type(one).__name__} "
            f"of shape {array.shape} and type {array.dtype}"
        )
    if array.dtype.kind == "f":
        return array.astype(np.float32), polarity
    if array.dtype in (np.uint8, np.uint16):
        return array, polarity
    if array.min() < 0 or array.max() > np.iinfo(np.uint16).max:
        raise ValueError(f"expected whole numbers of 0 to 65535, got {array.min()} to {array.max()}")
    return array.astype(np.uint16), polarity


def _is_nested(one: Any) -> bool:
    return isinstance(one, list) and bool(one)


set_model(IndicationModel())
