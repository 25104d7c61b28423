"""Writes clients/python/radikal_client.py from the OpenAPI document; a test fails when it is out of date."""

import keyword
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from app.api.access import PREFIX
from app.api.application import create_api
from core.config import Settings

TARGET = Path(__file__).with_name("python") / "radikal_client.py"
_HEAD = Path(__file__).with_name("client_head.py.txt")
_TYPES = {
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "array": "list[Any]",
    "object": "dict[str, Any]",
}
_FILES, _REPEAT = "files", "Idempotency-Key"


def render(document: Mapping[str, Any]) -> str:
    """The whole module."""
    methods = [
        _method(document, path.removeprefix(PREFIX), method, one)
        for path, each in document["paths"].items()
        for method, one in each.items()
    ]
    return _HEAD.read_text(encoding="utf-8") + "\n" + "\n".join(methods)


def _method(document: Mapping[str, Any], path: str, method: str, one: Mapping[str, Any]) -> str:
    """The method of one operation."""
    arguments = list(_arguments(document, one))
    needed = [f"{name}: {kind}" for name, kind, is_needed, *_ in arguments if is_needed]
    others = [f"{name}: {kind} | None = None" for name, kind, is_needed, *_ in arguments if not is_needed]
    signature = ", ".join(["self", *needed, *(["*", *others] if others else [])])
    content = next(one["responses"][status] for status in sorted(one["responses"]) if status < "400")
    is_json = list(content.get("content", {})) == ["application/json"]
    by_place = {place: [(sent, name) for name, _, _, at, sent in arguments if at == place]
                for place in ("query", "header", "json", "form")}  # fmt: skip
    passed = [
        f"{place}={{{', '.join(f'{sent!r}: {name}' for sent, name in found)}}}"
        for place, found in by_place.items()
        if found
    ]
    if any(name == _FILES for name, *_ in arguments):
        passed.append("files=files")
    call = ", ".join([f"{method.upper()!r}", _address(path), *passed])
    answer, decoded = ("Any", "json.loads({})") if is_json else ("bytes", "{}")
    lines = [
        f"    def {one['operationId']}({signature}) -> {answer}:",
        f'        """{one["summary"]}: {method.upper()} {path}."""',
        f"        return {decoded.format(f'self._ask({call})')}",
    ]
    return "\n".join(lines) + "\n"


def _address(path: str) -> str:
    """The address as an expression, with its arguments quoted."""
    return f"f{path!r}".replace("{", "{_part(").replace("}", ")}") if "{" in path else repr(path)


def _arguments(
    document: Mapping[str, Any], one: Mapping[str, Any]
) -> Iterator[tuple[str, str, bool, str, str]]:
    """Name, type, whether it is needed, place and name there of each argument."""
    for asked in one.get("parameters", ()):
        kind = _type(asked["schema"])
        yield _name(asked["name"]), kind, asked.get("required", False), asked["in"], asked["name"]
    for media_type, content in one.get("requestBody", {}).get("content", {}).items():
        schema = document["components"]["schemas"][content["schema"]["$ref"].rsplit("/", 1)[1]]
        place = "json" if media_type == "application/json" else "form"
        for field, each in schema["properties"].items():
            is_needed = field in schema.get("required", ())
            if place == "form" and field == _FILES:
                yield field, "Files", is_needed, _FILES, field
            else:
                yield _name(field), _type(each), is_needed, place, field


def _type(schema: Mapping[str, Any]) -> str:
    kinds = [one for one in schema.get("anyOf", (schema,)) if one.get("type") != "null"]
    return _TYPES.get(str(kinds[0].get("type")), "str")


def _name(sent: str) -> str:
    name = "repeat_key" if sent == _REPEAT else sent.replace("-", "_").lower()
    return f"{name}_" if keyword.iskeyword(name) else name


def main() -> None:
    """Write the file."""
    TARGET.write_text(render(create_api(Settings(_env_file=None)).openapi()), encoding="utf-8")


if __name__ == "__main__":
    main()
