"""Data versions: made by a job from labels and imports, listed, compared."""

import hashlib
import json
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from core.domain.accounts import Identity, Role
from core.domain.data_manifest import ImageOrigin, Part
from core.domain.errors import BadInputError, DatasetError, NotAllowedError
from core.domain.indication import IndicationClass
from core.services.datasets.data_export import export
from core.services.datasets.data_versions import DataRequest
from core.store.jobs import JobState
from tests.artefacts import write_artefact
from tests.conftest import ON_EACH_DATABASE
from tests.services.learning import LearningPlace, write_coco


@pytest.fixture
def place(engine: Engine, tmp_path: Path) -> LearningPlace:
    return LearningPlace(engine, tmp_path, write_artefact(tmp_path / "v1"))


@ON_EACH_DATABASE
def test_labels_become_a_version_that_names_them(place: LearningPlace) -> None:
    first, second = place.labelled(2)
    place.label(first)  # somebody looked again: there is nothing
    version = place.make(note="after the night shift")
    assert (version.number, version.licence, version.note) == (1, "ours alone", "after the night shift")
    assert version.created_by == place.engineer.user_id
    manifest = place.data.manifest(place.annotator, version)
    by_digest = {image.sha256: image for image in manifest.images}
    assert by_digest[first].boxes == ()
    assert by_digest[first].annotation_version == 2
    assert by_digest[second].boxes[0].bbox == (10, 10, 40, 30)
    assert by_digest[second].boxes[0].indication_class is IndicationClass.POROSITY
    assert {image.part for image in manifest.images} == {Part.TRAIN}  # two parts are too few to hold one back
    assert manifest.sha256 == version.manifest_sha256
    assert place.logged == [1]


def test_a_version_never_changes_when_labels_do(place: LearningPlace) -> None:
    (sha256,) = place.labelled(1)
    before = place.make()
    place.label(sha256, (1, 1, 20, 20), (30, 30, 60, 50))
    after = place.make()
    assert (before.number, after.number, after.parent_sha256) == (1, 2, before.manifest_sha256)
    found = place.data.difference(place.annotator, before, after)
    assert [(len(old.boxes), len(new.boxes)) for old, new in found.changed] == [(1, 2)]
    assert len(place.data.manifest(place.annotator, before).images[0].boxes) == 1


@ON_EACH_DATABASE
def test_the_same_content_again_is_the_same_version(place: LearningPlace) -> None:
    place.labelled(1)
    assert place.make().number == place.make().number == 1
    assert [version.number for version in place.data.all(place.annotator)] == [1]


def test_labels_that_wait_in_the_queue_are_left_out(place: LearningPlace) -> None:
    done, waiting = place.labelled(2)
    with place.store.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO queue_items (item_id, finding_key, image_sha256, model_name, reason, detail, "
                "priority, state, note, version, created_at, updated_at) VALUES ('i', 'k', :sha, 'weld', "
                "'missed', '{}', 1.0, 'open', '', 1, :now, :now)"
            ),
            {"sha": waiting, "now": "2026-03-01 12:00:00+00:00"},
        )
    preview = place.data.preview(place.annotator, "weld")
    assert (preview.labelled, preview.n_new, preview.n_waiting) == (1, 1, 1)
    version = place.make()
    assert [i.sha256 for i in place.data.manifest(place.annotator, version).images] == [done]
    assert place.data.preview(place.annotator, "weld").n_new == 0


def test_nothing_labelled_makes_nothing(place: LearningPlace) -> None:
    job = place.run_job()
    assert job.state is JobState.FAILED
    assert job.message == "no labelled image of weld was found"


def test_a_coco_file_of_the_imports_folder_is_imported_with_its_series(place: LearningPlace) -> None:
    write_coco(place.imports / "shop", {f"{n}.png": f"S{n // 2}" for n in range(10)})
    assert place.data.importable(place.engineer) == ["shop/coco.json"]
    version = place.make(coco=Path("shop/coco.json"))
    manifest = place.data.manifest(place.annotator, version)
    assert {i.origin for i in manifest.images} == {ImageOrigin.IMPORTED}
    assert manifest.counts()["parts"] == {"train": [6, 6], "calibration": [2, 2], "test": [2, 2]}
    assert {box.indication_class for i in manifest.images for box in i.boxes} == {
        IndicationClass.UNCLASSIFIED
    }
    assert all(place.blobs.has(image.sha256) for image in manifest.images)


def test_labels_win_over_an_import_of_the_same_image(place: LearningPlace) -> None:
    coco = write_coco(place.imports / "shop", {"a.png": "S"})
    place.make(coco=Path("shop/coco.json"))
    place.label(hashlib.sha256((coco.parent / "a.png").read_bytes()).hexdigest(), (5, 5, 50, 50))
    version = place.make(coco=Path("shop/coco.json"))
    (image,) = place.data.manifest(place.annotator, version).images
    assert (image.origin, image.series, image.boxes[0].bbox) == (ImageOrigin.LABELS, "S", (5, 5, 50, 50))


