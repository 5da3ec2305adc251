"""What the head of every answer says to a browser, refusals included."""

import pytest

from tests.access.asking import Asked, Route, ask
from tests.access.conftest import Served, Writing
from tests.access.identity import PAGES, Identity
from tests.access.matrix import READS, WRITES, carry

REFUSED = {
    "nonsense": Route("GET", "/v1/items/mine?nonsense"),
    "no such collection": Route("GET", "/v1/nothing/here"),
    "no address": Route("GET", "/elsewhere"),
    "no such method": Route("PATCH", "/v1/items/mine"),
    "no ticket": Route("POST", "/v1/tickets", body=b"{"),
    "head of a stream": Route("HEAD", "/v1/items/stream"),
}
STORED = {"no-store", "no-cache", "no-store, no-transform"}


def check(answer: Asked) -> None:
    lines = answer.head.lower().split("\r\n")
    assert lines.count("x-content-type-options: nosniff") == 1
    (kept,) = [line.partition(": ")[2] for line in lines if line.startswith("cache-control: ")]
    assert kept in STORED


READ = {name: route for name, (route, _) in READS.items() if not route.upgrade} | REFUSED


@pytest.mark.parametrize("route", READ.values(), ids=READ)
@pytest.mark.parametrize("scope", ["watch:*", None])
async def test_no_answer_of_a_reader_is_taken_for_a_page_or_kept_unasked(
    route: Route, scope: str | None, identity: Identity, served: Served
) -> None:
    shown = carry("header", identity.token(scope)).headers if scope else {}
    check(await ask(served.port, route, shown))


@pytest.mark.parametrize("route", [route for route, _ in WRITES.values()], ids=WRITES)
@pytest.mark.parametrize("scope", ["publish:*", None])
async def test_nor_one_of_a_writer(route: Route, scope: str | None, identity: Identity, written: Writing) -> None:
    shown = carry("header", identity.token(scope)).headers if scope else {}
    check(await ask(written.port, route, shown))


async def test_nor_one_to_an_upgrade_that_is_refused(served: Served) -> None:
    for headers in ({}, {"Origin": f"{PAGES}.evil.example"}):
        refused = await ask(served.port, Route("GET", "/v1/items/mine", upgrade=True), headers)
        assert refused.status in {401, 403}
        check(refused)
