"""Requests that are sent twice and done once: the header Idempotency-Key."""

import hashlib
import json
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Header
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.requests import Request

from app.shared.resources import resources
from core.domain.accounts import Identity

RepeatKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=64,
        pattern=r"^[\x21-\x7e]+$",
        description="Chosen by the caller, for instance a UUID: the same request with it is done once, and "
        "answered alike for 24 hours.",
    ),
]


def done_once(
    request: Request,
    identity: Identity,
    key: str | None,
    asked: Any,
    do: Callable[[], tuple[int, BaseModel]],
) -> JSONResponse:
    """The answer of `do`, or that of the same request before.

    Args:
        request: names method and address.
        identity: who asks.
        key: None does it without looking back.
        asked: plain JSON that tells the request from others.
        do: gives status and body.
    """
    if key is None:
        status, model = do()
        return JSONResponse(model.model_dump(mode="json", by_alias=True), status)

    def kept() -> tuple[int, dict[str, Any]]:
        status, model = do()
        return status, model.model_dump(mode="json", by_alias=True)

    told = json.dumps([request.method, request.url.path, request.url.query, asked], sort_keys=True)
    digest = hashlib.sha256(told.encode("utf-8")).hexdigest()
    status, body = resources().services.api_answers.once(identity, key, digest, kept)
    return JSONResponse(dict(body), status)
