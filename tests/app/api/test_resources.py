"""Labels, models, figures and the history through the API."""

import io
import json
import zipfile
from typing import Any

import cv2
import numpy as np
import pytest

from app.shared.resources import Resources
from core.domain.accounts import COMMAND_LINE, Role
from core.domain.api_keys import Scope
from core.domain.records import InspectionState
from tests.app.api.conftest import MakeKey, TestClient
from tests.artefacts import write_artefact
from tests.services.promotions import KnownFigures
from tests.workplace import radiograph_png

API = "/api/xai-qc"


@pytest.fixture
def found(client: TestClient, key_of: MakeKey) -> dict[str, Any]:
    """A radiograph that was inspected."""
    files = [("files", ("film.png", radiograph_png(), "image/png"))]
    answer = client.post(f"{API}/detect", headers=key_of(), data={"model": "weld"}, files=files)
    return answer.json()["results"][0]


def label(number: int = 1) -> dict[str, Any]:
    return {"id": f"h{number}", "bbox": [10, 10, 20 + number, 30], "class": "crack", "iso6520": "100"}


def test_labels_are_saved_by_version_and_nobody_overwrites_another(
    client: TestClient, key_of: MakeKey, found: dict[str, Any]
) -> None:
    key, address = key_of(Role.ANNOTATOR), f"{API}/labels/{found['image']['sha256']}"
    assert client.get(address, headers=key).json()["version"] == 0
    saved = client.put(address, headers=key, json={"labels": [label()], "expected_version": 0})
    assert saved.status_code == 200
    assert saved.json()["version"] == 1
    assert saved.json()["labels"][0]["bbox"] == [10, 10, 21, 30]
    late = client.put(address, headers=key, json={"labels": [], "expected_version": 0})
    assert (late.status_code, late.json()["type"]) == (409, "/api/docs#stale")
    assert (late.json()["yours"], late.json()["stored"]) == (0, 1)
    outside = client.put(address, headers=key, json={"labels": [label(900)], "expected_version": 1})
    assert (outside.status_code, outside.json()["type"]) == (422, "/api/docs#bad-input")
    (line,) = client.get(f"{API}/labels", headers=key).json()["images"]
    assert (line["sha256"], line["n_labels"]) == (found["image"]["sha256"], 1)


def test_labels_go_out_as_files_of_other_tools(
    client: TestClient, key_of: MakeKey, found: dict[str, Any]
) -> None:
    key, address = key_of(Role.ANNOTATOR), f"{API}/labels/{found['image']['sha256']}"
    client.put(address, headers=key, json={"labels": [label(), label(2)], "expected_version": 0})
    answer = client.get(f"{API}/export", headers=key, params={"format": "coco", "images": True})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert len(json.loads(archive.read("labels.json"))["annotations"]) == 2
        assert archive.read("images/film.png") == radiograph_png()
    assert client.get(f"{API}/export", headers=key, params={"format": "csv"}).status_code == 422


def test_versions_tell_their_aliases_cards_and_calibration(client: TestClient, key_of: MakeKey) -> None:
    key = key_of(Role.ML_ENGINEER)
    assert {one["model"]: one["champion"] for one in client.get(f"{API}/models", headers=key).json()} == {
        "casting": 1, "weld": 1,
    }  # fmt: skip
    version = client.get(f"{API}/models/weld/versions/1", headers=key).json()
    assert version["card"]["name"] == "weld"
    assert version["aliases"] == ["champion"]
    calibration = client.get(f"{API}/calibration", headers=key, params={"model": "weld"}).json()
    assert calibration["calibration_id"] == version["calibration_id"]
    assert 0 <= calibration["operating_probability"] <= 1
    figures = client.get(f"{API}/metrics", headers=key, params={"model": "weld", "version": 1}).json()
    assert (figures["version"], figures["sets"]) == (1, [])
    for address in ("/models/pipes", "/models/weld/versions/9", "/models/weld/versions/9/gate"):
        assert client.get(f"{API}{address}", headers=key).status_code == 404


