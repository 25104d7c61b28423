"""Sets, the job that measures on them, and comparing what came out."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.models.compare.rows import provenance_rows
from app.shared.resources import Resources
from core.domain.accounts import COMMAND_LINE, Identity, Role
from core.domain.errors import BadInputError, DatasetError
from core.evaluate.comparison import Conclusion
from core.services.evaluation.evaluations import BUILT_IN_NAME, unseen
from core.services.evaluation.recorded_images import cluster_name
from core.store.jobs import JobState
from tests.artefacts import write_artefact
from tests.measured import add_second_version, add_set, measure
from tests.workplace import close_workplace, make_workplace

ENGINEER = Identity("u-0", "engineer", Role.ML_ENGINEER)


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Resources]:
    held = make_workplace(tmp_path)
    add_second_version(held, tmp_path)
    yield held
    close_workplace(held)


def test_a_set_is_known_by_its_images_and_boxes(held: Resources, tmp_path: Path) -> None:
    sets = held.services.evaluations.sets
    added = add_set(held, tmp_path)
    content = sets.content(added)
    assert (added.n_images, len(content.digests)) == (6, 6)
    assert [cluster_name(image) for image in content.images] == [f"series:{name}" for name in "AABBCC"]
    assert sum(len(image.boxes) for image in content.images) == added.n_boxes > 0
    assert sets.digests_of("weld") == frozenset(content.digests)
    assert sets.digests_of("casting") == frozenset()
    with pytest.raises(BadInputError, match="are the evaluation set 'six frames' already"):
        add_set(held, tmp_path, name="the same again")
    with pytest.raises(BadInputError, match="expected 1 to 128 characters"):
        sets.add_files(
            COMMAND_LINE, "  ", "weld", tmp_path / "recorded" / "truth.json", tmp_path / "recorded"
        )


def test_an_image_that_was_changed_is_refused(held: Resources, tmp_path: Path) -> None:
    sets = held.services.evaluations.sets
    content = sets.content(add_set(held, tmp_path))
    assert sets.read(content, content.digests[0]).width == 128
    path = content.folder / content.images[0].file_name
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(DatasetError, match="was changed since the evaluation set was made"):
        sets.read(content, content.digests[0])
    with pytest.raises(BadInputError, match="holds no such image"):
        sets.read(content, "0" * 64)


def test_a_list_that_was_changed_is_refused(held: Resources, tmp_path: Path) -> None:
    added = add_set(held, tmp_path)
    path = tmp_path / "evaluations" / "sets" / f"{added.digest}.json"
    path.write_text(path.read_text().replace('"width": 128', '"width": 129'))
    with pytest.raises(DatasetError, match="was changed"):
        held.services.evaluations.sets.content(added)


def test_images_outside_of_the_folder_are_refused(held: Resources, tmp_path: Path) -> None:
    add_set(held, tmp_path)
    outside = tmp_path / "recorded" / "A_1.png"
    (tmp_path / "elsewhere").mkdir()
    entry = {"id": 1, "file_name": f"../recorded/{outside.name}", "width": 128, "height": 96}
    coco = tmp_path / "elsewhere" / "truth.json"
    coco.write_text(json.dumps({"images": [entry], "annotations": [], "categories": []}))
    with pytest.raises(DatasetError, match="outside of the folder"):
        held.services.evaluations.sets.add_files(COMMAND_LINE, "x", "weld", coco, coco.parent)


def test_versions_are_measured_once_and_compared(held: Resources, tmp_path: Path) -> None:
    service = held.services.evaluations
    chosen = add_set(held, tmp_path)
    assert service.measured_on(ENGINEER, chosen) == frozenset()
    measure(held, chosen)
    assert service.measured_on(ENGINEER, chosen) == {1, 2}
    first, second = service.open(ENGINEER, chosen, [1, 2])
    assert first.stored is not None
    assert first.stored.summary["n_images"] == 6
    assert first.stored.summary["ms_per_image"] > 0
    assert first.stored.outcomes.digests == service.content(ENGINEER, chosen).digests
    result = service.compare(ENGINEER, first, second, None)
    assert result.n_parts == 3
    assert {row.verdict for row in result.main} == {Conclusion.NOT_JUDGED}
    recall = result.named("recall")
    assert recall is not None
    assert recall.first == pytest.approx(first.stored.summary["recall"])
    assert sum(len(places) for places in service.differences(ENGINEER, first, second, None).values()) > 0
    in_turn = held.services.time_records.of(first.version.sha256)
    assert in_turn is not None
    pair = in_turn["against"][second.version.sha256]
    assert len(pair["own_ms"]) == len(pair["other_ms"]) == 6
    assert min(*pair["own_ms"], *pair["other_ms"]) > 0
    made = held.services.evaluations.archive.on_set(chosen.digest)
    measure(held, chosen)
    assert held.services.evaluations.archive.on_set(chosen.digest) == made


def test_what_trained_a_version_is_not_judged(held: Resources, tmp_path: Path) -> None:
    service = held.services.evaluations
    chosen = add_set(held, tmp_path)
    content = service.content(ENGINEER, chosen)
    artefact = tmp_path / "weld-other" / "manifest.json"
    artefact.write_text(json.dumps({"images": [{"sha256": content.digests[0], "file_name": "a.png"}]}))
    measure(held, chosen)
    first, second = service.open(ENGINEER, chosen, [1, 2])
    assert second.n_trained_on == 1
    row = service.compare(ENGINEER, first, second, 0.5).main[0]
    assert row.verdict is Conclusion.NOT_JUDGED
    assert row.why == "v2 was trained on 1 of these 6 images"


def test_other_images_of_a_part_that_trained_a_version_are_not_judged(
    held: Resources, tmp_path: Path
) -> None:
    """Planted: v2 trained on another crop of the film that two of the images were cut from."""
    service = held.services.evaluations
    chosen = add_set(held, tmp_path)
    crop = {"sha256": "ab" * 32, "file_name": "crop.png", "series": "A"}
    (tmp_path / "weld-other" / "manifest.json").write_text(json.dumps({"images": [crop]}))
    measure(held, chosen)
    first, second = service.open(ENGINEER, chosen, [1, 2])
    assert (second.n_trained_on, second.n_of_trained_parts) == (0, 2)
    row = service.compare(ENGINEER, first, second, 0.5).main[0]
    assert row.verdict is Conclusion.NOT_JUDGED
    assert row.why == "2 of these 6 images show parts that trained v2"
    assert unseen([first, second]).sum() == 4
    assert provenance_rows([second])[0]["is_trained_on"]
    taught = replace(second, version=replace(second.version, name="casting"))
    assert taught.is_unseen().all(), "it is made for other views of such parts"
    assert (
        "2 of them show parts that trained it, which it is made for" in provenance_rows([taught])[0]["said"]
    )
    assert not provenance_rows([taught])[0]["is_trained_on"]


def test_what_trained_a_version_two_generations_ago_is_not_judged_either(
    held: Resources, tmp_path: Path
) -> None:
    """Planted: v3 saw the first image, v4 goes on from v3, and v5 from v4."""
    service, registry = held.services.evaluations, held.services.registry
    chosen = add_set(held, tmp_path)
    leaked = service.content(ENGINEER, chosen).digests[0]
    for number, (trained_on, lineage) in enumerate(
        [(leaked, "from scratch"), ("cd" * 32, "weld v3"), ("ef" * 32, "weld v4")], start=3
    ):
        folder = tmp_path / f"weld-{number}"
        write_artefact(folder, seed=number, trained_on=(trained_on,), card={"lineage": lineage})
        assert registry.add(folder) == number
    measure(held, chosen, (1, 5))
    first, second = service.open(ENGINEER, chosen, [1, 5])
    row = service.compare(ENGINEER, first, second, 0.5).main[0]
    assert row.verdict is Conclusion.NOT_JUDGED
    assert row.why.startswith("v5 was trained on 1 of these 6 images")
    assert unseen([first, second]).tolist() == [False, True, True, True, True, True]


def test_the_images_that_nobody_saw_are_a_set_of_their_own_measured_at_once(
    held: Resources, tmp_path: Path
) -> None:
    service, clean_sets = held.services.evaluations, held.services.clean_sets
    chosen = add_set(held, tmp_path)
    with pytest.raises(BadInputError, match="v2 was not measured"):
        clean_sets.judge(COMMAND_LINE, chosen, [2])
    digests = service.content(ENGINEER, chosen).digests
    manifest = tmp_path / "weld-other" / "manifest.json"
    manifest.write_text(json.dumps({"images": [{"sha256": digests[0], "file_name": "a.png"}]}))
    measure(held, chosen)
    with pytest.raises(BadInputError, match="v1 have seen no image"):
        clean_sets.judge(COMMAND_LINE, chosen, [1])
    clean = clean_sets.judge(COMMAND_LINE, chosen, [1, 2])
    assert (clean.name, clean.n_images) == ("six frames, unseen by v1, v2", 5)
    assert service.content(ENGINEER, clean).digests == digests[1:]
    first, second = service.open(ENGINEER, clean, [1, 2])
    assert (first.n_trained_on, second.n_trained_on) == (0, 0)
    assert second.stored is not None
    assert second.stored.summary["n_images"] == 5
    assert clean_sets.judge(COMMAND_LINE, chosen, [1, 2]) == clean
    manifest.write_text(json.dumps({"images": [{"sha256": one, "file_name": "a.png"} for one in digests]}))
    with pytest.raises(BadInputError, match="seen every image"):
        clean_sets.judge(COMMAND_LINE, chosen, [2])


def test_what_calibrated_a_version_judges_its_ranking_alone(held: Resources, tmp_path: Path) -> None:
    service = held.services.evaluations
    chosen = add_set(held, tmp_path)
    path = tmp_path / "weld-other" / "calibration.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"parts": ["series:A"]}))
    measure(held, chosen)
    first, second = service.open(ENGINEER, chosen, [1, 2])
    assert (second.n_calibrated_on, second.n_trained_on) == (2, 0)
    result = service.compare(ENGINEER, first, second, None)
    recall, ranking = result.named("recall"), result.named("ap50")
    assert recall is not None
    assert ranking is not None
    assert recall.verdict is ranking.verdict is Conclusion.NOT_JUDGED  # three parts are too few for either
    assert second.is_unseen().tolist() == [False, False, True, True, True, True]


def test_a_stopped_job_goes_on_where_it_stopped(
    held: Resources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, jobs = held.services.evaluations, held.services.jobs
    chosen = add_set(held, tmp_path)
    monkeypatch.setattr("core.services.evaluation.evaluation_run._CHUNK", 2)
    job_id = service.start(COMMAND_LINE, chosen, [1])
    detected: list[str] = []
    detect = held.services.detect.detect

    def counted(radiograph, name, **more):
        detected.append(name)
        if len(detected) == 5:
            jobs.cancel(COMMAND_LINE, job_id)
            raise_when_asked[0] = True
        return detect(radiograph, name, **more)

    raise_when_asked = [False]
    monkeypatch.setattr(held.services.detect, "detect", counted)
    monkeypatch.setattr(
        "core.services.jobs.job_worker.WorkerLog.is_cancelled", lambda _log: raise_when_asked[0]
    )
    assert held.services.job_worker().work(job_id) is JobState.CANCELLED
    assert service.measured_on(ENGINEER, chosen) == frozenset()
    raise_when_asked[0] = False
    jobs.resume(COMMAND_LINE, job_id)
    assert held.services.job_worker().work(job_id) is JobState.DONE
    names = [image.file_name for image in service.content(ENGINEER, chosen).images]
    assert detected == [*names[:5], *names[4:]]
    stopped = service.open(ENGINEER, chosen, [1])[0].stored
    assert stopped is not None
    assert len(stopped.outcomes.names) == 6


def test_the_simulated_set_is_made_by_the_job(held: Resources) -> None:
    service = held.services.evaluations
    job_id = service.start_simulated(COMMAND_LINE, [1], count=2)
    assert held.services.job_worker().work(job_id) is JobState.DONE
    chosen = service.sets.all(ENGINEER, "weld")[0]
    assert (chosen.name, chosen.n_images) == (BUILT_IN_NAME, 2)
    assert service.measured_on(ENGINEER, chosen) == {1}
    assert service.latest_job(ENGINEER, "weld").job_id == job_id
    assert service.latest_job(ENGINEER, "casting") is None


def test_nothing_or_too_much_is_not_measured(held: Resources, tmp_path: Path) -> None:
    service = held.services.evaluations
    chosen = add_set(held, tmp_path)
    for numbers in ([], list(range(1, 11))):
        with pytest.raises(BadInputError, match="expected 1 to 8 versions"):
            service.start(COMMAND_LINE, chosen, numbers)
    first, second = service.open(ENGINEER, chosen, [1, 2])
    with pytest.raises(BadInputError, match="v1 was not measured on this set yet"):
        service.compare(ENGINEER, first, second, None)
