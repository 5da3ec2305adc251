from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from cli.front import Front


def named(name: str) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse(f"{name} {Request(scope).method}")(scope, receive, send)

    return app


@pytest.fixture
def client() -> TestClient:
    return TestClient(Front(reader=named("reader"), writer=named("writer"), rest=named("rest")))


@pytest.mark.parametrize(
    ("method", "path", "served_by"),
    [
        ("GET", "/v1/stocks/AAPL", "reader"),
        ("GET", "/v1/stocks/stream", "reader"),
        ("GET", "/v1/watch/poll?resource=stocks", "reader"),
        ("GET", "/v1/a/b/c", "reader"),
        ("PUT", "/v1/stocks/AAPL", "writer"),
        ("PUT", "/v1/stocks/a%2Fb", "writer"),
        ("DELETE", "/v1/stocks/AAPL", "writer"),
        ("POST", "/v1/stocks?atomic=true", "writer"),
        ("GET", "/docs", "reader"),
        ("GET", "/docs/app.js", "reader"),
        ("GET", "/docsx", "rest"),
        ("GET", "/", "rest"),
        ("POST", "/page/app.js", "rest"),
        ("GET", "/readyz", "rest"),
        ("GET", "/v1", "rest"),
    ],
)
def test_each_request_reaches_the_app_that_knows_it(client: TestClient, method: str, path: str, served_by: str) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.text) == (200, f"{served_by} {method}")


def test_head_is_a_read(client: TestClient) -> None:
    assert client.head("/v1/stocks/AAPL").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PATCH", "/v1/stocks/AAPL", "GET, HEAD, PUT, DELETE"),
        ("POST", "/v1/stocks/AAPL", "GET, HEAD, PUT, DELETE"),
        ("OPTIONS", "/v1/stocks/AAPL", "GET, HEAD, PUT, DELETE"),
        ("PUT", "/v1/stocks", "GET, HEAD, POST"),
        ("DELETE", "/v1/stocks", "GET, HEAD, POST"),
        ("PUT", "/v1/stocks/stream", "GET, HEAD"),
        ("DELETE", "/v1/stocks/AAPL/poll", "GET, HEAD"),
        ("POST", "/v1/watch/stream", "GET, HEAD"),
    ],
)
def test_a_method_that_an_address_does_not_know_is_told_all_that_it_knows(
    client: TestClient, method: str, path: str, allow: str
) -> None:
    answer = client.request(method, path)
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, answer.headers["allow"], body["code"]) == (405, allow, "method_not_allowed")


@pytest.mark.parametrize(
    ("path", "status"), [("/v1/a/b/c", 404), ("/v1/%FF/x", 400), ("/v1/watch/x", 404), ("/v1/_/x", 404)]
)
def test_a_write_to_what_is_no_address_is_refused_as_a_problem(client: TestClient, path: str, status: int) -> None:
    answer = client.put(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