@pytest.mark.parametrize("path", ["../secret.json", "/etc/passwd", "shop/none.json"])
def test_no_file_outside_of_the_imports_folder_is_read(place: LearningPlace, path: str) -> None:
    place.imports.mkdir()
    (place.folder / "secret.json").write_text("{}")
    with pytest.raises(BadInputError, match="in the folder of imports"):
        place.data.start(place.engineer, DataRequest("weld", "ours", coco=Path(path)))
    assert place.jobs.latest(place.engineer) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"licence": " "}, "licence"),
        ({"calibration_share": 0.5, "test_share": 0.5}, "together at most 0.8"),
        ({"test_share": -0.1}, "0 or more"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_before_a_job(
    place: LearningPlace, changes: dict[str, object], message: str
) -> None:
    request = DataRequest(**({"model_name": "weld", "licence": "ours"} | changes))
    with pytest.raises(BadInputError, match=message):
        place.data.start(place.engineer, request)


def test_only_engineers_make_versions_and_inspectors_do_not_see_them(place: LearningPlace) -> None:
    with pytest.raises(NotAllowedError):
        place.data.start(place.annotator, DataRequest("weld", "ours"))
    with pytest.raises(NotAllowedError):
        place.data.all(Identity("u-0", "somebody", Role.INSPECTOR))


def test_an_error_of_the_data_checks_makes_nothing_and_is_named(place: LearningPlace) -> None:
    (sha256,) = place.labelled(1)
    place.label(sha256, (10, 10, 40, 30), (10, 10, 40, 30))
    job = place.run_job()
    assert job.state is JobState.FAILED
    assert "found 1 errors, so nothing was made: duplicate box: " in job.message
    assert place.data.all(place.annotator) == []
    findings = json.loads((place.jobs.folder_of(job.job_id) / "findings.json").read_text())
    assert findings["counts"] == {"duplicate box": 1}


@ON_EACH_DATABASE
def test_an_image_of_an_evaluation_set_never_trains(place: LearningPlace) -> None:
    first, second = place.labelled(2)
    place.evaluated = {first}
    version = place.make()
    parts = {i.sha256: i.part for i in place.data.manifest(place.annotator, version).images}
    assert parts == {first: Part.TEST, second: Part.TRAIN}
    place.evaluated = set()
    place.labelled(1)
    place.label(second, (1, 1, 30, 30))
    again = place.data.manifest(place.annotator, place.make())
    assert {i.sha256: i.part for i in again.images}[first] is Part.TEST  # what judged once stays held back


def test_what_trained_a_version_and_has_to_judge_is_left_out(engine: Engine, tmp_path: Path) -> None:
    place = LearningPlace(engine, tmp_path)
    first, second = place.labelled(2)
    place.registry.register(write_artefact(tmp_path / "v1", trained_on=(first,)), alias="champion")
    place.evaluated = {first}
    version = place.make()
    assert [i.sha256 for i in place.data.manifest(place.annotator, version).images] == [second]


def test_a_series_that_calibrated_a_version_calibrates_again(engine: Engine, tmp_path: Path) -> None:
    calibration = {"parts": ["series:S1", "parent_film:x"]}
    place = LearningPlace(engine, tmp_path, write_artefact(tmp_path / "v1", calibration=calibration))
    write_coco(place.imports, {"a.png": "S1", "b.png": "S2"})
    version = place.make(coco=Path("coco.json"))
    parts = {i.series: i.part for i in place.data.manifest(place.annotator, version).images}
    assert parts == {"S1": Part.CALIBRATION, "S2": Part.TRAIN}


def test_a_manifest_that_was_changed_from_outside_is_not_believed(place: LearningPlace) -> None:
    place.labelled(1)
    version = place.make()
    path = place.manifests.path(version.manifest_sha256)
    path.write_text(path.read_text().replace("porosity", "crack"))
    with pytest.raises(DatasetError, match="was changed"):
        place.data.manifest(place.annotator, version)


def test_an_export_is_what_the_data_checks_and_training_read(place: LearningPlace, tmp_path: Path) -> None:
    write_coco(place.imports, {f"{n}.png": f"S{n}" for n in range(5)})
    version = place.make(coco=Path("coco.json"))
    files = export(place.data.manifest(place.annotator, version), place.blobs, tmp_path / "out")
    assert [path.name for path in files] == ["train.json", "calibration.json", "test.json"]
    train = json.loads(files[0].read_text())
    assert len(train["images"]) == len(train["annotations"]) == 3
    for entry in train["images"]:
        data = (tmp_path / "out" / entry["file_name"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == entry["sha256"]
    assert set((tmp_path / "out" / "split.yaml").read_text().split()) >= {"train:", "calibration:", "test:"}
