"""Heads of requests, once they are parsed as HTTP: what is asked is understood, or refused with a problem."""

from random import Random
from typing import Any, Final
from urllib.parse import quote

from services.pushserver.transports.request import JSON, MAX_WAIT_S, MSGPACK, NDJSON, negotiate, read_request
from shared.problem import Problem
from shared.resource import RESERVED_IN_URLS
from shared.target import parse_target
from tests.hostile.fuzz.mutation import Mutator
from tests.hostile.path_cases import TRICKS

PATHS: Final = (
    b"/v1/items",
    b"/v1/items/a",
    b"/v1/items/caf%C3%A9",
    b"/v1/items/a%2Fb/stream",
    b"/v1/items/ws",
    b"/v1/items/poll",
    b"/v1/watch/stream",
    b"/v1/watch/ws",
    b"/v1/watch/poll",
    *(trick.target.partition(b"?")[0] for trick in TRICKS),
)
QUERIES: Final = (
    b"",
    b"resource=items/a&resource=items%3Fprefix%3Db",
    b"prefix=caf%C3%A9&limit=10&after=AXuFo&format=compact",
    b"mode=log&snapshot=false&since=2026-11-23T10:00:00Z&wait=12.5",
    b"cursor=AXuFo-gIKVLvAAQeHQAU&at_least=AXuFo-gIKVLvAAQeHQAU",
    b"since=2026-11-23T10:00:00.5+01:00&wait=1e3&wait=0",
)
HEADERS: Final = (
    b"*/*",
    b"text/event-stream",
    b"application/json;q=0.5, application/msgpack, */*;q=0",
    b"wait=10, respond-async",
    b'wait="3"; foo=bar',
    b"AXuFo-gIKVLvAAQeHQAU",
)
NAMES: Final = (b"accept", b"prefer", b"last-event-id", b"if-none-match", b"origin", b"cookie", b"authorization")
_DIGITS: Final = (
    b"\xb2",
    b"\xb9",
    b"1_0",
    b"1e400",
    b"inf",
    b"-0",
    b"wait=",
    b"q=nan",
    b"q=",
    b"prefix=",
    b"resource=",
)


class Heads:
    """Inputs are ASGI scopes."""

    name = "heads"

    def make(self, random: Random) -> dict[str, Any]:
        """A scope whose path, query and headers are nearly right."""
        headers = Mutator(random, HEADERS, _DIGITS, calm=0.5)
        return {
            "type": random.choice(("http", "http", "http", "websocket")),
            "raw_path": Mutator(random, PATHS, calm=0.5).make(),
            "query_string": Mutator(random, QUERIES, _DIGITS, calm=0.5).make() if random.random() < 0.7 else b"",
            "headers": [(random.choice(NAMES), headers.make()) for _ in range(random.randrange(4))],
        }

    def run(self, data: dict[str, Any]) -> bool:
        """Whether it is understood; then everything that a transport asks of it has an answer, or is a problem too."""
        try:
            asked = read_request(data)
            _asked_again(data["raw_path"])
            assert asked.preferred_wait_s is None or 0 <= asked.preferred_wait_s <= MAX_WAIT_S
            assert 0 <= asked.number("wait", 1, low=0, high=60) <= 60
            assert 1 <= asked.whole("limit", 1, low=1, high=100) <= 100
            negotiate(asked.accept, JSON, NDJSON, MSGPACK)
        except Problem as problem:
            check_refusal(problem)
            return False
        return True


def check_refusal(problem: Problem) -> None:
    """A problem is the client's, and can be written as an answer whose head is one."""
    assert problem.status not in {0, 500}, problem
    problem.body()
    for name, value in problem.response_headers().items():
        assert not set(f"{name}{value}") & {"\r", "\n", "\0"}, f"a header {name}: {value!r}"
        value.encode("latin-1")


def _asked_again(raw_path: bytes) -> None:
    """An address that is understood can be written anew, and means the same."""
    watch, verb = parse_target(raw_path)
    if watch is None:
        return
    parts = [watch.collection, *(() if watch.id is None else (watch.id,)), *((verb,) if verb else ())]
    assert watch.id not in RESERVED_IN_URLS
    assert parse_target(("/v1/" + "/".join(quote(part, safe="") for part in parts)).encode()) == (watch, verb)
