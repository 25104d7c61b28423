"""Rows, words and curves of the pages Data and Retrain."""

from dataclasses import replace

from app.learn.data_versions.rows import difference_rows, difference_words, others
from app.learn.retrain.plots import figure, finding
from app.learn.retrain.rows import comparison_address, job_rows, title_of
from core.domain.data_manifest import DataManifest, ImageOrigin, Part, difference
from core.services.training.retraining import Curves, curves_of
from core.store.data_versions import DataVersion
from core.store.jobs import JobState
from tests.app.shared.test_job_progress import JOB, NOW
from tests.domain.test_data_manifest import image

PAYLOAD = {"model_name": "weld", "base_version": 1, "data_number": 2, "steps": 40}
DONE = replace(
    JOB,
    state=JobState.DONE,
    payload=PAYLOAD,
    result={"model": "weld", "version": 4, "base_version": 1, "data_number": 2},
)


def version(number: int, sha256: str, parent: str | None = None) -> DataVersion:
    return DataVersion(sha256, "weld", number, "", "ours", parent, {}, None, NOW)


def test_a_difference_names_every_image_and_what_happened_to_it() -> None:
    before = DataManifest("weld", "ours", None, (image("a"), image("b")))
    changed = replace(image("b"), boxes=(), part=Part.TEST, origin=ImageOrigin.IMPORTED)
    found = difference(before, DataManifest("weld", "ours", None, (changed, image("c"))))
    rows = {row["Image"]: row for row in difference_rows(found)}
    assert (rows["c.png"]["What"], rows["c.png"]["Boxes"]) == ("added", "1")
    assert (rows["b.png"]["Boxes"], rows["b.png"]["For"]) == ("1 → 0", "train → test")
    assert rows["b.png"]["From"] == "import"
    assert (rows["a.png"]["What"], rows["a.png"]["From"]) == ("removed", "labels v3")
    assert rows["a.png"]["Open"] == f"/label?image={'a' * 64}"
    assert difference_words(found) == "1 added · 1 changed · 1 removed"
    assert "the same images" in difference_words(difference(before, before))


def test_a_version_is_compared_with_its_parent_first() -> None:
    versions = [version(4, "d", "b"), version(3, "c"), version(2, "b"), version(1, "a")]
    assert [one.number for one in others(versions, versions[0])] == [2, 3, 1]


def test_trainings_say_what_they_do_and_what_came_out() -> None:
    assert title_of(DONE) == "weld v1 on data version 2"
    assert job_rows([DONE])[0]["Result"] == "v4"
    assert job_rows([replace(DONE, state=JobState.CANCELLED, result={})])[0]["State"] == "stopped"
    assert comparison_address(DONE) == ("Compare v4 with v1", "/compare?model=weld&v=1,4")


def test_curves_are_told_in_words_and_drawn_apart() -> None:
    curves = Curves(
        steps=(2, 4),
        loss=(3.0, 2.0),
        validation={"held back": (2.0, 1.5), "simulated": (2.0, 2.2)},
        seconds=(1.0, 2.0),
    )
    assert finding(curves) == (
        "Step 4: loss on what is held back -25 %, loss on what it knew +10 % since the first report"
    )
    drawn = figure(curves, 40)
    assert [line.name for line in drawn.data] == [
        "training",
        "held back, not trained on",
        "simulated, not trained on",
    ]
    assert len({line.line.dash for line in drawn.data}) == 3  # told apart without colour
    assert tuple(drawn.layout.xaxis.range) == (0, 40)


def test_one_report_claims_no_change() -> None:
    curves = curves_of([{"step": 1, "score": 1.0, "box": 1.0, "class": 0.0, "validation_simulated": 2.0}])
    assert finding(curves) == "Step 1"
    assert figure(curves, 10).data[0].mode == "markers"
