from urllib.parse import parse_qsl, urlsplit

from cli.watching.request import TailRequest
from shared.resource import Watch

WATCHES = (Watch("stocks", "a/b&c"), Watch("stocks"), Watch("stocks", prefix="A é"))
REQUEST = TailRequest("http://x", WATCHES, mode="log", cursor="c", snapshot=False)


def test_every_watch_and_parameter_is_in_the_url() -> None:
    parts = urlsplit(REQUEST.target("poll", ("wait", "5")))
    assert parts.path == "/v1/watch/poll"
    assert parse_qsl(parts.query) == [
        ("resource", "stocks/a/b&c"),
        ("resource", "stocks"),
        ("resource", "stocks?prefix=A é"),
        ("mode", "log"),
        ("cursor", "c"),
        ("snapshot", "false"),
        ("wait", "5"),
    ]


def test_every_watch_is_an_operation() -> None:
    assert REQUEST.operations()[1] == {
        "op": "subscribe",
        "watch": "stocks",
        "mode": "log",
        "cursor": "c",
        "snapshot": False,
    }


def test_a_plain_request_leaves_everything_to_the_server() -> None:
    plain = TailRequest("http://x", (Watch("stocks"),))
    assert plain.target("stream") == "http://x/v1/watch/stream?resource=stocks"
    assert plain.socket_target() == "http://x/v1/watch/ws"
    assert plain.operations() == [{"op": "subscribe", "watch": "stocks"}]
