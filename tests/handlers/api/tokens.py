"""Tokens as tests make and show them. The token of the settings is ``s3cret``."""

from __future__ import annotations

from typing import Any

from tornado.httpclient import HTTPResponse

from tests.handlers.conftest import Ask, Browser, body_of

ADMIN = {"Authorization": "Bearer s3cret"}
JSON = {"Content-Type": "application/json"}


async def made(ask: Ask, *scopes: str, **fields: Any) -> dict[str, Any]:
    wanted = {"name": "scanner", "scopes": scopes} | fields
    response = await ask("/api/v1/tokens", "POST", json=wanted, headers=ADMIN)
    assert response.code == 201, response.body
    assert response.headers["Location"] == body_of(response)["links"]["self"]
    answer: dict[str, Any] = body_of(response)
    return answer


def shown(token: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {token['token']}"}


def refused(response: HTTPResponse, code: str, words: str) -> None:
    assert (response.code, body_of(response)["code"]) == (403, code)
    assert words in body_of(response)["detail"]


async def signed_in(browser: Browser, text: str) -> HTTPResponse:
    return await browser.post("/login", {"token": text, "next": "/jobs"}, "/login")
