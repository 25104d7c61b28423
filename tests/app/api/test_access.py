"""Who is turned away by the API, and whose session counts."""

from datetime import timedelta

from app.shared.resources import Resources
from app.shared.visitors import SESSION_COOKIE
from core.domain.accounts import COMMAND_LINE, Role
from core.domain.api_keys import Scope
from tests.app.api.conftest import TestClient
from tests.app.people import add_user, session_token_of

API = "/api/xai-qc"
_SHA = "0" * 64


def test_a_revoked_and_an_expired_key_are_refused(workplace: Resources, client: TestClient) -> None:
    services = workplace.services
    add_user(workplace, "station")
    issued = services.api_keys.add(COMMAND_LINE, "station", "a test", [Scope.READ], days=1)
    headers = {"Authorization": f"Bearer {issued.token}"}
    assert client.get(f"{API}/inspections", headers=headers).status_code == 200
    clock, services.store._clock = services.store._clock, lambda: issued.key.expires_at + timedelta(seconds=1)
    assert client.get(f"{API}/inspections", headers=headers).status_code == 401
    services.store._clock = clock
    services.api_keys.revoke(COMMAND_LINE, issued.key.key_id)
    assert client.get(f"{API}/inspections", headers=headers).status_code == 401


def test_a_password_that_was_never_changed_bars_a_person_and_not_a_key(
    workplace: Resources, client: TestClient
) -> None:
    add_user(workplace, "station", must_change=True)
    issued = workplace.services.api_keys.add(COMMAND_LINE, "station", "a test", [Scope.READ], days=1)
    headers = {"Authorization": f"Bearer {issued.token}"}
    assert client.get(f"{API}/inspections", headers=headers).status_code == 200
    client.cookies.set(SESSION_COOKIE, session_token_of(workplace, "station"))
    assert client.get(f"{API}/inspections").status_code == 403


def test_a_session_reads_and_writes_only_from_our_own_origin(
    workplace: Resources, client: TestClient
) -> None:
    add_user(workplace, "annotator", Role.ANNOTATOR)
    client.cookies.set(SESSION_COOKIE, session_token_of(workplace, "annotator"))
    address, wish = f"{API}/labels/{_SHA}", {"labels": [], "expected_version": 0}
    assert client.get(f"{API}/inspections").status_code == 200
    for origin, read, written in (
        (None, 200, 403),
        ("http://testserver", 200, 404),
        ("http://evil.test", 401, 403),
    ):
        headers = {} if origin is None else {"Origin": origin}
        assert client.get(f"{API}/inspections", headers=headers).status_code == read
        assert client.put(address, json=wish, headers=headers).status_code == written


def test_a_guest_of_the_demo_is_nobody_here(workplace: Resources, client: TestClient) -> None:
    client.cookies.set("radikal_guest", workplace.tokens.issue())
    assert client.get(f"{API}/inspections").status_code == 401
