"""Reports as JSON and CSV."""

import csv
import io
import json
from dataclasses import replace

import pytest

from core.domain.drift import VOID
from core.domain.errors import BadInputError
from core.domain.familiarity import Familiarity
from core.reports.inspection_report import FAILED, PROBABILITY, report_from
from core.reports.report_csv import COLUMNS, report_csv
from core.reports.report_json import read_report_json, report_json
from tests.reports.reported import report, with_note


def lines(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("n", [0, 1, 60])
@pytest.mark.parametrize("mm_per_px", [None, 0.05])
def test_json_comes_back_as_it_was(n: int, mm_per_px: float | None) -> None:
    kept = report(n, mm_per_px=mm_per_px)
    data = report_json(kept)
    assert data == report_json(kept)
    back = read_report_json(data)
    assert back.is_whole
    assert back.report.to_dict() == kept.to_dict()
    assert (back.report.sha256(), back.report.reference()) == (kept.sha256(), kept.reference())


def test_a_report_of_a_release_without_a_wire_indicator_is_still_whole() -> None:
    assert set(report(1).to_dict()["setup"]) == {
        "part", "weld_number", "material", "technique", "wall_mm", "thickness_mm", "weld_length_mm",
        "is_single_sided", "standard", "quality_level",
    }  # fmt: skip


def test_a_group_names_its_members_in_every_file_and_others_stay_as_they_were() -> None:
    kept = report(2)
    assert not {"members", "covered_percent"} & set(kept.to_dict()["indications"][0])
    group = replace(kept.indications[1], members=(3, 4, 5, 9), covered_percent=12.5)
    kept = replace(kept, indications=(kept.indications[0], group))
    back = read_report_json(report_json(kept))
    assert (back.is_whole, back.report.indications) == (True, kept.indications)
    first, second = csv.DictReader(report_csv(kept).decode("utf-8-sig").splitlines())
    assert (first["group_of"], second["group_of"], second["covered_percent"]) == ("", "4", "12.5")


def test_what_the_model_claims_is_in_every_file_and_others_stay_as_they_were() -> None:
    kept = report(1)
    assert "claim" not in kept.to_dict()["indications"][0]
    words = "linear: probably crack (reliability 0.91)"
    kept = replace(kept, indications=(replace(kept.indications[0], claim=words),))
    back = read_report_json(report_json(kept))
    assert (back.is_whole, back.report.indications) == (True, kept.indications)
    (line,) = lines(report_csv(kept))
    assert line["claimed_by_model"] == words


def test_a_stated_wire_indicator_is_in_the_file_and_comes_back() -> None:
    kept = report(1)
    kept = replace(kept, setup=replace(kept.setup, wire_set="W10 FE", required_wire=13, srb_mm=0.1))
    assert kept.sha256() != report(1).sha256()
    back = read_report_json(report_json(kept))
    assert (back.is_whole, back.report.setup) == (True, kept.setup)


def test_a_changed_json_is_found() -> None:
    document = json.loads(report_json(report(2)))
    document["content"]["indications"][0]["call"] = "confirmed"
    back = read_report_json(json.dumps(document).encode())
    assert not back.is_whole
    assert back.report.indications[0].call == "confirmed"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no JSON"),
        (b"[]", "expected JSON with"),
        (b"{}", "expected JSON with"),
        (b"\xff\xfe", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b'{"format": "radikal inspection report", "schema": 2}', "this release reads 1"),
        (b'{"format": "radikal inspection report", "schema": 1}', "no content"),
        (
            b'{"format": "radikal inspection report", "schema": 1, "content": {}}',
            "inspection_id: Field required",
        ),
    ],
)
def test_what_is_no_report_is_refused_in_one_line(data: bytes, says: str) -> None:
    with pytest.raises(BadInputError, match=says) as caught:
        read_report_json(data)
    assert "\n" not in str(caught.value)


def test_a_number_that_is_none_is_refused() -> None:
    data = report_json(report(1)).replace(b'"score_cut": 0.17', b'"score_cut": NaN')
    with pytest.raises(BadInputError, match="finite number"):
        read_report_json(data)


def test_a_content_with_a_wrong_value_is_refused_and_named() -> None:
    content = report(1).to_dict()
    content["image"]["width"] = "wide"
    with pytest.raises(BadInputError, match=r"image\.width"):
        report_from(content)


