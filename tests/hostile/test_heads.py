"""Values of headers that look like what they are not."""

import pytest

from tests.hostile.http_answers import read_answers
from tests.support.fed_server import FedServer
from tests.support.server import RawClient


@pytest.mark.parametrize("wait", [b"\xb3", b'"\xb2"', b"1\xb9", b"1_0", b"1e9", b"-1", b"nan"])
async def test_a_preference_that_is_no_number_is_not_heeded(fed: FedServer, wait: bytes) -> None:
    client = await RawClient.connect(fed.port)
    client.send(b"GET /v1/items/r0 HTTP/1.1\r\nHost: here\r\nConnection: close\r\nPrefer: wait=%b\r\n\r\n" % wait)
    (answer,) = read_answers(await client.rest())
    await client.close()
    assert answer.status == 200
    assert answer.header("preference-applied") == ""
