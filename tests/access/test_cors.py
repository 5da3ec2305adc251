"""What a page of another origin may ask and read."""

import pytest

from tests.access.asking import Asked, Route, ask
from tests.access.conftest import Served, Writing
from tests.access.identity import PAGES, Identity
from tests.access.matrix import carry

EVIL = "https://evil.example"
READS = {
    "get": Route("GET", "/v1/items/mine"),
    "listing": Route("GET", "/v1/items"),
    "stream": Route("GET", "/v1/items/stream", streams=True),
    "poll": Route("GET", "/v1/items/poll?wait=0"),
    "refusal": Route("GET", "/v1/nothing/here?nonsense"),
}


def fields(answer: Asked) -> dict[str, str]:
    return dict(line.lower().split(": ", 1) for line in answer.head.split("\r\n")[1:] if line)


@pytest.mark.parametrize("route", READS.values(), ids=READS)
async def test_an_allowed_page_may_read_every_answer_and_another_none(
    route: Route, identity: Identity, served: Served
) -> None:
    shown = carry("header", identity.token("watch:*")).headers
    allowed = await ask(served.port, route, {**shown, "Origin": PAGES})
    assert fields(allowed)["access-control-allow-origin"] == PAGES
    assert fields(allowed)["access-control-allow-credentials"] == "true"
    assert "watch-cursor" in fields(allowed)["access-control-expose-headers"]
    other = await ask(served.port, route, {**shown, "Origin": EVIL})
    assert "access-control-allow-origin" not in fields(other)
    for answer in (allowed, other):
        assert "\r\nvary: origin" in answer.head.lower()


async def test_a_write_of_an_allowed_page_may_be_read_too(identity: Identity, written: Writing) -> None:
    route = Route("PUT", "/v1/items/mine", body=b"1")
    shown = carry("header", identity.token("publish:*")).headers
    assert fields(await ask(written.port, route, {**shown, "Origin": PAGES}))["access-control-allow-origin"] == PAGES
    refused = await ask(written.port, route, {"Origin": PAGES})
    assert (refused.status, fields(refused)["access-control-allow-origin"]) == (401, PAGES)


PREFLIGHT = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization, ce-type"}


async def test_a_page_asks_before_it_asks(served: Served) -> None:
    route = Route("OPTIONS", "/v1/items/mine")
    allowed = await ask(served.port, route, {**PREFLIGHT, "Origin": PAGES})
    assert allowed.status == 204
    assert fields(allowed)["access-control-allow-origin"] == PAGES
    assert fields(allowed)["access-control-allow-methods"] == "get, head, put, post, delete"
    assert fields(allowed)["access-control-allow-headers"] == "authorization, ce-type"
    other = await ask(served.port, route, {**PREFLIGHT, "Origin": EVIL})
    assert (other.status, other.code) == (403, "forbidden")
    assert "access-control-allow-origin" not in fields(other)


@pytest.mark.parametrize("wanted", ["a b", "x" * 2000, "a,,b"])
async def test_nonsense_is_not_repeated(wanted: str, served: Served) -> None:
    headers = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": wanted, "Origin": PAGES}
    answer = await ask(served.port, Route("OPTIONS", "/v1/items"), headers)
    assert (answer.status, answer.code) == (400, "invalid")


async def test_options_by_itself_is_no_method_here(served: Served) -> None:
    answer = await ask(served.port, Route("OPTIONS", "/v1/items"), {})
    assert (answer.status, answer.code) == (405, "method_not_allowed")
