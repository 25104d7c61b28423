"""Reports of made-up inspections, for tests of what is written from them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from core.reports.inspection_report import (
    AppliedRule,
    DecidingNumber,
    ImageFacts,
    InspectionReport,
    Judged,
    ModelFacts,
    QualityCheck,
    ReportedIndication,
    ReviewedBy,
    Revision,
    SetupFacts,
    SignedBy,
    Window,
)

AT = datetime(2026, 3, 1, 12, 30, 5, tzinfo=UTC)
_CLASSES = ("porosity", "crack", "inclusion", "lack of fusion", "lack of penetration", "unclassified")


def film(width: int = 640, height: int = 200) -> npt.NDArray[np.uint16]:
    """A 16-bit picture with a bright band, the same every time."""
    rng = np.random.default_rng(3)
    profile = 20_000 + 15_000 * np.exp(-(((np.arange(height) - height / 2) / (height / 5)) ** 2))
    noise = rng.normal(0, 900, (height, width))
    return np.clip(profile[:, None] + noise, 0, 65_535).astype(np.uint16)


def indication(
    number: int, *, width: int = 640, height: int = 200, mm_per_px: float | None = 0.05
) -> ReportedIndication:
    """One of each kind in turn, somewhere on the picture."""
    rng = np.random.default_rng(number)
    x, y = rng.uniform(5, width - 90), rng.uniform(5, height - 30)
    w, h = rng.uniform(6, 80), rng.uniform(6, 22)
    length, short = max(w, h), min(w, h)
    is_added, call = number % 5 == 0, ("confirmed", "dismissed", "open")[number % 3]
    call = "confirmed" if is_added else call
    is_judged = call != "dismissed"
    words = f"l {length * (mm_per_px or 0):.2f} mm > 0.2 s = 1.6 mm"
    rule = AppliedRule(
        "gas-pore", "table 1, 2.3", ("2011",), "not acceptable",
        (DecidingNumber("not acceptable", words, 1.0, 1.2, 1.6),),
    )  # fmt: skip
    return ReportedIndication(
        number=number,
        indication_id=f"h{number}" if is_added else f"m{number}",
        indication_class=_CLASSES[number % len(_CLASSES)],
        iso6520=None if number % 6 == 5 else "2011",
        bbox=(round(x, 2), round(y, 2), round(x + w, 2), round(y + h, 2)),
        length_px=round(length, 2),
        width_px=round(short, 2),
        length_mm=None if mm_per_px is None else round(length * mm_per_px, 3),
        width_mm=None if mm_per_px is None else round(short * mm_per_px, 3),
        plus_minus_mm=None if mm_per_px is None else 2 * mm_per_px,
        probability=None if is_added else 0.93 - number % 10 / 20,
        reported_by="inspector" if is_added else "model",
        changes=("class changed (model: inclusion)",) if number % 7 == 0 else (),
        call=call,
        note="",
        verdict=("not evaluable" if mm_per_px is None else "not acceptable") if is_judged else None,
        reasons=(words if mm_per_px else "not evaluable: no scale",)
        if is_judged
        else ("dismissed: not judged",),
        rules=(rule,) if is_judged else (),
    )


def report(
    n: int = 1, *, mm_per_px: float | None = 0.05, is_signed: bool = True, width: int = 640, height: int = 200
) -> InspectionReport:
    """A report with `n` indications on the picture of `film(width, height)`."""
    size = {"width": width, "height": height, "mm_per_px": mm_per_px}
    signatures = (
        SignedBy("5e" * 16, "Zoë Müller-Łukasz", "inspected", AT, 3, "c0" * 32, True, True),
        SignedBy("6e" * 16, "Анна Иванова", "reviewed", AT + timedelta(days=1), 3, "c1" * 32, True, None),
    )
    review = ReviewedBy("7e" * 16, "Анна Иванова", "concurs", "reject", "agreed", AT + timedelta(days=1), 3)
    verdict = "not evaluable" if n and mm_per_px is None else "not acceptable" if n else "acceptable"
    return InspectionReport(
        inspection_id="0123456789abcdef0123456789abcdef",
        state="concurred" if is_signed else "open",
        version=3,
        created_at=AT - timedelta(hours=1),
        updated_at=AT,
        inspector="Zoë Müller-Łukasz",
        disposition="reject" if n else "accept",
        note="",
        reading_version=2,
        image=ImageFacts(
            "film 12.png",
            "ab" * 32,
            width,
            height,
            16,
            "PNG",
            "film",
            mm_per_px,
            None if mm_per_px is None else "object plane, calibrated (DICOM 0028,0030)",
        ),  # fmt: skip
        model=ModelFacts(
            "weld",
            2,
            "cd" * 32,
            "b75f49b19027",
            0.17,
            0.23,
            "platt",
            "seven films, 1415 boxes (299 true)",
            "below release threshold: AP50 0.39 on seven films, 0.70 needed",
            "trained on simulated radiographs only: no restriction",
            ("seven films: 7 images, 508 indications; AP50 0.39 (0.29 to 0.56) (at probability 0.23)",),
            ("A probability says how often a reported box is real, nothing about what was not reported.",),
        ),  # fmt: skip
        window=Window(17_000, 36_000.5, False, "automatic, percentiles 0.5 and 99.5"),
        setup=SetupFacts(
            "Vessel 7", "W12", "S355", "single wall, single image", 8.0, 8.0, 300.0, True, "iso-5817", "B"
        ),  # fmt: skip
        image_quality=(
            QualityCheck("clipping at the dark end", "passed", "0.01 % of the pixels are at the end"),
            QualityCheck("wire IQI", "not evaluable", "no wire IQI was found"),
        ),
        indications=tuple(indication(number, **size) for number in range(1, n + 1)),
        n_below=4,
        judged=Judged(
            verdict,
            f"{n} indications judged",
            (),
            ("millimetres at the detector: the part is smaller by the magnification",),
            "ISO 5817",
            "2023",
            "B",
            "iso-5817",
            "1",
            "ef" * 32,
            "Illustrative rule, verify against a purchased edition",
        ),  # fmt: skip
        signatures=signatures if is_signed else (),
        reviews=(review,) if is_signed else (),
        earlier=(Revision("f0" * 16, AT - timedelta(days=9), "Zoë Müller-Łukasz", "returned", "accept"),),
        later=(),
        detections=({"bbox": [1.0, 2.0, 3.0, 4.0], "class": "crack", "score": 0.5, "probability": 0.4},),
    )


def with_note(kept: InspectionReport, note: str) -> InspectionReport:
    """The report with this note on itself and on its first indication."""
    first, *rest = kept.indications
    return replace(kept, note=note, indications=(replace(first, note=note), *rest))
