import http.server
import runpy
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.unit.infra.tree import INFRA

Lives = Callable[..., bool]


class Answering(http.server.BaseHTTPRequestHandler):
    """Says what it is set to at `/livez`, and 404 elsewhere."""

    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/livez" else 404)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the library's name
        """Say nothing."""


@pytest.fixture
def lives() -> Lives:
    found: Lives = runpy.run_path(str(INFRA / "docker/livez.py"))["lives"]
    return found


@pytest.fixture
def answering() -> Iterator[int]:
    server = http.server.HTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_process_that_answers_lives(lives: Lives, answering: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # A proxy of the environment must not be asked for the loopback.
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert lives(answering)


def test_a_process_that_answers_with_an_error_does_not_live(
    lives: Lives, answering: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Answering, "status", 500)
    assert not lives(answering)


def test_a_process_without_such_an_address_is_asked_for_another_one(lives: Lives, answering: int) -> None:
    assert lives(answering, "/livez")
    assert not lives(answering, "/")


def test_a_port_at_which_nobody_listens_does_not_live(lives: Lives) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        assert not lives(reserved.getsockname()[1])
