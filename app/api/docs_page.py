"""The page that documents the API: plain HTML out of the OpenAPI document, which needs no script."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from app.api.access import DOCUMENT, PAGE
from app.api.problems import KINDS, OTHER_KINDS
from app.shared.policy import CLOSED_POLICY, hash_source
from app.shared.templates import rendered
from core.domain.api_keys import Scope

router = APIRouter()
_STYLE = Path(__file__).with_suffix(".css").read_text(encoding="utf-8")
_HEADERS = {
    "Content-Security-Policy": f"{CLOSED_POLICY}; style-src {hash_source(_STYLE)}; img-src 'self'",
    "Cache-Control": "no-store",
}


@router.get(PAGE, include_in_schema=False)
def docs_page(request: Request) -> HTMLResponse:
    """The page."""
    return HTMLResponse(_page(request.app), headers=_HEADERS)


@cache
def _page(api: Any) -> str:
    document = api.openapi()
    kinds = {kind.slug: (kind.status, kind.title) for kind in KINDS}
    kinds |= {slug: (status, title) for status, (slug, title) in OTHER_KINDS.items()}
    return rendered(
        "api/templates/docs.html",
        style=_STYLE,
        about=[_with_code(text) for text in document["info"]["description"].split("\n\n")],
        document=DOCUMENT,
        scopes=[(scope.value, scope.words) for scope in Scope],
        kinds=sorted(kinds.items()),
        operations=list(_operations(document)),
        schemas={
            name: _fields(schema)
            for name, schema in document["components"]["schemas"].items()
            if "properties" in schema
        },
    )


def _operations(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The values of each operation."""
    for path, methods in document["paths"].items():
        for method, one in methods.items():
            yield {
                "method": method.upper(),
                "path": path,
                "anchor": one["operationId"],
                "tag": one["tags"][0],
                "summary": one["summary"],
                "about": [_with_code(text) for text in one.get("description", "").split("\n\n")],
                "parameters": [
                    {
                        "name": asked["name"],
                        "in": asked["in"],
                        "type": type_words(asked["schema"]),
                        "is_needed": asked.get("required", False),
                        "about": _with_code(asked["description"]),
                    }
                    for asked in one.get("parameters", ())
                ],
                "body": _body(document, one),
                "answers": [
                    (status, answer["description"], _schema_of(answer))
                    for status, answer in sorted(one["responses"].items())
                    if status < "400"
                ],
            }


def _body(document: Mapping[str, Any], one: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The fields of the body."""
    for content in one.get("requestBody", {}).get("content", {}).values():
        name = content["schema"]["$ref"].rsplit("/", 1)[1]
        return _fields(document["components"]["schemas"][name])
    return []


def _schema_of(answer: Mapping[str, Any]) -> str:
    """Name of the schema of an answer; empty for files."""
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    return str(schema.get("items", schema).get("$ref", "")).rsplit("/", 1)[-1]


def _fields(schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "type": type_words(one),
            "is_needed": name in schema.get("required", ()),
            "about": _with_code(one.get("description", "")),
        }
        for name, one in schema["properties"].items()
    ]


def _with_code(text: str) -> Markup:
    """The text as HTML, what stands between backquotes as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def type_words(schema: Mapping[str, Any]) -> str:
    """The type of a value in a word or two."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[1]
    if "anyOf" in schema:
        return " or ".join(type_words(one) for one in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {type_words(schema['items'])}" if "items" in schema else "list"
    if "enum" in schema:
        return " | ".join(str(one) for one in schema["enum"])
    return str(schema.get("const", schema.get("format", schema.get("type", "any"))))