def test_csv_has_a_line_for_each_indication_under_a_header_that_stays() -> None:
    kept = report(7)
    found = lines(report_csv(kept))
    assert [line["number"] for line in found] == [str(n) for n in range(1, 8)]
    assert tuple(found[0]) == COLUMNS
    assert COLUMNS[:3] == ("reference", "signed", "inspection_id")
    added = (
        "content_sha256",
        "reshoot_reason",
        "group_of",
        "covered_percent",
        "result",
        "override",
        "dismissed_as",
        "kind",
        "severity_level",
        "probability_verified",
        "claimed_by_model",
        "area_px",
        "area_mm2",
        "along",
    )
    assert COLUMNS[39:] == added  # columns are only ever added at the end
    first = found[0]
    assert first["signed"] == "inspected: Zoë Müller-Łukasz; reviewed: Анна Иванова"
    assert (first["class"], first["call"], first["verdict"]) == ("crack", "dismissed", "not judged")
    assert found[1]["clauses"] == "table 1, 2.3"
    assert found[4]["probability"] == ""  # an inspector added it
    assert first["caveat"].startswith("Illustrative rule")
    assert first["content_sha256"] == kept.sha256()


def test_csv_without_indications_says_so_and_without_scale_leaves_millimetres_empty() -> None:
    (only,) = lines(report_csv(report(0)))
    assert only["note"] == "no indication above the operating point was reported"
    (line,) = lines(report_csv(report(1, mm_per_px=None)))
    assert (line["length_mm"], line["scale_source"]) == ("", "no scale")
    assert float(line["length_px"]) > 0


def test_unsigned_and_failed_signatures_are_visible_in_every_file() -> None:
    unsigned = report(1, is_signed=False)
    assert lines(report_csv(unsigned))[0]["signed"] == "NOT SIGNED"
    assert json.loads(report_json(unsigned))["signed"] == "NOT SIGNED"
    kept = report(1)
    broken = replace(kept, signatures=(replace(kept.signatures[0], is_seal_intact=False),))
    assert lines(report_csv(broken))[0]["signed"].startswith(FAILED)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r", "\n=", " =", "'=", '"='])
def test_no_text_is_taken_for_a_formula(start: str) -> None:
    note = f'{start}cmd|"/c calc"!A1'
    (line,) = lines(report_csv(with_note(report(1), note)))
    assert line["note"] == f"'{note}"


def test_csv_quotes_as_rfc_4180_says() -> None:
    note = 'a "quoted", long\r\nnote'
    data = report_csv(with_note(report(1), note))
    assert data.startswith(b"\xef\xbb\xbfreference,")
    assert data.endswith(b"\r\n")
    assert b'"a ""quoted"", long\r\nnote"' in data
    assert lines(data)[0]["note"] == note


def test_a_report_of_a_strange_image_says_that_no_probability_is_verified() -> None:
    plain = report(1)
    assert "familiarity" not in plain.to_dict(), "what earlier releases wrote keeps its digest"
    assert plain.probability_words == PROBABILITY
    familiar = replace(plain, familiarity=Familiarity(1.0, 1.5).to_dict())
    strange = replace(plain, familiarity=Familiarity(2.0, 1.5).to_dict())
    told = [lines(report_csv(one))[0]["probability_verified"] for one in (plain, familiar, strange)]
    assert told == ["", "yes", "probability not verified for this kind of image"]
    assert strange.probability_words.startswith(
        "Probability not verified for this kind of image: it looks unlike"
    )
    content = json.loads(report_json(strange))["content"]
    assert content["familiarity"] == {"distance": 2.0, "limit": 1.5, "is_familiar": False}
    assert report_from(content).sha256() == strange.sha256()


def test_drift_and_qualification_are_told_where_there_is_something_to_tell() -> None:
    plain = report(1)
    assert not {"drift", "qualification"} & set(plain.to_dict()), "earlier reports keep their digest"
    void = replace(
        plain, drift=f"{VOID} since 2026-03-01, not acknowledged yet", qualification="not qualified"
    )
    assert (void.is_void, void.is_strange) == (True, True)
    assert void.probability_words.startswith("Probability not verified: drift since")
    assert report_from(void.to_dict()).sha256() == void.sha256()
    assert lines(report_csv(void))[0]["probability_verified"] == void.drift
    settled = replace(plain, drift="drift since 2026-03-01, acknowledged by Rea Reviewer: another tube")
    assert (settled.is_void, settled.is_strange) == (False, False)
    assert settled.probability_words.startswith("Drift since 2026-03-01, acknowledged")
