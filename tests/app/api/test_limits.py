"""How often a key may ask, whose pages may call, and how large a request may be."""

from collections.abc import Callable
from pathlib import Path

import pytest

from app.shared.resources import Resources
from app.shared.uploads import uploads
from app.web.middleware.limits import body_limits
from core.config import Settings
from core.domain.accounts import Role
from tests.app.api.conftest import MakeKey, TestClient, client_of

API = "/api/xai-qc"
MakeClient = Callable[..., TestClient]


@pytest.fixture
def client_with(workplace: Resources, tmp_path: Path) -> MakeClient:
    """Makes a client of the API with other settings."""

    def make(**settings: object) -> TestClient:
        return client_of(Settings(_env_file=None, data_dir=tmp_path, **settings))

    return make


def test_a_key_that_asks_too_often_waits_and_another_does_not(
    client_with: MakeClient, key_of: MakeKey
) -> None:
    client, first, second = client_with(api_requests_per_minute=10), key_of(), key_of(Role.REVIEWER)
    answers = [client.get(f"{API}/inspections", headers=first) for _ in range(11)]
    assert [one.status_code for one in answers] == [200] * 10 + [429]
    assert [int(one.headers["ratelimit-remaining"]) for one in answers[:10]] == list(range(9, -1, -1))
    refused = answers[-1]
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.json()["type"] == "/api/docs#too-many"
    assert client.get(f"{API}/inspections", headers=second).status_code == 200


def test_strangers_of_one_address_are_counted_together(client_with: MakeClient) -> None:
    client = client_with(api_requests_per_minute=10)
    statuses = [
        client.get(f"{API}/inspections", headers={"Authorization": f"Bearer radikal_{n}"}).status_code
        for n in range(11)
    ]
    assert statuses == [401] * 10 + [429]


def test_pages_of_named_origins_may_call_and_others_may_not(client_with: MakeClient, key_of: MakeKey) -> None:
    client, key = client_with(cors_origins="https://line.example"), key_of()
    for origin, is_named in (("https://line.example", True), ("https://evil.example", False)):
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST",
                 "Access-Control-Request-Headers": "authorization"}  # fmt: skip
        before = client.options(f"{API}/detect", headers=asked)
        assert (before.headers.get("access-control-allow-origin") == origin) is is_named
        answer = client.get(f"{API}/inspections", headers=key | {"Origin": origin})
        assert (answer.headers.get("access-control-allow-origin") == origin) is is_named
        assert "access-control-allow-credentials" not in answer.headers


def test_a_body_takes_room_while_it_is_answered_and_gives_it_back(
    client_with: MakeClient, key_of: MakeKey
) -> None:
    client, key = client_with(), key_of()
    taken: list[int] = []
    held = uploads()
    expect = held.expect

    def watched(identity: object, address: str, size: int) -> object:
        taken.append(size)
        return expect(identity, address, size)

    held.expect = watched
    form = {"data": {"model": "weld"}, "files": [("files", ("film.png", bytes(100_000), "image/png"))]}
    assert client.post(f"{API}/detect", headers=key, **form).status_code == 422
    assert taken[0] > 100_000
    assert held.n_bytes("address", "192.0.2.7") == 0


def test_a_body_is_as_long_as_it_says(client_with: MakeClient, key_of: MakeKey) -> None:
    def pieces():
        yield b"x" * 100

    headers = key_of() | {"Content-Type": "multipart/form-data; boundary=x"}
    answer = client_with().post(f"{API}/detect", headers=headers, content=pieces())
    assert (answer.status_code, answer.json()["type"]) == (411, "/api/docs#no-length")


def test_files_may_be_large_and_the_rest_of_the_api_is_not() -> None:
    largest = body_limits(500)
    sizes = {path: next(n for prefix, n in largest.items() if path.startswith(prefix))
             for path in (f"{API}/detect", f"{API}/labels/x")}  # fmt: skip
    assert sizes[f"{API}/detect"] > 4 * 500 * 2**20
    assert sizes[f"{API}/labels/x"] == 4 * 2**20
