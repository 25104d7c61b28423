"""What the editor is told of the model's suggestions."""

from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np

from app.label.rows import label_data, words_of
from core.domain.accounts import Identity, Role
from core.domain.correction import FoundBox, Origin, Reason
from core.domain.familiarity import NOT_VERIFIED
from core.domain.indication import IndicationClass
from core.domain.labels import Label, Suggestion
from core.domain.radiograph import Polarity, Radiograph
from core.services.labels.labels import LabelSheet

FOUND = FoundBox((4, 4, 9, 9), IndicationClass.POROSITY, 0.8, Origin.MODEL)
ADDED = FoundBox((20, 4, 29, 9), IndicationClass.CRACK, None, Origin.INSPECTOR)
SOMEBODY = Identity("u-1", "somebody", Role.ANNOTATOR)


def told(*, is_strange: bool = False, is_read: bool = True, labels: tuple[Label, ...] = ()) -> dict:
    model = SimpleNamespace(
        name="casting",
        version=2,
        sha256="5e" * 32,
        calibration_id="c",
        score_cut=0.1,
        operating_probability=0.4,
    )
    sheet = LabelSheet(
        image=SimpleNamespace(sha256="a" * 64, name="part.png"),
        labels=labels,
        refused=(),
        version=0,
        saved_at=datetime(2026, 3, 2, tzinfo=UTC),
        author="",
        note="",
        suggestions=(Suggestion("k1", FOUND), Suggestion("k2", ADDED)),
        answer=SimpleNamespace(model=model, is_strange=is_strange) if is_read else None,
        items=(),
    )
    pixels = np.zeros((40, 60), np.uint8)
    radiograph = Radiograph(pixels, 8, Polarity.DIGITAL, None, "a" * 64, "PNG")
    return label_data(
        sheet, radiograph, SOMEBODY, others=(), refused={}, has_next=False, visited=[("a" * 64, "part.png")]
    )


def test_a_probability_that_is_not_verified_for_the_image_says_so_in_the_editor_too() -> None:
    strange, known = told(is_strange=True), told(is_strange=False)
    assert [one.get("is_unverified") for one in strange["detections"]] == [True, None]
    assert strange["calibration"]["words"] == NOT_VERIFIED
    assert not any(one.get("is_unverified") for one in known["detections"])
    assert known["calibration"]["words"] == "as calibrated for casting v2"


def test_the_words_of_the_family_are_offered_and_of_both_where_nobody_knows_it() -> None:
    def offered(**how) -> tuple[set[str], set[str]]:
        reading = told(**how)["reading"]
        return set(reading["kinds"]), {one["code"] for one in reading["numbers"]}

    classes, kinds = offered()
    assert "lack of fusion" not in classes
    assert "gas-hole" in kinds
    assert "2011" not in kinds
    classes, kinds = offered(is_read=False)
    assert "lack of fusion" in classes
    assert {"gas-hole", "2011"} <= kinds
    hole = Label("h1", (1, 1, 9, 9), IndicationClass.POROSITY, kind="gas-hole")
    assert offered(is_read=False, labels=(hole,)) == offered()
    finer = told(is_read=False)["reading"]["kinds"]["porosity"]["kinds"]
    assert ["gas-hole", "gas hole"] in finer
    assert ["2011", "gas pore"] in finer


def test_what_a_comparison_sent_tells_how_many_boxes_were_marked_there() -> None:
    sent = SimpleNamespace(reason=Reason.SENT, boxes=(FOUND, ADDED), sent=SimpleNamespace(note=""))
    (said,) = words_of([sent])  # the image may hold more or fewer suggestions than that
    assert said == {"words": "Sent from a comparison of versions", "remark": "(2 boxes marked there)"}
