"""The routes that begin and end a session."""

import warnings
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette

from app.auth.routes import routes
from app.shared.guest_tokens import COOKIE
from app.shared.resources import Resources
from app.shared.visitors import SESSION_COOKIE
from tests.app.people import PASSWORD, add_user, session_token_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it prefers httpx2, which nothing else here needs
    from starlette.testclient import TestClient

OWN = {"Origin": "http://testserver"}


@pytest.fixture
def client(workplace: Resources) -> Iterator[TestClient]:
    add_user(workplace, "inspector")
    with TestClient(Starlette(routes=routes()), follow_redirects=False) as client:
        yield client


def ticket(held: Resources) -> str:
    return held.services.signing_in.verify("inspector", PASSWORD, "192.0.2.7")


def test_a_ticket_becomes_a_cookie_that_scripts_cannot_read(workplace: Resources, client: TestClient) -> None:
    answer = client.post("/signin", data={"ticket": ticket(workplace), "next": "/how-to-read"}, headers=OWN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/how-to-read")
    cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith(SESSION_COOKIE))
    assert "; HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie
    assert "Max-Age" not in cookie  # it goes with the browser
    assert answer.headers["cache-control"] == "no-store"
    assert workplace.services.signing_in.who(client.cookies[SESSION_COOKIE])


def test_over_https_the_cookie_is_secure(workplace: Resources, client: TestClient) -> None:
    answer = client.post(
        "https://testserver/signin",
        data={"ticket": ticket(workplace)},
        headers={"Origin": "https://testserver"},
    )
    cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith(SESSION_COOKIE))
    assert "; Secure" in cookie


@pytest.mark.parametrize("origin", [None, "http://elsewhere.example", "null", "http://testserver.example"])
@pytest.mark.parametrize("path", ["/signin", "/signout"])
def test_another_page_cannot_sign_anybody_in_or_out(
    workplace: Resources, client: TestClient, origin: str | None, path: str
) -> None:
    good = ticket(workplace)
    token = session_token_of(workplace, "inspector")
    headers = {"Cookie": f"{SESSION_COOKIE}={token}", **({"Origin": origin} if origin else {})}
    answer = client.post(path, data={"ticket": good}, headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert workplace.services.signing_in.who(token)
    assert workplace.services.signing_in.exchange(good, "Browser")


def test_a_bad_ticket_leads_back_to_the_form_and_leaves_the_session(
    workplace: Resources, client: TestClient
) -> None:
    token = session_token_of(workplace, "inspector")
    answer = client.post(
        "/signin",
        data={"ticket": "nonsense", "next": "/how-to-read?a=1"},
        headers={**OWN, "Cookie": f"{SESSION_COOKIE}={token}"},
    )
    assert answer.headers["location"] == "/how-to-read?a=1&sign-in=late"
    assert "set-cookie" not in answer.headers
    assert workplace.services.signing_in.who(token)


@pytest.mark.parametrize(
    "target",
    [
        "https://elsewhere.example/",
        "//elsewhere.example",
        "/\\elsewhere.example",
        "\\\\elsewhere.example",
        "javascript:alert(1)",
        "/nothing-of-ours",
        "/how-to-read/../../etc",
        "",
        "/\r\nSet-Cookie: a=b",
    ],
)
def test_it_leads_to_our_own_pages_only(workplace: Resources, client: TestClient, target: str) -> None:
    answer = client.post("/signin", data={"ticket": ticket(workplace), "next": target}, headers=OWN)
    assert answer.headers["location"] == "/"


def test_the_address_of_an_image_survives(workplace: Resources, client: TestClient) -> None:
    data = {"ticket": ticket(workplace), "next": "/?model=weld&image=ab12"}
    assert client.post("/signin", data=data, headers=OWN).headers["location"] == "/?model=weld&image=ab12"


def test_a_new_session_ends_the_one_that_this_browser_had(workplace: Resources, client: TestClient) -> None:
    old = session_token_of(workplace, "inspector")
    headers = {**OWN, "Cookie": f"{SESSION_COOKIE}={old}; {COOKIE}=x; _streamlit_user=y; _streamlit_user_1=z"}
    answer = client.post("/signin", data={"ticket": ticket(workplace)}, headers=headers)
    assert workplace.services.signing_in.who(old) is None
    dropped = {c.partition("=")[0] for c in answer.headers.get_list("set-cookie") if "Max-Age=0" in c}
    assert dropped == {COOKIE, "_streamlit_user", "_streamlit_user_1"}


def test_signing_out_ends_the_session_on_the_server_too(workplace: Resources, client: TestClient) -> None:
    token = session_token_of(workplace, "inspector")
    answer = client.post("/signout", headers={**OWN, "Cookie": f"{SESSION_COOKIE}={token}"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert any(c.startswith(f'{SESSION_COOKIE}="";') for c in answer.headers.get_list("set-cookie"))
    assert workplace.services.signing_in.who(token) is None


def test_ending_the_demo_throws_the_workspace_away(workplace: Resources, client: TestClient) -> None:
    token = workplace.tokens.issue()
    from app.shared.visitors import identity_of

    guest = identity_of({COOKIE: token}, address="192.0.2.7")
    assert guest is not None
    held = workplace.services.workspace_of(guest)
    client.post("/signout", headers={**OWN, "Cookie": f"{COOKIE}={token}"})
    assert workplace.services.workspace_of(guest) is not held


def test_signing_out_twice_or_without_a_session_is_fine(client: TestClient) -> None:
    for _ in range(2):
        assert client.post("/signout", headers=OWN).status_code == 303


def test_asking_for_the_form_keeps_the_page(client: TestClient) -> None:
    assert client.get("/signin?next=/how-to-read").headers["location"] == "/how-to-read?sign-in=yes"
    assert client.get("/signin").headers["location"] == "/?sign-in=yes"
