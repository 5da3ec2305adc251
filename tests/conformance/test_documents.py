"""Each example of the documents is executed, or is what the services say."""

import json
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote, urlsplit

import pytest
import pytest_asyncio
from openapi_spec_validator import validate

from shared.contract.definitions import definitions, schema_of
from shared.problem import KINDS, Problem
from shared.schema import Schema
from tests.access.asking import Asked, Route, ask
from tests.conformance.conftest import RawHeaders
from tests.conformance.scene import Scene
from tests.support.client import Ask, Http, Watch, WebSocketWatcher, Writer, open_watch
from tests.support.client_sse import EventStreamParser
from tests.support.contract import document, frame_mistakes, judge, resolved
from tests.support.fleet import Fleet

OPENAPI: Final = document("openapi")
TRACE: Final = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
METHODS: Final = ("get", "put", "post", "delete")
# Their values are of the running system: one that is written down could not be good.
OPAQUE: Final = frozenset({"cursor", "at_least", "Last-Event-ID", "If-None-Match"})
PROBLEMS: Final = [name for name in definitions() if name.endswith("Problem") and name != "Problem"]


def examples() -> Iterator[Any]:
    """Each operation with what it needs, and then with each of its optional parameters besides."""
    for path, item in OPENAPI["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            every = [resolved(each) for each in (*item.get("parameters", ()), *item[method].get("parameters", ()))]
            needed = [each for each in every if each.get("required")]
            optional = [each for each in every if not each.get("required")]
            for more in (None, *optional):
                name = f"{method} {path} {more['name'] if more else ''}".strip()
                yield pytest.param(path, method, [*needed, *([more] if more else [])], id=name)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def cursor(writer: Writer) -> str:
    return (await writer.put("playground/hello", {"text": "Hello"})).cursor


def test_the_description_is_valid() -> None:
    validate(OPENAPI)


@pytest.mark.parametrize(("path", "method", "parameters"), list(examples()))
async def test_each_example_of_a_request_is_done(
    fleet: Fleet, writer: Writer, cursor: str, path: str, method: str, parameters: list[dict[str, Any]]
) -> None:
    await writer.put("playground/hello", {"text": "Hello"})
    target, headers = path, dict[str, str]()
    pairs: list[str] = []
    for each in parameters:
        values = [cursor] if each["name"] in OPAQUE else each["example"]
        for value in values if isinstance(values, list) else [values]:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            if each["in"] == "path":
                target = target.replace("{" + each["name"] + "}", quote(text, safe=""))
            elif each["in"] == "query":
                pairs.append(f"{each['name']}={quote(text, safe='')}")
            else:
                headers[each["name"]] = text
    for kind, body in bodies(OPENAPI["paths"][path][method]):
        answer = await asked(fleet, method, target + ("?" + "&".join(pairs) if pairs else ""), headers, kind, body)
        wanted = {101} if path.endswith("/ws") else {200}
        assert answer.status in wanted, answer


def bodies(operation: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """The examples of an operation's body; one empty where it has none."""
    if "requestBody" not in operation:
        yield "", b""
        return
    for kind, media in resolved(operation["requestBody"])["content"].items():
        if "example" in media:
            example = media["example"]
            yield kind, example.encode() if isinstance(example, str) else json.dumps(example).encode()


async def asked(fleet: Fleet, method: str, target: str, headers: dict[str, str], kind: str, body: bytes) -> Asked:
    """Ask the service that the front door would."""
    writes = method in {"put", "delete"} or (method == "post" and target != "/v1/tickets")
    port = urlsplit((fleet.producer if writes else fleet.servers[0]).url).port
    assert port is not None
    path = target.partition("?")[0]
    if body:
        url = fleet.producer.url if writes else fleet.servers[0].url
        async with Http(url) as http:
            sent = {**headers, "Content-Type": kind}
            answer = await http.request(method.upper(), target, headers=sent, body=body)
        return Asked(answer.status, "", "", answer.body)
    own = {name: text for name, text in headers.items() if not name.startswith("Sec-WebSocket-")}
    upgrade, streams = path.endswith("/ws"), path.endswith("/stream")
    return await ask(port, Route(method.upper(), target, upgrade=upgrade, streams=streams), own)


@pytest.mark.parametrize("name", list(definitions()))
def test_each_example_of_a_schema_fits_it(name: str) -> None:
    schema = Schema(schema_of(name))
    for example in definitions()[name].get("examples", ()):
        assert schema.mistakes(example) == []


@pytest.mark.parametrize("name", PROBLEMS)
def test_each_example_of_a_problem_is_what_the_services_would_say(name: str) -> None:
    (example,) = definitions()[name]["examples"]
    code = next(code for code in KINDS if "".join(map(str.title, code.split("_"))) + "Problem" == name)
    members = {key: value for key, value in example.items() if key not in {"type", "title", "status", "detail", "code"}}
    assert Problem(code, example["detail"], **members).document() == example


def test_each_example_of_an_event_stream_tells_frames() -> None:
    media = resolved(OPENAPI["paths"]["/v1/watch/stream"]["get"]["responses"]["200"])["content"]["text/event-stream"]
    for example in media["examples"].values():
        events = list(EventStreamParser().feed(example["value"].encode() + b"\n"))
        told = [json.loads(event.data) for event in events if event.data is not None]
        assert told
        assert [frame_mistakes(frame) for frame in told] == [[] for _ in told]
        assert [event.event for event in events if event.data is not None] == [frame["event"] for frame in told]


OPERATIONS: Final = [
    example for kind in ("Subscribe", "Unsubscribe", "Publish", "Ping") for example in definitions()[kind]["examples"]
]


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
async def test_each_example_of_an_operation_is_done(fleet: Fleet, operation: dict[str, Any]) -> None:
    mine = {
        key: str(value).replace("stocks", "playground") if key == "watch" else value for key, value in operation.items()
    }
    watcher = await open_watch("websocket", fleet.servers[0].url, Ask((Watch("items", "nothing"),)))
    assert isinstance(watcher, WebSocketWatcher)
    await watcher.wait_synced()
    if mine["op"] == "unsubscribe":
        await watcher.ask_back({**mine, "op": "subscribe", "ref": "before"})
    answer = await watcher.ask_back({**mine, "ref": "example"})
    assert answer["event"] in {"ack", "pong"}, answer
    await watcher.close()


@pytest.mark.parametrize(
    "attributes", [{}, {"ce-type": "order.placed", "ce-id": "7", "ce-dept": "x", "traceparent": TRACE}]
)
async def test_a_record_has_the_headers_that_are_described(
    fleet: Fleet, raw_headers: RawHeaders, attributes: dict[str, str]
) -> None:
    async with Http(fleet.producer.url) as http:
        headers = {"Content-Type": "application/json", **attributes}
        answer = await http.request("PUT", "/v1/plain/described", headers=headers, body=b"1")
    assert answer.status == 200
    written = {name: text.decode() for name, text in (await raw_headers("plain", "described")).items()}
    assert judge("asyncapi", "#/components/schemas/EventHeaders")(written) == []


async def test_the_document_of_the_running_system_is_valid_and_knows_its_collections(
    fleet: Fleet, scene: Scene
) -> None:
    async with Http(scene.here.url) as http:
        served = (await http.get("/v1/openapi.json")).json()
    validate(served)
    assert set(fleet.collections) <= {tag["name"] for tag in served["tags"]}
    prices = Schema({"$ref": "#/components/schemas/State_strict", "components": served["components"]})
    assert prices.mistakes({"price": "much"})
    assert not prices.mistakes({"price": 1.5})
