"""The OpenAPI document and the page that shows it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from app.api.access import OPEN
from app.api.application import create_api
from app.api.problems import KINDS, OTHER_KINDS
from core.config import Settings
from tests.app.api.conftest import TestClient

_UNITS = re.compile(
    r"\bpx\b|\bmm\b|\bms\b|\bs\b|degrees|in bytes|0 to 1|without unit|[Nn]umber of|[Cc]ounts|bits|[Mm]ost"
    r"|Place in"
)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_api(Settings(_env_file=None)).openapi()


def values(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every parameter and every field, by where it is."""
    for path, methods in document["paths"].items():
        for method, one in methods.items():
            for asked in one.get("parameters", ()):
                yield f"{method} {path} {asked['name']}", asked | asked["schema"]
    for name, schema in document["components"]["schemas"].items():
        for field, one in schema.get("properties", {}).items():
            yield f"{name}.{field}", one


def is_number(one: dict[str, Any]) -> bool:
    kinds = [one, *one.get("anyOf", ())]
    return any(kind.get("type") in ("number", "integer") for kind in kinds)


def test_every_value_is_described_and_every_number_says_its_unit(document: dict[str, Any]) -> None:
    found = dict(values(document))
    assert len(found) > 100
    bare = {place for place, one in found.items() if not one.get("description") and "$ref" not in one}
    assert bare == set()
    unitless = {
        place for place, one in found.items() if is_number(one) and not _UNITS.search(one["description"])
    }
    assert unitless == set()


def test_every_operation_tells_its_problems_and_who_may_ask(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for one in methods.values():
            is_open = {} in one["security"]
            assert is_open == (path in OPEN)
            assert one["summary"]
            assert one["description"]
            for status, answer in one["responses"].items():
                if status >= "400" and not is_open:
                    assert list(answer["content"]) == ["application/problem+json"]
            assert is_open or {"401", "403", "422", "429", "500", "503"} <= set(one["responses"])


def test_the_page_shows_every_operation_and_every_kind_of_problem(
    client: TestClient, document: dict[str, Any]
) -> None:
    page = client.get("/api/docs")
    assert page.status_code == 200
    operations = [one["operationId"] for methods in document["paths"].values() for one in methods.values()]
    assert len(operations) == len(set(operations))
    slugs = {kind.slug for kind in KINDS} | {slug for slug, _ in OTHER_KINDS.values()}
    for anchor in (*operations, *slugs):
        assert f'id="{anchor}"' in page.text
    assert page.text.count("<script") == 0
    for target in re.findall(r'href="#([^"]+)"', page.text):
        assert f'id="{target}"' in page.text


def test_the_policy_of_the_page_lets_its_style_work_and_nothing_else(client: TestClient) -> None:
    policy = client.get("/api/docs").headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "style-src 'sha256-" in policy


def test_the_document_comes_to_everybody(client: TestClient) -> None:
    assert client.get("/api/openapi.json").json()["info"]["title"] == "RadiKal"
