"""One walk through the API: a key, a radiograph, its inspection, its report, its map."""

import base64
import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.shared.resources import Resources
from core.domain.accounts import Role
from core.domain.api_keys import Scope
from core.domain.detections import Detections
from core.domain.errors import EngineBusyError
from core.engine.detector import Request
from core.services.inference.detecting import DetectService
from tests.app.api.conftest import MakeKey, TestClient
from tests.workplace import radiograph_png

API = "/api/xai-qc"


def film(seed: int = 1, name: str = "film.png") -> tuple[str, tuple[str, bytes, str]]:
    """A file of a form."""
    return "files", (name, radiograph_png(seed), "image/png")


def detected(client: TestClient, headers: dict[str, str], *files: Any, **fields: str) -> Any:
    """The answer to radiographs that are handed in."""
    data = {"model": "weld", **fields}
    return client.post(f"{API}/detect", headers=headers, data=data, files=list(files) or [film()])


class FullMachines:
    """The engine of a version whose machines take no more."""

    def __init__(self, *_: object) -> None:
        self.n_refused = 0

    def detect(self, request: Request) -> Detections:
        self.n_refused += 1
        raise EngineBusyError("more images wait than the machines that read can take")

    ask = detect


def test_while_the_machines_that_read_are_full_a_program_is_told_when_to_come_again(
    workplace: Resources, client: TestClient, key_of: MakeKey
) -> None:
    headers, services = key_of(Role.INSPECTOR, Scope.DETECT, Scope.READ), workplace.services
    services.detect = DetectService(services.served, device="cpu", elsewhere=FullMachines)
    answer = detected(client, headers)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert "more images wait" in answer.json()["detail"]
    assert client.get(f"{API}/inspections", headers=headers).json()["inspections"] == []


def test_from_a_key_to_a_report(workplace: Resources, client: TestClient, key_of: MakeKey) -> None:
    headers = key_of(Role.INSPECTOR, Scope.DETECT, Scope.READ)
    answer = detected(client, headers, part="Header 7", weld_number="W1")
    assert answer.status_code == 200
    (found,), failures = answer.json()["results"], answer.json()["failures"]
    assert failures == []
    assert (found["image"]["width_px"], found["image"]["bit_depth"]) == (128, 16)
    assert found["model"]["name"] == "weld"
    assert found["n_reported"] == sum(one["probability"] >= found["threshold"] for one in found["detections"])
    numbers = [one["number"] for one in found["detections"]]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 0

    page = client.get(f"{API}/inspections", headers=headers, params={"text": "W1"}).json()
    assert [one["inspection_id"] for one in page["inspections"]] == [found["inspection_id"]]
    record = client.get(f"{API}/inspections/{found['inspection_id']}", headers=headers).json()
    assert record["detections"] == found["detections"]
    assert record["setup"]["part"] == "Header 7"

    report = client.get(f"{API}/inspections/{found['inspection_id']}/report", headers=headers)
    assert report.headers["content-type"] == "application/pdf"
    assert report.content.startswith(b"%PDF")
    as_json = client.get(
        f"{API}/inspections/{found['inspection_id']}/report", headers=headers, params={"format": "json"}
    )
    assert json.loads(as_json.content)["content"]["inspection_id"] == found["inspection_id"]

    shown = client.get(f"{API}/explain/{found['inspection_id']}/1", headers=headers).json()
    values = np.asarray(Image.open(io.BytesIO(base64.b64decode(shown["png"]))))
    assert values.shape == (shown["height_px"], shown["width_px"])
    assert (shown["method"], shown["is_signed"]) == ("gradcam", False)  # nothing was measured
    assert values.max() == (0 if shown["is_empty"] else 255)
    signed = client.get(f"{API}/explain/{found['inspection_id']}/1?method=integrated", headers=headers).json()
    values = np.asarray(Image.open(io.BytesIO(base64.b64decode(signed["png"]))))
    assert (signed["method"], signed["is_signed"]) == ("integrated", True)
    assert signed["is_empty"] or 255 in values or 1 in values
    picture = client.get(f"{API}/explain/{found['inspection_id']}/1/picture", headers=headers)
    assert picture.content.startswith(b"\x89PNG")

    events = [event for event in _events(workplace) if event.details.get("api_key")]
    assert {"image.added", "inspection.recorded"} <= {event.action for event in events}


def test_the_same_bytes_give_the_inspection_of_before(client: TestClient, key_of: MakeKey) -> None:
    headers = key_of(Role.INSPECTOR, Scope.DETECT)
    first, second = (detected(client, headers).json()["results"][0] for _ in range(2))
    assert first["inspection_id"] == second["inspection_id"]


def test_one_bad_file_does_not_stop_the_others(client: TestClient, key_of: MakeKey) -> None:
    headers = key_of(Role.INSPECTOR, Scope.DETECT)
    bad = ("files", ("notes.txt", b"no picture", "text/plain"))
    answer = detected(client, headers, bad, film()).json()
    assert [one["image"]["name"] for one in answer["results"]] == ["film.png"]
    assert [one["file"] for one in answer["failures"]] == ["notes.txt"]
    alone = detected(client, headers, bad)
    assert (alone.status_code, alone.json()["type"]) == (422, "/api/docs#unreadable")


def test_a_threshold_moves_what_is_reported_and_nothing_else(client: TestClient, key_of: MakeKey) -> None:
    headers = key_of(Role.INSPECTOR, Scope.DETECT)
    all_of, none_of = (detected(client, headers, threshold=one).json()["results"][0] for one in ("0", "1"))
    assert all_of["n_reported"] == len(all_of["detections"])
    assert none_of["n_reported"] < all_of["n_reported"]
    assert [one["bbox"] for one in all_of["detections"]] == [one["bbox"] for one in none_of["detections"]]


@pytest.mark.parametrize(
    ("fields", "status", "kind"),
    [
        ({"model": "pipes"}, 404, "not-found"),
        ({"version": "9"}, 404, "not-found"),
        ({"alias": "challenger"}, 404, "not-found"),
        ({"alias": "best"}, 422, "invalid"),
        ({"threshold": "2"}, 422, "invalid"),
    ],
)
def test_what_cannot_be_read_so_is_refused_and_nothing_is_stored(
    workplace: Resources, client: TestClient, key_of: MakeKey, fields: dict[str, str], status: int, kind: str
) -> None:
    answer = detected(client, key_of(Role.INSPECTOR, Scope.DETECT), **fields)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["type"] == f"/api/docs#{kind}"
    assert told["request_id"] == answer.headers["x-request-id"]
    assert not [event for event in _events(workplace) if event.action == "image.added"]


def _events(workplace: Resources) -> list[Any]:
    with workplace.services.store.read() as work:
        return list(work.audit.rows())


def test_a_request_with_a_key_of_its_own_is_done_once(client: TestClient, key_of: MakeKey) -> None:
    headers = key_of(Role.INSPECTOR, Scope.DETECT) | {"Idempotency-Key": "order-1"}
    first, second = detected(client, headers), detected(client, headers)
    assert first.json() == second.json()  # the time that it took, too
    other = detected(client, headers, film(2))
    assert (other.status_code, other.json()["type"]) == (422, "/api/docs#repeated")


def test_an_address_that_nothing_knows_is_a_problem(client: TestClient, key_of: MakeKey) -> None:
    for method, address, status in (("GET", "/nothing", 404), ("DELETE", "/detect", 405)):
        answer = client.request(method, f"{API}{address}", headers=key_of(Role.ADMIN))
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
