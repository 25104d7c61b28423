"""Deletion and insertion: whether the px that a map ranks highest are those that the score hangs on."""

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from core.domain.detections import FloatArray
from core.domain.explanations import Baseline, Curve, Faithfulness, Fill
from core.explain.box_view import BoxView
from core.explain.window_maps import box_gaussian, edges, random_field, smoothed

#: Px that are changed, in areas of the box.
AREAS = (0.0, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0)
#: Both must agree: what a fill itself looks like is then not what is measured.
FILLS = (Fill.MEMBRANE, Fill.THIN_PLATE)
#: Edges of what is changed are blurred by so much: a hard one would be a flaw of its own.
FEATHER_PX = 1.0
#: Random fields whose curves are averaged.
RANDOM_FIELDS = 3


class FaithfulnessTest:
    """Tests maps of one box; the baselines are read once.

    After Petsiuk et al. 2018 (RISE, arXiv 1806.07421) with these differences: the area counts in areas of the
    box and ends at one, as a share of the image says nothing about a flaw of 20 px; what is taken away shows
    the background of the window, by two fills; and all maps and baselines are blurred alike before they rank
    px, as smooth maps change smooth regions, which alone moves the score further.

    Args:
        around: the box.
        seed: of the random fields and of the noise in the fills.

    Attributes:
        full: score of the box with nothing changed.
    """

    def __init__(self, around: BoxView, *, seed: int) -> None:
        self._around = around
        self._backgrounds = {kind: around.without(kind, around.window, seed=seed) for kind in FILLS}
        rng = np.random.default_rng(seed)
        fields = [random_field(around, rng) for _ in range(RANDOM_FIELDS)]
        self.full = float(around.scores([around.pixels])[0])
        self.baselines: dict[Baseline, dict[Fill, Curve]] = {
            Baseline.RANDOM: _mean([self._curves(field) for field in fields]),
            Baseline.GAUSSIAN: self._curves(box_gaussian(around)),
            Baseline.EDGES: self._curves(edges(around)),
        }

    def test(self, values: FloatArray) -> Faithfulness:
        """How a map (h, w) over the window does.

        Args:
            values: as `window_maps.on_window` gives it; ranked after the common blur.
        """
        if not values.any():
            return Faithfulness({}, self.baselines, is_empty=True)
        return Faithfulness(self._curves(values), self.baselines)

    def _curves(self, values: FloatArray) -> dict[Fill, Curve]:
        order = np.argsort(-smoothed(values, self._around), axis=None, kind="stable")
        return {kind: self._curve(order, background) for kind, background in self._backgrounds.items()}

    def _curve(self, order: npt.NDArray[np.intp], background: FloatArray) -> Curve:
        box = self._around.box
        counts = [round(area * float((box[2:] - box[:2]).prod())) for area in AREAS]
        scores = self._around.scores(self._versions(order, counts, background))
        shares = [min(float(score) / max(self.full, 1e-6), 1.0) for score in scores]
        return Curve(AREAS, tuple(shares[: len(counts)]), tuple(shares[len(counts) :]))

    def _versions(
        self, order: npt.NDArray[np.intp], counts: list[int], background: FloatArray
    ) -> Iterator[FloatArray]:
        """The view with ever more px deleted, then with ever more of them inserted."""
        pixels, window = self._around.pixels, self._around.window
        there, behind = pixels[window], background[window]
        for start, end in ((there, behind), (behind, there)):
            for count in counts:
                taken = np.zeros(order.size, np.float32)
                taken[order[:count]] = 1
                share = cv2.GaussianBlur(taken.reshape(there.shape), (0, 0), FEATHER_PX)
                version = pixels.copy()
                version[window] = share * end + (1 - share) * start
                yield version


def _mean(several: list[dict[Fill, Curve]]) -> dict[Fill, Curve]:
    return {
        kind: Curve(
            AREAS,
            tuple(np.mean([one[kind].deletion for one in several], axis=0).tolist()),
            tuple(np.mean([one[kind].insertion for one in several], axis=0).tolist()),
        )
        for kind in several[0]
    }
