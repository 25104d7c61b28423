"""PDF reports, read back and rendered."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from reportlab.pdfbase import pdfmetrics

from core.domain.errors import BadInputError
from core.domain.indication import IndicationClass
from core.domain.outline import Outline
from core.domain.radiograph import PitchSource, PixelPitch
from core.domain.reading import Call, ReadIndication
from core.domain.records import AnnotationSource
from core.domain.signing import SIGNATURE_MEANS
from core.reports.inspection_report import FAILED, InspectionReport
from core.reports.report_content import reported_indications
from core.reports.report_fonts import FALLBACK, SANS, marked, register_fonts
from core.reports.report_indications import grouped_reasons, runs
from core.reports.report_json import report_json
from core.reports.report_layout import moment, without_files
from core.reports.report_pdf import is_pdf, read_report_pdf, report_pdf
from core.reports.report_picture import is_dashed, strips
from core.services.inspections.judging import findings_of
from core.standards.evaluation import evaluate
from core.standards.finding import InspectedPart
from core.standards.shipped import shipped_rule_set
from tests.reports.reported import film, indication, report, with_note


def n_pages(data: bytes) -> int:
    return data.count(b"/Type /Page\n") + data.count(b"/Type /Page ")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text that is drawn on a page, head and foot included."""
    from reportlab.pdfgen.canvas import Canvas
    from reportlab.platypus import Paragraph

    texts: list[str] = []
    for name in ("drawString", "drawRightString", "drawCentredString"):
        original = getattr(Canvas, name)

        def record(canvas, x, y, text, *rest, _original=original, **more):
            texts.append(text)
            return _original(canvas, x, y, text, *rest, **more)

        monkeypatch.setattr(Canvas, name, record)
    draw = Paragraph.draw

    def record_paragraph(paragraph):
        texts.append(paragraph.getPlainText())
        draw(paragraph)

    monkeypatch.setattr(Paragraph, "draw", record_paragraph)
    return texts


@pytest.mark.parametrize("n", [0, 1, 60])
@pytest.mark.parametrize("mm_per_px", [None, 0.05])
def test_the_same_report_gives_the_same_bytes_and_carries_itself(n: int, mm_per_px: float | None) -> None:
    kept = report(n, mm_per_px=mm_per_px)
    first = report_pdf(kept, film())
    assert is_pdf(first)
    assert first == report_pdf(kept, film())
    back = read_report_pdf(first)
    assert (back.attached.is_whole, back.is_same_layout) == (True, True)
    assert back.attached.report.to_dict() == kept.to_dict()


def test_every_page_bears_reference_digest_and_its_number(drawn: list[str]) -> None:
    kept = report(130)
    report_pdf(kept, film())
    numbers = [text for text in drawn if text.startswith("page ")]
    n = len(numbers)
    assert n > 2
    assert numbers == [f"page {number} of {n}" for number in range(1, n + 1)]
    assert drawn.count(kept.reference()) == n
    assert drawn.count(f"content sha256 {kept.sha256()}") == n
    assert drawn.count("Verdict") >= 3  # the head of the table is repeated
    assert "NOT SIGNED" not in drawn


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        (report(1, is_signed=False), "NOT SIGNED"),
        (replace(report(1), signatures=(replace(report(1).signatures[0], is_seal_intact=False),)), FAILED),
        (replace(report(1), signatures=(replace(report(1).signatures[0], is_as_signed=False),)), FAILED),
    ],
)
def test_what_nobody_may_rely_on_says_so_on_every_page(kept: InspectionReport, words: str, drawn) -> None:
    report_pdf(kept, film())
    n = sum(text.startswith("page ") for text in drawn)
    assert drawn.count(words) == n + 1  # and once beside the disposition


def test_signatures_state_name_meaning_and_moment(drawn: list[str]) -> None:
    report_pdf(report(1), film())
    text = "\n".join(drawn)
    for words in (
        "Анна Иванова",
        "Zoë Müller-Łukasz",
        SIGNATURE_MEANS["inspected"],
        SIGNATURE_MEANS["reviewed"],
        "2026-03-01 12:30:05 UTC",
        "intact; the record is what was signed",
        "Illustrative rule, verify against a purchased edition",
        "below release threshold",
    ):
        assert words in text


def test_the_wire_indicator_is_stated_or_said_not_to_be(drawn: list[str]) -> None:
    report_pdf(report(0), film())
    assert drawn[drawn.index("Wire IQI") + 1] == "not stated"
    drawn.clear()
    kept = report(0)
    report_pdf(replace(kept, setup=replace(kept.setup, wire_set="W10 FE", required_wire=13)), film())
    assert drawn[drawn.index("Wire IQI") + 1] == "W10 FE, W13 required"


