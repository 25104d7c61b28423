"""Reports from a real workspace: what they say, and what verifying finds."""

import io
import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from sqlalchemy import text

from core.domain.accounts import COMMAND_LINE, Identity, Role
from core.domain.certificates import Scheme
from core.domain.errors import BadInputError, NotAllowedError, UnknownRecordError
from core.domain.indication import IndicationClass
from core.domain.objections import objections
from core.domain.override import Override, OverrideReason
from core.domain.radiograph import Polarity
from core.domain.reading import Call, ReadIndication, Setup
from core.domain.records import AnnotationSource, Disposition, ReviewOutcome
from core.domain.seen import SeenGrid
from core.reports.report_json import report_json
from core.reports.report_pdf import read_report_pdf
from core.services.accounts.certificates import CertificateService
from core.services.inference.detecting import DetectService
from core.services.inspections.inspecting import Decision
from core.services.inspections.judging import Judgement, JudgingService
from core.services.reports.reporting import ChosenWindow, ReportingService
from core.services.reports.verifying import Subject, VerifyingService, compare_detections
from core.services.workspaces import Workspace, make_workspace
from core.standards.shipped import shipped_rule_set
from core.store.audit_trail import open_store
from core.store.database import open_database
from core.store.workbench import KeptRuleSet
from tests.artefacts import FolderModels, write_artefact
from tests.empty_stores import copy_empty_database
from tests.records import add_user, demoted

SETUP = Setup(part="Vessel 7", weld_number="W12", wall_mm=8, thickness_mm=8, standard="iso-5817",
              quality_level="B")  # fmt: skip
MINE = ReadIndication(
    "h1", (5, 5, 25, 12), IndicationClass.CRACK, AnnotationSource.HUMAN, Call.CONFIRMED, note="seen at 40 mm"
)


class AnyPassword:
    """Accounts whose password is never wrong."""

    def confirm_password(self, identity: Identity, password: str, *, address: str) -> None:
        return None