def test_a_version_is_promoted_through_the_gate_or_not_at_all(
    workplace: Resources, client: TestClient, key_of: MakeKey
) -> None:
    folder = write_artefact(workplace.services.data_dir / "weld2", seed=2)
    workplace.services.registry.add(folder, alias="challenger")
    key = key_of(Role.ML_ENGINEER)
    gate = client.get(f"{API}/models/weld/versions/2/gate", headers=key).json()
    assert not gate["is_green"]
    refused = client.post(f"{API}/models/weld/promote", headers=key, json={"version": 2, "seen": 1})
    assert (refused.status_code, refused.json()["type"]) == (409, "/api/docs#gate-refused")
    assert refused.json()["reasons"] == gate["reasons"]
    assert client.get(f"{API}/models/weld", headers=key).json()["champion"] == 1
    assert client.get(f"{API}/models/weld/history", headers=key).status_code == 200


def test_the_history_comes_as_lines_and_filters_like_the_page(
    client: TestClient, key_of: MakeKey, found: dict[str, Any]
) -> None:
    key = key_of()
    lines = client.get(f"{API}/history", headers=key).text.strip().splitlines()
    assert len(lines) == 2
    assert found["inspection_id"] in lines[1]
    nothing = client.get(f"{API}/history", headers=key, params={"text": "no such film"})
    assert len(nothing.text.strip().splitlines()) == 1
    for wanted, n in (({"model": "weld"}, 1), ({"model": "casting"}, 0), ({"since": "2999-01-01"}, 0)):
        page = client.get(f"{API}/inspections", headers=key, params=wanted).json()
        assert page["n_found"] == n


def test_a_long_list_comes_page_by_page(client: TestClient, key_of: MakeKey) -> None:
    key = key_of()
    files = [("files", (f"film{n}.png", radiograph_png(n), "image/png")) for n in range(3)]
    client.post(f"{API}/detect", headers=key, data={"model": "weld"}, files=files)
    seen, after = [], None
    while after is not None or not seen:
        asked = {"limit": 2, **({"after": after} if after else {})}
        page = client.get(f"{API}/inspections", headers=key, params=asked).json()
        seen += [one["inspection_id"] for one in page["inspections"]]
        after = page["next"]
    assert len(seen) == len(set(seen)) == 3
    wrong = client.get(f"{API}/inspections", headers=key, params={"after": "yesterday"})
    assert wrong.json()["type"] == "/api/docs#bad-input"


def test_a_second_person_learns_nothing_before_the_own_reading(
    workplace: Resources, client: TestClient, key_of: MakeKey, found: dict[str, Any]
) -> None:
    with workplace.services.store.write() as work:
        work.inspections.set_state(found["inspection_id"], InspectionState.SIGNED)
    key = key_of(Role.REVIEWER)
    (line,) = client.get(f"{API}/inspections", headers=key).json()["inspections"]
    assert (line["is_hidden"], line["found"], line["disposition"]) == (True, None, None)
    for address in ("inspections/{}", "inspections/{}/report", "explain/{}/1"):
        answer = client.get(f"{API}/{address.format(found['inspection_id'])}", headers=key)
        assert answer.status_code == 403
        assert "second review" in answer.json()["detail"]


def test_whoever_looks_first_is_not_told_by_the_api(
    workplace: Resources, client: TestClient, key_of: MakeKey, found: dict[str, Any]
) -> None:
    workplace.services.workspace.film_first.set_default(COMMAND_LINE, True)
    files = [("files", ("film.png", radiograph_png(7), "image/png"))]
    answer = client.post(f"{API}/detect", headers=key_of(), data={"model": "weld"}, files=files)
    assert answer.json()["results"][0]["detections"]  # a program does not look


def test_many_files_become_a_job_that_tells_its_progress(
    workplace: Resources, client: TestClient, key_of: MakeKey
) -> None:
    key = key_of() | {"Idempotency-Key": "batch-1"}
    files = [("files", (f"film{n}.png", radiograph_png(n), "image/png")) for n in range(5)]
    begun, again = (
        client.post(f"{API}/detect", headers=key, data={"model": "weld"}, files=files) for _ in range(2)
    )
    assert begun.status_code == again.status_code == 202
    assert begun.headers["location"] == f"{API}/jobs/{begun.json()['job_id']}"
    assert begun.json() == again.json()
    waiting = client.get(begun.headers["location"], headers=key).json()
    assert (waiting["state"], waiting["progress"], waiting["items"]) == ("queued", 0, [])
    workplace.services.job_worker().work(waiting["job_id"])
    done = client.get(begun.headers["location"], headers=key).json()
    assert (done["state"], done["progress"]) == ("done", 1)
    assert [one["name"] for one in done["items"]] == [f"film{n}.png" for n in range(5)]
    page = client.get(f"{API}/inspections", headers=key).json()
    assert {one["inspection_id"] for one in page["inspections"]} == {
        one["inspection_id"] for one in done["items"]
    }
    assert client.delete(begun.headers["location"], headers=key).json()["type"] == "/api/docs#bad-input"