def test_the_exposure_is_printed_with_its_source_and_what_nobody_stated_as_such(drawn: list[str]) -> None:
    stated, of_file = {"tube_kv": 180.0, "testing_class": "B"}, {"tube_ma": 4.0}
    kept = replace(report(1), exposure=stated, exposure_of_file=of_file)
    back = read_report_pdf(report_pdf(kept, film())).attached
    assert (back.is_whole, back.report.exposure) == (True, stated)
    for label, words in {
        "Tube voltage": "180 kV", "Tube current": "4 mA (DICONDE)", "Testing class": "B", "SFD": "not stated",
        "Deviations": "not stated", "SNRn required": "not stated",
    }.items():  # fmt: skip
        assert drawn[drawn.index(label) + 1] == words


def test_a_report_of_before_keeps_its_digest_and_says_that_nothing_was_stated(drawn: list[str]) -> None:
    assert "exposure" not in report(1).to_dict()
    report_pdf(report(1), film())
    assert drawn[drawn.index("Tube voltage") + 1] == "not stated"


def test_an_empty_report_says_what_it_does_not_mean(drawn: list[str]) -> None:
    report_pdf(report(0), film())
    assert any("does not mean that the part is free of imperfections" in text for text in drawn)


def test_without_a_scale_no_length_is_in_millimetres(drawn: list[str]) -> None:
    report_pdf(report(3, mm_per_px=None), film())
    assert any(text.startswith("No scale is known: lengths are in pixels") for text in drawn)
    assert not any("mm ±" in text for text in drawn)


@pytest.mark.parametrize("note", ["x" * 2000, "line\n" * 400, "<b>&amp;</b> \x07 </para>", "أ ب ג 😀 ไ"])
def test_any_note_fits(note: str) -> None:
    kept = with_note(report(2), note)
    assert read_report_pdf(report_pdf(kept, film())).attached.report.note == note


def test_letters_of_every_script_are_printed_or_numbered() -> None:
    assert marked("Zoë Ж Ω <b>") == "Zoë Ж Ω &lt;b&gt;"
    asian = "".join(f'<font name="{FALLBACK}">{letter}</font>' for letter in "李김の")
    assert marked("李 김 の").replace(" <", "<") == asian
    assert marked("a\u0e01b\x00") == "a[U+0E01]b[U+0000]"
    register_fonts()
    assert {SANS, FALLBACK} <= set(pdfmetrics.getRegisteredFontNames())


def test_a_pdf_of_another_kind_or_changed_is_refused_or_found() -> None:
    data = report_pdf(report(1), film())
    with pytest.raises(BadInputError, match="found 0"):
        read_report_pdf(b"%PDF-1.4 nothing")
    with pytest.raises(BadInputError, match="found 2"):
        read_report_pdf(data + data)
    changed = data.replace(b'"part": "Vessel 7"', b'"part": "Vessel 8"')
    assert changed != data
    assert not read_report_pdf(changed).attached.is_whole
    assert not read_report_pdf(data.replace(b"report layout 4", b"report layout 0")).is_same_layout


def test_the_attachment_is_the_json_file() -> None:
    kept = report(2)
    assert report_json(kept) in report_pdf(kept, film())


@pytest.mark.parametrize(
    ("size", "n"), [((640, 200), 1), ((200, 640), 1), ((5000, 1300), 2), ((9000, 400), 4), ((40_000, 10), 6)]
)
def test_long_films_are_cut_into_strips_that_cover_them(size: tuple[int, int], n: int) -> None:
    parts = strips(*size, room=(510, 380))
    assert len(parts) == n
    assert (parts[0].x0, parts[-1].x1) == (0, size[0])
    assert all(a.x1 == b.x0 for a, b in zip(parts, parts[1:], strict=False))


@pytest.mark.parametrize("shape", [(1, 1), (3, 5000), (5000, 3)])
def test_films_of_any_shape_fit(shape: tuple[int, int]) -> None:
    height, width = shape
    assert is_pdf(report_pdf(report(1), film(width, height)))


def test_only_what_nobody_but_the_model_says_is_dashed() -> None:
    one = indication(1)
    cases = {("model", "open"): True, ("model", "dismissed"): True, ("model", "confirmed"): False,
             ("inspector", "confirmed"): False}  # fmt: skip
    for (by, call), expected in cases.items():
        assert is_dashed(replace(one, reported_by=by, call=call)) is expected


def test_a_reason_is_told_once_with_the_numbers_it_holds_for(drawn: list[str]) -> None:
    report_pdf(report(9), film())  # three of nine are dismissed, so not judged
    text = " ".join(drawn)
    assert text.count("table 1, 2.3") == 1
    assert "l > 0.2 s = 1.6 mm. Clause: table 1, 2.3" in text
    assert text.count("dismissed: not judged") == 1


