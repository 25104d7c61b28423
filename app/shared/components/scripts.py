"""The JavaScript of the components: ES modules under an address that names their content.

A component tells the browser where its module lies. Streamlit would send the code along with the data of the
component, anew with every change of a reading.
"""

import gzip
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_PREFIX = "/scripts"
_FOLDER = Path(__file__).parent
_HEADERS = {"Cache-Control": "public, max-age=31536000, immutable", "Content-Encoding": "gzip"}
_LOADER = """export default async (component) => {
  const { default: show } = await import(location.origin + "%s");
  return show(component);
};
"""


@dataclass(frozen=True, slots=True, eq=False)
class Scripts:
    """Every module.

    Attributes:
        version: changes when any of them does.
        bodies: gzip bytes by path below the folder of the components.
    """

    version: str
    bodies: Mapping[str, bytes]

    def address_of(self, path: str) -> str:
        """The address at which the browser finds a module."""
        return f"{_PREFIX}/{self.version}/{path}"


@cache
def scripts() -> Scripts:
    """The modules as they were when they were asked for first."""
    files = sorted(_FOLDER.rglob("*.js"))
    texts = {file.relative_to(_FOLDER).as_posix(): file.read_bytes() for file in files}
    digest = hashlib.sha256()
    for path, text in texts.items():
        digest.update(f"{path} {len(text)}\n".encode() + text)
    return Scripts(digest.hexdigest()[:16], {path: gzip.compress(text) for path, text in texts.items()})


@cache
def component(name: str, *shared_styles: str) -> Callable[..., Any]:
    """The component of the folder `name`: the HTML, CSS and module there that bear its name too.

    Args:
        name: of the folder.
        shared_styles: style sheets of other folders that its own one builds upon.
    """
    return st.components.v2.component(
        f"radikal_{name}",
        html=_text(f"{name}/{name}.html"),
        css="".join(map(_text, (*shared_styles, f"{name}/{name}.css"))),
        js=_LOADER % scripts().address_of(f"{name}/{name}.js"),
    )


def _text(path: str) -> str:
    file = _FOLDER / path
    return file.read_text(encoding="utf-8") if file.exists() else ""


def routes() -> list[Route]:
    """The routes of the modules, open to everybody: the page that people sign in on needs some too."""
    return [Route(_PREFIX + "/{version}/{path:path}", _script)]


async def _script(request: Request) -> Response:
    known = scripts()
    body = known.bodies.get(request.path_params["path"])
    if body is None or request.path_params["version"] != known.version:
        return Response("There is no such script.", status_code=404, headers={"Cache-Control": "no-store"})
    return Response(body, media_type="text/javascript", headers=_HEADERS)