def test_whoever_wants_a_job_or_none_says_so(client: TestClient, key_of: MakeKey) -> None:
    for n_files, as_job, status in ((1, "true", 202), (5, "false", 200)):
        files = [("files", (f"film{n}.png", radiograph_png(n), "image/png")) for n in range(n_files)]
        asked = {"model": "weld", "as_job": as_job}
        assert client.post(f"{API}/detect", headers=key_of(), data=asked, files=files).status_code == status


def test_a_map_is_made_again_after_a_restart_and_not_of_another_network(
    workplace: Resources, client: TestClient, key_of: MakeKey, found: dict[str, Any]
) -> None:
    address, service = f"{API}/explain/{found['inspection_id']}/1", workplace.services.inspect_files
    first = client.get(address, headers=key_of()).json()
    service._results.clear()
    assert client.get(address, headers=key_of()).json() == first
    assert client.get(f"{API}/explain/{found['inspection_id']}/9999", headers=key_of()).status_code == 404
    service._results.clear()
    write_artefact(workplace.services.data_dir / "weld", seed=5, score_spread=1.0)
    refused = client.get(address, headers=key_of())
    assert (refused.status_code, refused.json()["type"]) == (409, "/api/docs#not-reproduced")


def test_a_polarity_that_nobody_tells_is_asked_for(client: TestClient, key_of: MakeKey) -> None:
    flat = np.full((96, 128), 30_000, np.uint16) + np.arange(128, dtype=np.uint16)
    is_written, encoded = cv2.imencode(".png", flat)
    assert is_written
    files = [("files", ("flat.png", encoded.tobytes(), "image/png"))]
    answer = client.post(f"{API}/detect", headers=key_of(), data={"model": "weld"}, files=files)
    assert (answer.status_code, answer.json()["type"]) == (422, "/api/docs#polarity-needed")
    stated = {"model": "weld", "polarity": "film"}
    told = client.post(f"{API}/detect", headers=key_of(), data=stated, files=files)
    assert told.json()["results"][0]["image"]["polarity_ground"] == "person"


def test_a_green_version_serves_and_the_way_back_is_open(
    workplace: Resources, client: TestClient, key_of: MakeKey
) -> None:
    services = workplace.services
    services.registry.add(write_artefact(services.data_dir / "weld2", seed=2))
    services.evidence = KnownFigures()  # all green
    key = key_of(Role.ML_ENGINEER, Scope.PROMOTE) | {"Idempotency-Key": "promotion-1"}
    wish = {"version": 2, "seen": 1, "note": "finds more"}
    for _ in range(2):  # the second is the same request again
        made = client.post(f"{API}/models/weld/promote", headers=key, json=wish)
        assert made.status_code == 200
        assert (made.json()["version"], made.json()["previous_version"], made.json()["kind"]) == (
            2,
            1,
            "promoted",
        )
    stale = client.post(f"{API}/models/weld/rollback", headers=key_of(Role.ML_ENGINEER), json={"seen": 1})
    assert (stale.status_code, stale.json()["type"]) == (409, "/api/docs#stale")
    back = client.post(f"{API}/models/weld/rollback", headers=key_of(Role.ML_ENGINEER), json={"seen": 2})
    assert (back.json()["version"], back.json()["kind"]) == (1, "rolled back")
    changes = client.get(f"{API}/models/weld/history", headers=key_of(Role.ML_ENGINEER)).json()
    assert [one["version"] for one in changes][-2:] == [2, 1]
    assert changes[-1]["changed_by"] == "ml_engineer.station"
