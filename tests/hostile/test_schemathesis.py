"""What docs/openapi.yaml says, asked of the services: rightly and wrongly, and each answer is one that it says."""

from collections.abc import AsyncIterator
from typing import Any, Final

import jsonschema_rs
import msgpack
import orjson
import pytest
import pytest_asyncio
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from shared.problem import KINDS
from shared.target import VERBS
from tests.support.broker import Broker
from tests.support.contract import closed_document
from tests.support.fleet import Fleet

CONTRACT: Final[dict[str, Any]] = closed_document("openapi")
ASKED: Final = schemathesis.openapi.from_dict(CONTRACT)
CHECKS: Final = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
COLLECTIONS: Final[dict[str, dict[str, Any]]] = {
    "items": {"modes": ["state", "log"]},
    "packed": {"value": "msgpack"},
    "strict": {"schema": "price.schema.json"},
    "passing": {"modes": ["log"], "state": "none"},
}
SCHEMA: Final = {"type": "object", "required": ["price"], "properties": {"price": {"type": "number"}}}
ROUTES: Final = [
    (path, method) for path, item in CONTRACT["paths"].items() for method in item if method != "parameters"
]
# An event stream doesn't end, and a WebSocket is no answer: each has a test of its own below.
ENDING: Final = [(path, method) for path, method in ROUTES if not path.endswith(("/stream", "/ws"))]
ENDLESS: Final = [path for path, _ in ROUTES if path.endswith("/stream")]
EXAMPLES: Final = 40
DOCUMENT: Final = "/v1/openapi.json"
JSON_VALUES: Final = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
ITEMS: Final = st.fixed_dictionaries(
    {"id": st.text(max_size=5)}, optional={"data": JSON_VALUES, "delete": st.sampled_from([True])}
)


def packed(value: object) -> bytes:
    try:
        return bytes(msgpack.packb(value))
    except (OverflowError, UnicodeEncodeError):
        return b"\xc1"


def line(value: object) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:
        return b"{"


schemathesis.openapi.media_type("application/msgpack", st.builds(packed, JSON_VALUES | st.lists(ITEMS, max_size=3)))
schemathesis.openapi.media_type("application/x-ndjson", st.lists(st.builds(line, ITEMS), max_size=3).map(b"\n".join))


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def fleet(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Fleet]:
    """A push server and a producer, with collections of every kind."""
    folder = tmp_path_factory.mktemp("contract")
    (folder / "price.schema.json").write_bytes(orjson.dumps(SCHEMA))
    async with Fleet(broker, folder, COLLECTIONS, servers=1) as running:
        yield running


@pytest.fixture(scope="module")
def session(fleet: Fleet) -> Any:
    """One for all requests, with something there to be read."""
    with requests.Session() as opened:
        for name in ("a", "b"):
            answer = opened.put(f"{fleet.producer.url}/v1/items/{name}", json={"price": 1.5}, timeout=10)
            assert answer.status_code == 200
        yield opened


def receiver(fleet: Fleet, method: str, path: str) -> str:
    """Who is asked behind the front door."""
    reads = method.upper() in {"GET", "HEAD", "OPTIONS"} or path in {"/v1/tickets", DOCUMENT}
    return fleet.servers[0].url if reads else fleet.producer.url


def as_asked(case: Any) -> None:
    """About a collection that is there, mostly, and without a wait."""
    named = case.path_parameters or {}
    # These are other addresses.
    assume(named.get("id") not in VERBS)
    if name := named.get("collection"):
        known = list(COLLECTIONS)
        case.path_parameters["collection"] = [*known, name][len(str(name)) % 5]
    if case.path.endswith("/poll"):
        case.query = {**(case.query or {}), "wait": 0}


def test_the_description_is_valid_openapi() -> None:
    validate(CONTRACT)


def test_every_problem_is_described_with_its_status_and_nothing_else_is() -> None:
    described = {}
    for name, schema in CONTRACT["components"]["schemas"].items():
        if name.endswith("Problem") and name != "Problem":
            members = schema["properties"]
            described[name.removesuffix("Problem")] = (members["code"]["const"], members["status"]["const"])
    kinds = {
        code.title().replace("_", ""): ("invalid" if code == "invalid_data" else code, kind.status)
        for code, kind in KINDS.items()
        if kind.status
    }
    assert described == kinds


@pytest.mark.parametrize(("path", "method"), ENDING, ids=[f"{method} {path}" for path, method in ENDING])
@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda mode: mode.value)
def test_every_answer_is_one_that_is_described(
    fleet: Fleet, session: requests.Session, path: str, method: str, mode: Any
) -> None:
    if path == DOCUMENT and mode is schemathesis.GenerationMode.NEGATIVE:
        # It takes nothing that could be wrong.
        return
    operation = ASKED[path][method.upper()]

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        as_asked(case)
        answer = case.call(base_url=receiver(fleet, method, path), session=session, timeout=10)
        assert answer.status_code < 500 or answer.json()["code"] in {"try_again", "unavailable"}, answer.text
        case.validate_response(answer, checks=CHECKS)

    ask()


@pytest.mark.parametrize("path", ENDLESS)
def test_an_event_stream_tells_frames_that_are_described(fleet: Fleet, session: requests.Session, path: str) -> None:
    url = fleet.servers[0].url + path.format(collection="items", id="a")
    resource = {"resource": "items"} if path.startswith("/v1/watch") else {}
    with session.get(url, params=resource, stream=True, timeout=10) as answer:
        assert answer.headers["Content-Type"].partition(";")[0] == "text/event-stream"
        told = []
        for text in answer.iter_lines():
            told += [orjson.loads(text.removeprefix(b"data: "))] if text.startswith(b"data: ") else []
            if told and told[-1]["event"] == "bookmark":
                break
    assert {"put", "synced", "bookmark"} <= {frame["event"] for frame in told}
    frames = jsonschema_rs.validator_for({"$ref": "#/components/schemas/Frame", "components": CONTRACT["components"]})
    for frame in told:
        frames.validate(frame)


@pytest.mark.parametrize("path", [path for path, _ in ROUTES if path.endswith("/ws")])
def test_a_websocket_is_refused_to_who_asks_for_none_as_is_described(
    fleet: Fleet, session: requests.Session, path: str
) -> None:
    answer = session.get(fleet.servers[0].url + path.format(collection="items", id="a"), timeout=10)
    assert (answer.status_code, answer.json()["code"]) == (426, "upgrade_required")


@pytest.mark.parametrize("path", CONTRACT["paths"])
@pytest.mark.parametrize("method", ["PATCH", "TRACE", "PROPFIND", "DELETE", "PUT", "POST", "GET"])
def test_a_method_that_is_not_described_is_not_allowed(
    fleet: Fleet, session: requests.Session, path: str, method: str
) -> None:
    if method.lower() in CONTRACT["paths"][path]:
        return
    url = receiver(fleet, method, path) + path.format(collection="items", id="a")
    answer = session.request(method, url, timeout=10)
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert method not in answer.headers["Allow"].split(", ")
