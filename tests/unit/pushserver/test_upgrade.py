"""The opening handshake of a WebSocket, field by field (RFC 6455, section 4.2)."""

import base64
from typing import Any, Final

import pytest

from services.pushserver.upgrade import read_handshake, switching, wants_websocket
from shared.problem import Problem

KEY: Final = b"dGhlIHNhbXBsZSBub25jZQ=="
FIELDS: Final = [(b"host", b"here"), (b"sec-websocket-version", b"13"), (b"sec-websocket-key", KEY)]


def asked(*more: tuple[bytes, bytes], without: bytes = b"", **scope: Any) -> dict[str, Any]:
    headers = [(name, value) for name, value in FIELDS if name != without] + list(more)
    return {"type": "http", "method": "GET", "http_version": "1.1", "scheme": "http", "headers": headers, **scope}


def refused(scope: dict[str, Any], url: bytes = b"/") -> Problem:
    with pytest.raises(Problem) as raised:
        read_handshake(scope, url)
    return raised.value


def test_the_answer_to_the_example_of_the_rfc_is_that_of_the_rfc() -> None:
    accept = read_handshake(asked(), b"/")
    assert accept == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert switching(accept, [("Sec-WebSocket-Protocol", "chat")]) == (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n"
    )


def test_the_scope_becomes_that_of_a_websocket() -> None:
    scope = asked(scheme="https")
    read_handshake(scope, b"/v1/items/a%2Fb?x=1&y=?")
    headers = scope.pop("headers")
    assert headers == FIELDS
    assert scope == {
        "type": "websocket",
        "http_version": "1.1",
        "scheme": "wss",
        "path": "/v1/items/a/b",
        "raw_path": b"/v1/items/a%2Fb",
        "query_string": b"x=1&y=?",
        "subprotocols": [],
    }


def test_subprotocols_keep_their_order_over_several_headers() -> None:
    scope = asked((b"sec-websocket-protocol", b"one, two"), (b"sec-websocket-protocol", b"three"))
    read_handshake(scope, b"/")
    assert scope["subprotocols"] == ["one", "two", "three"]
    assert scope["scheme"] == "ws"


@pytest.mark.parametrize("size", [0, 15, 17, 32])
def test_a_key_has_16_bytes(size: int) -> None:
    key = base64.b64encode(bytes(size))
    assert refused(asked((b"sec-websocket-key", key), without=b"sec-websocket-key")).code == "invalid"


@pytest.mark.parametrize(
    "scope",
    [
        pytest.param(asked(http_version="1.0"), id="HTTP/1.0"),
        pytest.param(asked(without=b"host"), id="no host"),
        pytest.param(asked((b"host", b"there")), id="two hosts"),
        pytest.param(asked(without=b"sec-websocket-key"), id="no key"),
        pytest.param(asked((b"sec-websocket-key", KEY)), id="two keys"),
        pytest.param(
            asked((b"sec-websocket-key", KEY[:-3] + b"!=="), without=b"sec-websocket-key"), id="a key in no base64"
        ),
    ],
)
def test_what_is_no_handshake_is_invalid(scope: dict[str, Any]) -> None:
    assert refused(scope).code == "invalid"
    assert scope["type"] == "http", "left as it was"


def test_a_url_is_ascii() -> None:
    assert refused(asked(), "/ü".encode()).code == "invalid"


@pytest.mark.parametrize(
    "scope",
    [
        pytest.param(asked(without=b"sec-websocket-version"), id="none"),
        pytest.param(asked((b"sec-websocket-version", b"8"), without=b"sec-websocket-version"), id="another"),
        pytest.param(asked((b"sec-websocket-version", b"13")), id="two"),
    ],
)
def test_a_refused_version_is_told_the_right_one(scope: dict[str, Any]) -> None:
    problem = refused(scope)
    assert (problem.status, problem.code) == (426, "upgrade_required")
    assert problem.response_headers()["Sec-WebSocket-Version"] == "13"


def test_only_get_opens_a_websocket() -> None:
    problem = refused(asked(method="POST"))
    assert (problem.status, problem.response_headers()["Allow"]) == (405, "GET")


@pytest.mark.parametrize(
    ("headers", "wants"),
    [
        ([(b"upgrade", b"websocket")], True),
        ([(b"upgrade", b"WebSocket")], True),
        ([(b"upgrade", b"h2c"), (b"upgrade", b"websocket")], True),
        ([(b"upgrade", b"h2c")], False),
        ([(b"x-upgrade", b"websocket")], False),
        ([], False),
    ],
)
def test_another_protocol_is_not_wanted_by_its_name(headers: list[tuple[bytes, bytes]], *, wants: bool) -> None:
    assert wants_websocket(headers) == wants
