"""The script that MLflow stores with each model version and runs to load it (model from code)."""

import json
from pathlib import Path
from typing import Any

from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from core.calibrate.calibrator import calibrator_from
from core.engine.detector import Detector
from core.engine.second_stage import SecondStage
from core.imaging.normalise import normalise
from core.imaging.read import read_radiograph_file
from core.registry.artefact import GROUPS, read_artefact


class IndicationModel(PythonModel):
    """Paths of radiographs in, one JSON text an image out: boxes, scores, probabilities and claims."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read weights, calibration and second stage from the artefact folder of the version."""
        self._artefact = read_artefact(Path(context.artifacts["artefact"]))
        self._detector = Detector.load(self._artefact.weights, device="cpu")
        groups = self._artefact.folder / GROUPS
        self._second_stage = SecondStage.load(groups) if groups.is_file() else None
        record = self._artefact.calibration
        self._calibrator = calibrator_from(record.method, record.parameters)

    def predict(
        self, context: PythonModelContext, model_input: list[str], params: dict[str, Any] | None = None
    ) -> list[str]:
        """One JSON list an image, each box with bbox (xyxy px), class, score, probability and claim."""
        return [json.dumps(self._detect(Path(path))) for path in model_input]

    def _detect(self, path: Path) -> list[dict[str, Any]]:
        radiograph = read_radiograph_file(path)
        image = normalise(
            radiograph.pixels, polarity=radiograph.polarity, model_polarity=self._artefact.polarity
        )
        found = self._detector.detect(image).above(self._artefact.calibration.score_cut)
        probabilities = self._calibrator.probability(found.scores)
        if self._second_stage is not None:
            found = self._second_stage.claimed(image, found)
        claims = found.claims or (None,) * len(found)
        return [
            {"bbox": box.tolist(), "class": str(label), "score": float(score), "probability": float(p)}
            | ({} if claim is None else {"claim": claim.to_dict()})
            for box, label, score, p, claim in zip(
                found.boxes, found.classes, found.scores, probabilities, claims, strict=True
            )
        ]


set_model(IndicationModel())