class Place:
    """A workspace with a tiny real network, one inspected film, an inspector and a reviewer."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.engine = open_database(copy_empty_database(folder / "radikal.db"))
        self.store = open_store(self.engine)
        self.desk: Workspace = make_workspace(
            "", self.store, folder / "originals", accounts=AnyPassword(), seal_key=b"k" * 32
        )
        self.models = FolderModels(write_artefact(folder / "weld", score_spread=1.0))
        self.detect = DetectService(self.models, device="cpu")
        self.reporting = ReportingService(self.desk, self.models)
        self.verifying = VerifyingService(self.reporting, self.desk.images, self.detect)
        self.inspector, self.reviewer = add_user(self.store), add_user(self.store, Role.REVIEWER)
        pixels = np.random.default_rng(1).integers(0, 65_535, (96, 160), dtype=np.uint16)
        film = self.desk.images.add(
            self.inspector, cv2.imencode(".png", pixels)[1].tobytes(), "film 1.png", polarity=Polarity.FILM
        )
        result = self.detect.detect(film, "film 1.png", model="weld")
        self.sha256 = film.sha256
        self.id = self.desk.inspections.record(self.inspector, result, setup=SETUP).inspection_id

    def read(self, *said: ReadIndication) -> None:
        reading = self.desk.open_readings.open(self.inspector, self.id).reading
        kept = tuple(replace(one, call=Call.CONFIRMED) for one in reading.indications[:2])
        self.desk.readings.save(self.inspector, self.id, (*kept, *said), expected_version=reading.version)
        self.desk.inspections.decide(
            self.inspector, self.id, Decision(Disposition.REJECT, note="a crack"), expected_version=1
        )

    def sign(self) -> None:
        reading = self.desk.open_readings.open(self.inspector, self.id).reading
        self.desk.signing_off.sign(
            self.inspector, self.id, "any", expected_version=reading.inspection.version,
            expected_reading=reading.version, address="127.0.0.1",
        )  # fmt: skip

    def review(self) -> None:
        self.desk.reviews.save_own(self.reviewer, self.id, [MINE], expected_version=0)
        self.desk.reviews.decide_own(self.reviewer, self.id, Disposition.REJECT, "crack", expected_version=0)
        self.desk.reviews.unveil(self.reviewer, self.id, expected_reading=1, expected_decision=1)
        self.desk.reviews.conclude(
            self.reviewer, self.id, ReviewOutcome.CONCURS, "any", note="seen", address="127.0.0.1"
        )

    def report(self, **options):
        return self.reporting.report(self.inspector, self.id, **options)

    def verify(self, data: bytes):
        return self.verifying.verify(COMMAND_LINE, data)

    def change(self, statement: str) -> None:
        """Write into the database past the product."""
        with self.engine.begin() as connection:
            connection.execute(text(statement))


@pytest.fixture
def place(tmp_path: Path):
    made = Place(tmp_path)
    yield made
    made.engine.dispose()


def subjects(verified) -> set[Subject]:
    return {one.subject for one in verified.differences}


def test_a_report_says_what_else_the_file_holds_and_nobody_read(place: Place) -> None:
    assert "not_read" not in place.report().to_dict()
    film, copy = np.full((96, 160), 7, np.uint16), np.full((12, 16), 7, np.uint16)
    target = io.BytesIO()
    with tifffile.TiffWriter(target) as tiff:
        tiff.write(copy, subfiletype=1)
        tiff.write(film)
    taken = place.desk.images.add(place.inspector, target.getvalue(), "two.tif", polarity=Polarity.FILM)
    result = place.detect.detect(taken, "two.tif", model="weld")
    place.id = place.desk.inspections.record(place.inspector, result, setup=SETUP).inspection_id
    report = place.report()
    assert report.not_read == ("1 reduced copy not read (16 × 12 px)",)
    data = place.reporting.pdf(report)
    assert place.verify(data).reproduces
    before = replace(report, not_read=None)  # of a release that did not say so
    assert place.verify(place.reporting.json(before)).reproduces


def test_before_anybody_read_it_a_report_holds_what_the_model_said(place: Place) -> None:
    report = place.report()
    assert (report.reading_version, report.is_signed, report.disposition) == (0, False, None)
    assert report.inspector == "Person 1"
    assert {one.call for one in report.indications} == {"open"}
    assert {one.reported_by for one in report.indications} == {"model"}
    assert len(report.indications) + report.n_below == len(report.detections)
    assert report.model.sha256 == place.models.resolve("weld")[0].sha256


def test_a_report_of_a_signed_inspection_names_people_rules_and_changes(place: Place) -> None:
    place.read(MINE)
    place.sign()
    place.review()
    report = place.report()
    assert report.state == "concurred"
    mine = report.indications[-1]
    assert (mine.reported_by, mine.probability, mine.note) == ("inspector", None, "seen at 40 mm")
    assert (mine.length_px, mine.width_px, mine.length_mm) == (20, 7, None)
    assert mine.verdict == "not acceptable"  # a crack is, at any length
    assert mine.rules[0].clause
    assert report.judged.caveat.startswith("Illustrative rule")
    signed = [
        (one.printed_name, one.meaning, one.is_seal_intact, one.is_as_signed) for one in report.signatures
    ]
    assert signed == [("Person 1", "inspected", True, True), ("Person 2", "reviewed", True, True)]
    (review,) = report.reviews
    assert (review.printed_name, review.outcome, review.own_disposition) == ("Person 2", "concurs", "reject")
    assert not report.has_failed_signature


def test_with_a_scale_lengths_are_in_millimetres_with_their_uncertainty(place: Place) -> None:
    place.read(MINE)
    place.desk.scales.set(place.inspector, place.sha256, known_mm=1, measured_px=20)
    mine = place.report().indications[-1]
    assert (mine.length_mm, mine.width_mm, mine.plus_minus_mm) == (1.0, 0.35, 0.1)
    assert place.report().image.scale_source == "entered by the user"


def test_what_was_signed_is_judged_by_the_table_and_scale_of_that_moment(place: Place) -> None:
    place.read(MINE)
    place.sign()
    before = place.report()
    place.desk.scales.set(place.inspector, place.sha256, known_mm=1, measured_px=20)
    shipped = shipped_rule_set("iso-5817")
    with place.store.write() as work:
        path = Path(__file__).parents[3] / "core" / "standards" / "rules" / "iso-5817.yaml"
        newer = path.read_text(encoding="utf-8").replace('version: "1"', 'version: "99"', 1)
        work.rule_sets.add(KeptRuleSet("iso-5817", 99, "0" * 64, newer, None, work.now))
    after = place.report()
    assert after == before
    assert after.image.mm_per_px is None
    assert after.judged.rule_set_sha256 == shipped.sha256
    revision = place.desk.signing_off.revise(place.inspector, place.id)
    now = place.reporting.report(place.inspector, revision.inspection_id)
    assert now.image.mm_per_px == pytest.approx(0.05)
    assert now.judged.rule_set_sha256 != shipped.sha256


def test_what_was_signed_keeps_its_words_when_a_release_finds_others(place: Place) -> None:
    place.read(MINE)
    place.sign()
    kept = place.report()

    class NewRelease(JudgingService):
        def judge(self, *_arguments: object, **_options: object) -> Judgement:
            return Judgement(None, withheld=("judged otherwise",))

    desk = replace(place.desk, judging=NewRelease(place.store))
    again = ReportingService(desk, place.models).report(place.inspector, place.id)
    assert again.to_dict() == kept.to_dict()
    assert [one.is_as_signed for one in again.signatures] == [True]


def test_a_kept_verdict_that_was_changed_is_found(place: Place) -> None:
    place.read(MINE)
    place.sign()
    place.change("DROP TRIGGER signed_judgements_no_update")
    place.change(
        "UPDATE signed_judgements SET judgement = replace(judgement, 'not acceptable', 'acceptable')"
    )
    report = place.report()
    assert report.judged.verdict == "acceptable"
    assert [one.is_as_signed for one in report.signatures] == [False]


def test_the_chain_of_corrections_is_told_from_both_ends(place: Place) -> None:
    place.read()
    place.sign()
    newer = place.desk.signing_off.revise(place.inspector, place.id).inspection_id
    assert [one.inspection_id for one in place.report().later] == [newer]
    report = place.reporting.report(place.inspector, newer)
    assert [one.inspection_id for one in report.earlier] == [place.id]
    assert (report.is_signed, report.later) == (False, ())


def test_the_same_record_gives_the_same_files(place: Place) -> None:
    place.read(MINE)
    for write in (place.reporting.pdf, place.reporting.csv, place.reporting.json):
        assert write(place.report()) == write(place.report())


def test_a_chosen_window_is_part_of_the_report(place: Place) -> None:
    chosen = place.report(window=ChosenWindow(100, 5_000, is_inverted=True)).window
    assert (chosen.lo, chosen.hi, chosen.is_inverted) == (100, 5_000, True)
    for lo, hi in ((5, 5), (6, 5), (float("nan"), 1), (0, float("inf"))):
        with pytest.raises(BadInputError):
            ChosenWindow(lo, hi)


def test_who_may_not_see_inspections_gets_no_report(place: Place) -> None:
    with pytest.raises(NotAllowedError):
        place.reporting.report(demoted(place.inspector, Role.ADMIN), place.id)
    with pytest.raises(UnknownRecordError):
        place.reporting.report(place.inspector, "nothing")


def test_the_second_person_gets_no_report_before_the_own_reading_is_finished(place: Place) -> None:
    place.read()
    place.sign()
    with pytest.raises(NotAllowedError, match="second review"):
        place.reporting.report(place.reviewer, place.id)
    place.review()
    assert place.reporting.report(place.reviewer, place.id) == place.report()


def test_a_review_that_was_changed_afterwards_is_found(place: Place) -> None:
    place.read()
    place.sign()
    place.review()
    data = place.reporting.json(place.report())
    place.change("DROP TRIGGER reviews_no_update")
    place.change("UPDATE reviews SET note = 'never seen'")
    assert [one.is_as_signed for one in place.report().signatures] == [True, False]
    verified = place.verify(data)
    assert subjects(verified) == {Subject.SIGNATURE}
    assert len(verified.differences) == 2


def test_a_version_that_is_gone_leaves_its_numbers_and_says_so(place: Place) -> None:
    write_artefact(place.models.resolve("weld")[1], seed=5)
    facts = place.report().model
    assert (facts.version, facts.calibration_method) == (1, None)
    assert "no longer registered" in facts.release


@pytest.mark.parametrize("form", ["json", "pdf"])
def test_a_whole_report_reproduces(place: Place, form: str) -> None:
    place.read(MINE)
    place.sign()
    data = getattr(place.reporting, form)(place.report(window=ChosenWindow(1_000, 50_000)))
    verified = place.verify(data)
    assert verified.differences == ()
    assert verified.notes == ()
    assert verified.n_boxes > 0


def test_what_goes_on_after_a_report_is_a_note_not_a_difference(place: Place) -> None:
    place.read()
    place.sign()
    data = place.reporting.pdf(place.report())
    place.review()
    place.desk.signing_off.revise(place.inspector, place.id)
    verified = place.verify(data)
    assert verified.reproduces
    assert set(verified.notes) == {
        "since then: signed became concurred",
        "since then: 1 more signatures",
        "since then: 1 more reviews",
        "since then: 1 more later revisions",
    }


def test_an_unsigned_report_differs_once_the_record_went_on(place: Place) -> None:
    data = place.reporting.json(place.report())
    assert place.verify(data).reproduces
    assert place.verify(data).notes == ("the report is NOT SIGNED",)
    place.read(MINE)
    verified = place.verify(data)
    assert subjects(verified) == {Subject.RECORD}
    assert any("disposition: the report says None, the record says 'reject'" in one.sentence
               for one in verified.differences)  # fmt: skip


def test_a_changed_file_is_found_also_when_its_digest_was_made_anew(place: Place) -> None:
    place.read()
    place.sign()
    report = place.report()
    document = json.loads(place.reporting.json(report))
    document["content"]["disposition"] = "accept"
    assert subjects(place.verify(json.dumps(document).encode())) == {Subject.FILE, Subject.RECORD}
    forged = report_json(replace(report, disposition="accept"))
    assert subjects(place.verify(forged)) == {Subject.RECORD}


def test_an_override_stands_first_in_the_report_beside_verdict_and_disposition(place: Place) -> None:
    place.read()
    place.desk.inspections.decide(place.inspector, place.id, Decision(Disposition.ACCEPT), expected_version=2)
    shown = place.desk.open_readings.open(place.inspector, place.id)
    assert shown.judgement.standing is not None
    against = objections(Disposition.ACCEPT, shown.judgement.standing)
    assert against
    override = Override(against, OverrideReason.CONCESSION, "letter of 3 May")
    place.desk.signing_off.sign(
        place.inspector, place.id, "any", expected_version=shown.reading.inspection.version,
        expected_reading=shown.reading.version, address="127.0.0.1", override=override,
    )  # fmt: skip
    report = place.report()
    first, stood, signed = report.result
    assert first == f"ACCEPT · OVERRIDE, concession · verdict: {shown.judgement.words}"
    assert stood == f"Stood against it: {'; '.join(against)}"
    assert signed == "Signed all the same by Person 1, concession: letter of 3 May"
    (signature,) = report.signatures
    assert signature.is_as_signed
    data = place.reporting.json(report)
    assert json.loads(data)["result"] == list(report.result)
    assert first in place.reporting.csv(report).decode("utf-8-sig")
    for written in (data, place.reporting.pdf(report)):
        assert place.verify(written).reproduces
    place.change("UPDATE inspections SET override = NULL")
    assert subjects(place.verify(data)) == {Subject.RECORD, Subject.SIGNATURE}


def test_changed_pages_are_found(place: Place) -> None:
    data = place.reporting.pdf(place.report())
    changed = data.replace(b"/MediaBox [ 0 0 595", b"/MediaBox [ 0 0 594")
    assert changed != data
    assert subjects(place.verify(changed)) == {Subject.PAGES}
    elsewhere = re.sub(rb"report layout \d", b"report layout 0", data)
    assert any("NOT compared" in note for note in place.verify(elsewhere).notes)
    assert read_report_pdf(data).is_same_layout


def test_changes_of_the_database_past_the_product_are_found(place: Place) -> None:
    place.read()
    place.sign()
    data = place.reporting.json(place.report())
    place.change("UPDATE inspections SET note = 'nothing there'")
    verified = place.verify(data)
    assert subjects(verified) == {Subject.RECORD, Subject.SIGNATURE}
    assert any("not what was signed" in one.sentence for one in verified.differences)
    assert place.report().has_failed_signature


def test_a_forged_signature_is_found(place: Place) -> None:
    place.read()
    place.sign()
    report = place.report()
    forged = replace(report.signatures[0], signature_id="9" * 32, printed_name="Somebody else")
    verified = place.verify(report_json(replace(report, signatures=(*report.signatures, forged))))
    assert [one.sentence for one in verified.differences] == [
        "inspected by Somebody else: the database holds no such signature"
    ]
    place.change("DROP TRIGGER signatures_no_update")
    place.change("UPDATE signatures SET signed_at = '2020-01-01 00:00:00.000000'")
    verified = place.verify(report_json(report))
    assert Subject.SIGNATURE in subjects(verified)
    assert any("seal is broken" in one.sentence for one in verified.differences)


def test_other_weights_or_a_missing_original_are_found(place: Place) -> None:
    data = place.reporting.json(place.report())
    write_artefact(place.models.resolve("weld")[1], seed=5, score_spread=1.0)
    verified = place.verify(data)
    assert Subject.DETECTION in subjects(verified)
    assert any("the weights are others" in one.sentence for one in verified.differences)
    original = next(one for one in place.folder.joinpath("originals").rglob("*") if one.is_file())
    original.unlink()
    place.desk.images._recent.clear()
    assert Subject.DETECTION in subjects(place.verify(data))


def test_a_report_of_another_database_differs(place: Place) -> None:
    other = replace(place.report(), inspection_id="f" * 32)
    verified = place.verify(report_json(other))
    assert subjects(verified) == {Subject.RECORD}
    assert "there is no inspection" in verified.differences[0].sentence


def box(x: float = 10, *, p: float = 0.5, score: float = 0.6, kind: str = "crack") -> dict[str, object]:
    return {"bbox": [x, 5, x + 20, 15], "class": kind, "score": score, "probability": p}


@pytest.mark.parametrize(
    ("reported", "again", "n"),
    [
        ([], [], 0),
        ([box()], [box(10.5, p=0.501)], 0),
        ([box()], [box(10.51)], 2),
        ([box()], [box(p=0.5011)], 2),
        ([box()], [box(kind="porosity")], 2),
        ([box()], [], 1),
        ([], [box()], 1),
        ([box(score=0.2005)], [], 0),  # at the cut a box may come or go
        ([box(score=0.202)], [], 1),
        ([box(), box()], [box()], 1),
        ([box(10), box(10.4)], [box(10.4), box(10)], 0),
        ([box(40 * n) for n in range(60)], [], 21),
    ],
)
def test_boxes_are_compared_within_what_processors_differ(reported, again, n: int) -> None:
    assert len(compare_detections(reported, again, score_cut=0.2)) == n


def test_a_certificate_is_in_the_report_and_under_the_signature(place: Place) -> None:
    place.read(MINE)
    certificates = CertificateService(place.store)
    certificates.add(
        COMMAND_LINE, place.inspector.user_id, scheme=Scheme.ISO_9712, method="RT", level=2, number="4711",
        valid_until=date(2999, 1, 1),
    )  # fmt: skip
    place.sign()
    place.review()
    report = place.report()
    told = [one.certificate and one.certificate["number"] for one in report.signatures]
    assert told == ["4711", None]
    assert [one.is_as_signed for one in report.signatures] == [True, True]
    assert place.verify(place.reporting.pdf(report)).reproduces
    assert "certificate" not in report.to_dict()["signatures"][1]  # as reports of earlier releases have it
    place.change("DROP TRIGGER signed_certificates_no_update")
    place.change("UPDATE signed_certificates SET certificate = REPLACE(certificate, '4711', '4712')")
    assert [one.is_as_signed for one in place.report().signatures] == [False, True]
    assert subjects(place.verify(report_json(report))) == {Subject.SIGNATURE}


def test_a_changed_second_reading_is_in_the_report_and_under_the_signature(place: Place) -> None:
    place.read(MINE)
    place.sign()
    reviews, who = place.desk.reviews, place.reviewer
    reviews.decide_own(who, place.id, Disposition.ACCEPT, expected_version=0)
    reviews.unveil(who, place.id, expected_reading=0, expected_decision=1)
    reviews.change_own(who, place.id, "the crack is there", expected_decision=2)
    reviews.save_own(who, place.id, [MINE], expected_version=1)
    reviews.decide_own(who, place.id, Disposition.REJECT, expected_version=3)
    reviews.unveil(who, place.id, expected_reading=2, expected_decision=4)
    reviews.conclude(who, place.id, ReviewOutcome.CONCURS, "any", address="127.0.0.1")
    report = place.report()
    (review,) = report.reviews
    assert (review.own_disposition, review.changed_disposition) == ("accept", "reject")
    assert review.change_reason == "the crack is there"
    assert report.signatures[1].is_as_signed
    assert place.verify(place.reporting.pdf(report)).reproduces
    place.change("DROP TRIGGER reviews_no_update")
    place.change("UPDATE reviews SET change_reason = 'none'")
    assert subjects(place.verify(report_json(report))) == {Subject.SIGNATURE}


def test_what_was_seen_is_signed_reported_and_cannot_be_changed_later(place: Place) -> None:
    cells = SeenGrid(160, 96, np.array([[True, True, False], [False, False, False]]))
    place.desk.seeing.add(place.inspector, place.id, cells.to_text())
    place.read(MINE)
    place.sign()
    report = place.report()
    assert report.seen_percent == 53.3  # 128 of 160 px by 64 of 96
    assert report.signatures[0].is_as_signed
    place.change(f"UPDATE seen_areas SET cells = '{SeenGrid(160, 96, ~cells.cells).to_text()}'")
    assert not place.report().signatures[0].is_as_signed


def test_a_report_of_before_anything_was_seen_has_the_digest_of_earlier_releases(place: Place) -> None:
    assert "seen_percent" not in place.report().to_dict()
