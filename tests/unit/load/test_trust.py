"""Whom a load test trusts: who proves to be the name that was asked for, by the authority that was named."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from infra.cluster.front_door import certificate
from load.users.line import Endpoint


class Secured(NamedTuple):
    """A server that shakes hands and hangs up."""

    url: str
    ca: str


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    made = certificate(tmp_path_factory.mktemp("trust"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made / "localhost.pem")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=shake_hands, args=(listening, context), daemon=True).start()
        yield Secured(f"https://localhost:{listening.getsockname()[1]}", str(made / "ca.pem"))


def shake_hands(listening: socket.socket, context: ssl.SSLContext) -> None:
    with suppress(OSError):
        while True:
            sock, _ = listening.accept()
            sock.settimeout(5)
            with sock, suppress(OSError):
                context.wrap_socket(sock, server_side=True).close()


def test_the_authority_that_is_named_is_trusted(secured: Secured) -> None:
    line = Endpoint(secured.url, ca=secured.ca).connect()
    assert line.read() == b""
    line.close()


def test_another_authority_is_not(secured: Secured, tmp_path: Path) -> None:
    other = certificate(tmp_path) / "ca.pem"
    for ca in ("", str(other)):
        with pytest.raises(ssl.SSLCertVerificationError):
            Endpoint(secured.url, ca=ca).connect()


def test_the_name_has_to_be_the_one_in_the_certificate(secured: Secured) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        Endpoint(secured.url, ca=secured.ca, server_name="front.example").connect()
    Endpoint(secured.url.replace("localhost", "127.0.0.1"), ca=secured.ca, server_name="localhost").connect().close()
