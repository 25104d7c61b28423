"""Signing in through an identity provider, in a real browser."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e import serving
from tests.e2e.identity_provider import CLIENT_ID, IdentityProvider, identity_provider
from tests.e2e.serving import Served, free_port, served
from tests.e2e.test_sign_in import ENDED, form, interact, menu, sign_out, visitor

BUTTON = "Sign in with your organisation"
pytestmark = [pytest.mark.e2e, pytest.mark.filterwarnings("ignore::ResourceWarning")]


@pytest.fixture(scope="module")
def provider() -> Iterator[IdentityProvider]:
    with identity_provider(free_port()) as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, provider: IdentityProvider) -> Iterator[Served]:
    """The product, with the provider in Streamlit's secrets below a home of its own."""
    port, home = free_port(), tmp_path_factory.mktemp("home")
    write_secrets(home / ".streamlit" / "secrets.toml", port, provider)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serving, "free_port", lambda: port)
        environment = {"HOME": str(home), "OIDC_ROLES": "qc-admins=admin,qc-film=inspector"}
        with served(tmp_path_factory.mktemp("served"), environment=environment) as running:
            yield running


def write_secrets(path: Path, port: int, provider: IdentityProvider) -> None:
    path.parent.mkdir()
    path.write_text(
        f"""
[auth]
redirect_uri = "http://127.0.0.1:{port}/oauth2callback"
cookie_secret = "{secrets.token_urlsafe(32)}"
client_id = "{CLIENT_ID}"
client_secret = "{secrets.token_urlsafe(16)}"
server_metadata_url = "{provider.address}/.well-known/openid-configuration"
""",
        encoding="utf-8",
    )


def test_the_providers_person_comes_in_with_the_role_of_the_claims(
    chromium: Browser, server: Served, provider: IdentityProvider
) -> None:
    provider.claims = {"sub": "1", "preferred_username": "film.person", "roles": ["qc-film"]}
    with visitor(chromium, server) as context:
        page = context.new_page()
        page.goto("/")
        page.get_by_role("button", name=BUTTON).click()
        expect(menu(page, "film.person")).to_be_visible()
        expect(page.get_by_text("Drop a radiograph")).to_be_visible()
        names = {cookie["name"] for cookie in context.cookies()}
        assert "radikal_session" in names
        assert not {name for name in names if name.startswith("_streamlit_user")}


def test_signing_out_is_not_undone_by_another_tab(
    chromium: Browser, server: Served, provider: IdentityProvider
) -> None:
    provider.claims = {"sub": "2", "preferred_username": "two.tabs", "roles": ["qc-film"]}
    with visitor(chromium, server) as context:
        one, two = context.new_page(), context.new_page()
        one.goto("/")
        one.get_by_role("button", name=BUTTON).click()
        expect(menu(one, "two.tabs")).to_be_visible()
        two.goto("/how-to-read")
        expect(menu(two, "two.tabs")).to_be_visible()
        sign_out(one, "two.tabs")
        interact(two)
        expect(two.get_by_text(ENDED)).to_be_visible()
        two.reload()
        expect(form(two)).to_be_visible()
        two.wait_for_timeout(1500)
        assert "radikal_session" not in {cookie["name"] for cookie in context.cookies()}


def test_without_a_role_nobody_gets_in_and_is_told_why(
    chromium: Browser, server: Served, provider: IdentityProvider
) -> None:
    provider.claims = {"sub": "3", "preferred_username": "no.role", "roles": ["kitchen"]}
    with visitor(chromium, server) as context:
        page = context.new_page()
        page.goto("/")
        page.get_by_role("button", name=BUTTON).click()
        expect(page.get_by_text("gives you no role here")).to_be_visible()
        assert "radikal_session" not in {cookie["name"] for cookie in context.cookies()}


def test_the_role_is_the_one_of_the_newest_sign_in(
    chromium: Browser, server: Served, provider: IdentityProvider
) -> None:
    provider.claims = {"sub": "4", "preferred_username": "rising", "roles": ["qc-film"]}
    with visitor(chromium, server) as context:
        page = context.new_page()
        page.goto("/")
        page.get_by_role("button", name=BUTTON).click()
        expect(menu(page, "rising")).to_be_visible()
        expect(page.get_by_role("button", name="System")).to_have_count(0)
        sign_out(page, "rising")
        provider.claims["roles"] = ["qc-admins"]
        page.get_by_role("button", name=BUTTON).click()
        expect(menu(page, "rising")).to_be_visible()
        page.get_by_role("button", name="System").click()
        expect(page.get_by_role("menuitem", name="Users")).to_be_visible()
