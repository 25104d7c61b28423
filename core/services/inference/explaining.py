"""Maps for the detections of a result."""

import threading
from collections import OrderedDict
from collections.abc import Sequence

from torch import Tensor

from core.domain.detections import FloatArray, View
from core.domain.inspection import DetectionResult, HeatMap
from core.domain.radiograph import Polarity
from core.engine.detector import Detector
from core.explain.box_gradcam import explain_on_pyramid
from core.explain.score_at_cell import pyramid_of
from core.services.inference.detecting import DetectService, normalised_for

_KEPT_PYRAMIDS = 2

_Key = tuple[str, str, Polarity, View]


class ExplainService:
    """Per-box Grad-CAM of what `DetectService` reported. Safe to share between threads.

    The pyramids of the last views are kept, so a second box of the same view takes milliseconds.
    """

    def __init__(self, detect: DetectService) -> None:
        self._detect = detect
        self._pyramids: OrderedDict[_Key, Sequence[Tensor]] = OrderedDict()
        self._lock = threading.Lock()

    def explain(self, result: DetectionResult, index: int) -> HeatMap:
        """The map of detection `index` of `result`; see `core.explain.box_gradcam.explain_box`.

        Raises:
            IndexError: when there is no such detection.
            ModelArtefactError: when the model's weights are no longer there.
        """
        if not 0 <= index < len(result.detections):
            raise IndexError(f"detection {index} of {len(result.detections)}")
        detector = self._detect.detector_for(result.model)
        shape = result.radiograph.pixels.shape
        with detector.lock:
            pyramid = self._pyramid(detector, result, result.detections.origins[index].view)
            return explain_on_pyramid(detector, pyramid, result.detections, index, shape)

    def _pyramid(self, detector: Detector, result: DetectionResult, view: View) -> Sequence[Tensor]:
        """The pyramid of one view, kept or run now; under the detector's lock."""
        key = (result.model.sha256, result.radiograph.sha256, result.radiograph.polarity, view)
        with self._lock:
            pyramid = self._pyramids.get(key)
        if pyramid is None:
            image: FloatArray = normalised_for(result.radiograph, result.model)
            pyramid = pyramid_of(detector, image, view)
            with self._lock:
                self._pyramids[key] = pyramid
                while len(self._pyramids) > _KEPT_PYRAMIDS:
                    self._pyramids.popitem(last=False)
        return pyramid
