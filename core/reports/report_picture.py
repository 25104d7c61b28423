"""The radiograph in a report: fitted to the page, long films in strips, boxes drawn over it for print."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.platypus import Flowable

from core.domain.outline import outline_from
from core.imaging.display import render_8bit
from core.imaging.encode import encode_png
from core.imaging.outline_polygon import polygons_of
from core.reports.inspection_report import InspectionReport, ReportedIndication
from core.reports.report_fonts import SANS, SANS_BOLD, register_fonts

#: A long film is cut into strips when that shows it so many times larger.
_WORTH_A_CUT = 1.4
_MAX_STRIPS = 6
#: Printed pixels per inch at most; a radiograph has finer ones only where it is shrunk.
_PRINT_PX_PER_PT = 300 / 72
_NUMBER_PT, _LINE_PT, _HALO_PT = 6.0, 0.8, 2.0
_DASH = (3, 2)
#: An outline: its width, and the length of its dots, which are black and white in turn with as much between.
_OUTLINE_PT, _DOT_PT = 0.5, 0.8
#: Lengths that a scale bar may have, mm.
_BAR_MM = (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)


@dataclass(frozen=True, slots=True)
class Strip:
    """Part of the radiograph, columns `x0` to `x1` in px, over its whole height."""

    x0: int
    x1: int


def strips(width: int, height: int, *, room: tuple[float, float]) -> tuple[Strip, ...]:
    """Equal parts of a film, left to right, so that it is shown large within `room`; most films are one."""
    scales = [min(room[0] * n / width, room[1] / n / height) for n in range(1, _MAX_STRIPS + 1)]
    n = 1 + int(np.argmax(scales)) if max(scales) >= _WORTH_A_CUT * scales[0] else 1
    edges = np.rint(np.linspace(0, width, n + 1)).astype(int)
    return tuple(Strip(int(a), int(b)) for a, b in zip(edges, edges[1:], strict=False))


class FilmStrip(Flowable):  # type: ignore[misc]  # reportlab has no types
    """One strip with the boxes in it: dashed for the model's, solid for a person's, struck when dismissed.

    Args:
        report: names window, scale and indications.
        pixels: (H, W) of the whole radiograph.
        strip: what of it is shown.
        max_height: in pt.
        has_bar: a scale bar is drawn where there is a scale.
    """

    def __init__(
        self,
        report: InspectionReport,
        pixels: npt.NDArray[Any],
        strip: Strip,
        *,
        max_height: float,
        has_bar: bool,
    ) -> None:
        super().__init__()
        register_fonts()
        self._report, self._strip, self._has_bar = report, strip, has_bar
        self._pixels = pixels[:, strip.x0 : strip.x1]
        self._max_height = max_height
        self._per_px = 1.0

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """The size in pt within this width."""
        h, w = self._pixels.shape
        self._per_px = min(width / w, self._max_height / h)
        self.width, self.height = w * self._per_px, h * self._per_px
        self._left = (width - self.width) / 2
        return width, self.height

    def draw(self) -> None:
        """Picture, boxes, numbers, scale bar."""
        canvas = self.canv
        canvas.saveState()
        canvas.translate(self._left, 0)
        canvas.drawImage(self._image(), 0, 0, self.width, self.height)
        frame = canvas.beginPath()
        frame.rect(0, 0, self.width, self.height)
        canvas.clipPath(frame, stroke=0, fill=0)
        shown = [one for one in self._report.indications if self._is_inside(one)]
        for one in reversed(shown):
            self._draw_box(one)
            self._draw_outline(one)
        for one, (x, y) in zip(shown, self._places(shown), strict=True):
            self._draw_number(one, x, y)
        if self._has_bar and self._report.image.mm_per_px is not None:
            self._draw_bar(self._report.image.mm_per_px)
        canvas.restoreState()

    def _image(self) -> ImageReader:
        window = self._report.window
        grey = render_8bit(self._pixels, window.lo, window.hi, invert=window.is_inverted)
        share = min(1.0, self.width * _PRINT_PX_PER_PT / grey.shape[1])
        if share < 1:
            size = (max(1, round(grey.shape[1] * share)), max(1, round(grey.shape[0] * share)))
            grey = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
        return ImageReader(BytesIO(encode_png(grey)))

    def _is_inside(self, one: ReportedIndication) -> bool:
        return one.bbox[2] > self._strip.x0 and one.bbox[0] < self._strip.x1

    def _rectangle(self, one: ReportedIndication) -> tuple[float, float, float, float]:
        """Left, bottom, right, top in pt, a little outside of the box."""
        x1, y1, x2, y2 = one.bbox
        left, right = ((x - self._strip.x0) * self._per_px for x in (x1, x2))
        bottom, top = (self.height - y * self._per_px for y in (y2, y1))
        return left - 1, bottom - 1, right + 1, top + 1

    def _draw_box(self, one: ReportedIndication) -> None:
        left, bottom, right, top = self._rectangle(one)
        canvas = self.canv
        canvas.setDash()
        canvas.setStrokeGray(1)
        canvas.setLineWidth(_HALO_PT)
        canvas.rect(left, bottom, right - left, top - bottom)
        canvas.setStrokeGray(0)
        canvas.setLineWidth(_LINE_PT)
        if is_dashed(one):
            canvas.setDash(*_DASH)
        canvas.rect(left, bottom, right - left, top - bottom)
        canvas.setDash()
        if one.call == "dismissed":
            canvas.line(left, bottom, right, top)

    def _draw_outline(self, one: ReportedIndication) -> None:
        """What the model drew, where it counts: dots in black and white that leave half of the rim free."""
        if one.area_px is None:
            return
        canvas = self.canv
        canvas.setLineWidth(_OUTLINE_PT)
        for polygon in polygons_of(outline_from(self._report.detections[one.number - 1]["outline"])):
            path = canvas.beginPath()
            for number, (x, y) in enumerate(polygon):
                (path.lineTo if number else path.moveTo)(
                    (x - self._strip.x0) * self._per_px, self.height - y * self._per_px
                )
            path.close()
            for grey, phase in ((1, 0.0), (0, _DOT_PT)):
                canvas.setStrokeGray(grey)
                canvas.setDash([_DOT_PT, 3 * _DOT_PT], phase)
                canvas.drawPath(path)
        canvas.setDash()

    def _places(self, shown: Sequence[ReportedIndication]) -> list[tuple[float, float]]:
        """Positions of the numbers: at their boxes, shifted where another number is in the way."""
        taken: list[tuple[float, float]] = []
        for one in shown:
            left, bottom, right, top = self._rectangle(one)
            high = _NUMBER_PT + 1
            wide = self._number_width(one)
            corners = [(left, top), (right, top - high), (left, bottom - high), (left - wide, top - high)]
            steps = [
                (x + dx, y + dy) for dy in (0, high, -high) for dx in (0, wide, -wide) for x, y in corners
            ]
            places = [self._within(x, y, wide) for x, y in steps]
            free = [
                place
                for place in places
                if all(abs(place[0] - x) >= wide or abs(place[1] - y) >= high for x, y in taken)
            ]
            taken.append((free or places)[0])
        return taken

    def _within(self, x: float, y: float, wide: float) -> tuple[float, float]:
        return max(0.0, min(x, self.width - wide)), max(0.0, min(y, self.height - _NUMBER_PT - 1))

    @staticmethod
    def _number_width(one: ReportedIndication) -> float:
        return 2.0 + 0.7 * _NUMBER_PT * len(str(one.number))

    def _draw_number(self, one: ReportedIndication, x: float, y: float) -> None:
        canvas = self.canv
        canvas.setFillGray(1)
        canvas.setStrokeGray(0)
        canvas.setLineWidth(0.3)
        wide = self._number_width(one)
        canvas.rect(x, y, wide, _NUMBER_PT + 1, fill=1)
        canvas.setFillGray(0)
        canvas.setFont(SANS_BOLD, _NUMBER_PT)
        canvas.drawCentredString(x + wide / 2, y + 1.4, str(one.number))

    def _draw_bar(self, mm_per_px: float) -> None:
        pt_per_mm = self._per_px / mm_per_px
        fitting = [length for length in _BAR_MM if length * pt_per_mm <= self.width / 4]
        if not fitting:
            return
        length, wide = fitting[-1], fitting[-1] * pt_per_mm
        canvas = self.canv
        text = f"{length:g} mm"
        canvas.setFont(SANS, _NUMBER_PT)
        across = max(wide, canvas.stringWidth(text, SANS, _NUMBER_PT)) + 6
        x, y = self.width - across - 3, 3.0
        canvas.setFillGray(1)
        canvas.setStrokeGray(0)
        canvas.setLineWidth(0.3)
        canvas.rect(x, y, across, _NUMBER_PT + 7, fill=1)
        canvas.setFillGray(0)
        canvas.rect(x + (across - wide) / 2, y + 2, wide, 1.5, stroke=0, fill=1)
        canvas.drawCentredString(x + across / 2, y + 5.5, text)


def is_dashed(one: ReportedIndication) -> bool:
    """True for what only the model reports: nobody confirmed it."""
    return one.reported_by == "model" and one.call != "confirmed"


#: Share of a page that all strips together may take.
FILM_HEIGHT = 135 * mm