@pytest.mark.parametrize(
    ("numbers", "words"), [([], ""), ([3], "3"), ([3, 4], "3, 4"), ([1, 3, 4, 5, 9], "1, 3 to 5, 9")]
)
def test_runs_of_numbers_are_short(numbers: list[int], words: str) -> None:
    assert runs(numbers) == words


def judged_boxes(n: int) -> InspectionReport:
    """A report on `n` boxes of every class on a long film, judged by ISO 5817 without saying their kinds."""
    rng, classes = np.random.default_rng(5), list(IndicationClass)
    found = [
        ReadIndication(
            f"m{place + 1}", (x, 40.0, x + float(rng.uniform(6, 90)), 40.0 + float(rng.uniform(6, 22))),
            classes[place % len(classes)], AnnotationSource.MODEL, Call.CONFIRMED, place, 0.5,
        )
        for place in range(n)
        for x in [30.0 * place]
    ]  # fmt: skip
    pitch = PixelPitch(0.05, PitchSource.USER)
    part = InspectedPart(wall_mm=10, thickness_s_mm=10, weld_length_mm=None, is_single_sided=None)
    verdict = evaluate(findings_of(found, pitch, list(Call)), part, shipped_rule_set("iso-5817"), "C")
    boxes = tuple(
        {"bbox": list(one.bbox), "class": one.indication_class.value, "probability": 0.5} for one in found
    )
    inspection = SimpleNamespace(detections=boxes, model=SimpleNamespace(name="weld"))
    lines = reported_indications(inspection, found, verdict, pitch)
    return replace(report(1, width=4100, height=200), indications=lines)


def test_133_indications_take_one_line_each_and_at_most_five_pages(drawn: list[str]) -> None:
    kept = judged_boxes(133)
    report_pdf(kept, film(4100, 200))
    numbers = [text for text in drawn if text.startswith("page ")]
    assert len(numbers) <= 5
    assert sum(text == "Verdict" for text in drawn) <= 5
    groups = grouped_reasons(kept.indications)
    assert sum(len(found) for _, found in groups.values()) == 133
    assert len(groups) < 30
    assert "extent straddles 0.3 s = 3 mm: the table" in " ".join(words for words, _ in groups.values())


def test_nothing_on_paper_cites_a_file_of_the_repository(drawn: list[str]) -> None:
    kept = report(2)
    cited = "nine films of data/splits/weld-films.yaml, which trained nothing (see docs/model-quality.md)"
    facts = replace(kept.model, calibrated_on=cited, release=cited, data_notice=cited, limits=(cited,))
    report_pdf(replace(kept, model=facts), film())
    text = " ".join(drawn)
    assert not [part for part in (".md", ".yaml", "core/", "docs/", "data/") if part in text]
    assert "nine films, which trained nothing" in text


def test_the_top_says_when_it_was_signed_and_until_then_when_the_model_read_it(drawn: list[str]) -> None:
    kept = report(3)
    report_pdf(kept, film())
    signed = next(one for one in kept.signatures if one.meaning == "inspected").signed_at
    assert f"Inspected by {kept.inspector}, signed {moment(signed)}. State: {kept.state}." in drawn
    drawn.clear()
    report_pdf(replace(kept, signatures=()), film())
    assert f"read by the model {moment(kept.created_at)}. State:" in "".join(drawn)


@pytest.mark.parametrize(
    ("said", "printed"),
    [
        ("Few films; docs/model-quality-data.md compares them.", "Few films."),
        ("Few films; intervals are wide.", "Few films; intervals are wide."),
    ],
)
def test_a_clause_about_a_file_of_the_program_is_not_printed(said: str, printed: str) -> None:
    assert without_files(said) == printed


def test_an_outline_is_drawn_and_the_table_says_what_was_measured_around_it(drawn: list[str]) -> None:
    kept = report(2)
    outline = Outline(2, 4, 2, np.eye(6, dtype=np.bool_), 16.9, 2.8, 45.0)
    first, second = kept.indications
    said = replace(first, number=1, area_px=24.0, along="outline")
    found = {"bbox": list(first.bbox), "class": "crack", "score": 0.5, "probability": 0.4}
    outlined = replace(
        kept, indications=(said, second), detections=(found | {"outline": outline.to_dict(None)},)
    )
    plain = report_pdf(kept, film())
    assert not any("around the outline" in text for text in drawn)
    assert report_pdf(outlined, film()) != plain
    words = " ".join(drawn)
    assert "around its outline" in words
    assert "or where it says so those around the outline, each end ± 2 px, so the whole ± 4 px" in words
