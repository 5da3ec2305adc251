"""`/v1/openapi.json` names what is granted to who asks, and nothing else."""

from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
import pytest_asyncio

from tests.access.asking import Asked, Route, ask
from tests.access.conftest import Served, serving
from tests.access.identity import Identity
from tests.access.matrix import carry

DOCUMENT = "/v1/openapi.json"
Asking = tuple[Identity, Served]


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=[False, True], ids=["shown", "hidden"])
async def asking(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Asking]:
    folder: Path = tmp_path_factory.mktemp("description")
    identity = Identity(folder, hide=request.param)
    async with serving(identity.auth) as served:
        yield identity, served


async def described(asking: Asking, scope: str | None) -> Asked:
    identity, served = asking
    shown = {} if scope is None else carry("header", identity.token(scope)).headers
    return await ask(served.port, Route("GET", DOCUMENT), shown)


def granted(answer: Asked) -> dict[str, dict[str, str]]:
    """What the document says of each collection."""
    assert answer.status == 200, answer
    tags = orjson.loads(answer.body)["tags"]
    return {tag["name"]: tag["x-watchroute"]["granted"] for tag in tags if "x-watchroute" in tag}


async def test_without_a_token_it_names_what_is_public(asking: Asking) -> None:
    answer = await described(asking, None)
    assert granted(answer) == {"open": {"watch": "all", "publish": "none"}}
    assert b"/v1/items" not in answer.body
    assert b"/v1/others" not in answer.body


async def test_with_a_token_it_names_what_that_grants_in_whole_or_in_part(asking: Asking) -> None:
    answer = await described(asking, "watch:items/mine publish:others/*")
    assert granted(answer) == {
        "items": {"watch": "part", "publish": "none"},
        "others": {"watch": "none", "publish": "all"},
        "open": {"watch": "all", "publish": "none"},
    }
    paths = orjson.loads(answer.body)["paths"]
    assert set(paths["/v1/items/{id}"]) == {"parameters", "get"}
    assert set(paths["/v1/others/{id}"]) == {"parameters", "put", "delete"}
    assert "/v1/others/stream" not in paths


async def test_a_bad_token_is_refused(asking: Asking) -> None:
    _, served = asking
    answer = await ask(served.port, Route("GET", DOCUMENT), carry("header", "a.b.c").headers)
    assert (answer.status, answer.code) == (401, "unauthenticated")


async def test_it_is_kept_by_nobody_between_and_asked_for_again_by_its_tag(asking: Asking) -> None:
    identity, served = asking
    shown = carry("header", identity.token("watch:items/*")).headers
    first = await ask(served.port, Route("GET", DOCUMENT), shown)
    head = first.head.lower()
    assert "cache-control: private, no-cache" in head
    assert "vary: authorization, cookie" in head
    etag = head.partition("etag: ")[2].partition("\r\n")[0]
    again = await ask(served.port, Route("GET", DOCUMENT), {**shown, "If-None-Match": etag})
    assert (again.status, again.body) == (304, b"")
    other = carry("header", identity.token("watch:others/*")).headers
    assert (await ask(served.port, Route("GET", DOCUMENT), {**other, "If-None-Match": etag})).status == 200


async def test_a_parameter_and_another_method_are_refused(asking: Asking) -> None:
    _, served = asking
    assert (await ask(served.port, Route("GET", f"{DOCUMENT}?x=1"), {})).status == 400
    assert (await ask(served.port, Route("DELETE", DOCUMENT), {})).status == 405


@pytest.mark.parametrize("target", [DOCUMENT, "/docs", "/docs/app.js"])
async def test_head_is_answered_as_get_without_a_body(asking: Asking, target: str) -> None:
    _, served = asking
    whole = await ask(served.port, Route("GET", target), {})
    head = await ask(served.port, Route("HEAD", target), {})
    assert (whole.status, head.status, head.body) == (200, 200, b"")
    assert f"content-length: {len(whole.body)}" in head.head.lower()


async def test_the_page_is_shown_to_everybody_and_holds_nothing_of_collections(asking: Asking) -> None:
    _, served = asking
    page = await ask(served.port, Route("GET", "/docs"), {})
    assert "content-security-policy: default-src 'none'" in page.head.lower()
    assert b"/v1/open" not in page.body.replace(DOCUMENT.encode(), b"")
    assert (await ask(served.port, Route("GET", "/docs/other.js"), {})).status == 404
    assert (await ask(served.port, Route("POST", "/docs"), {})).status == 405
