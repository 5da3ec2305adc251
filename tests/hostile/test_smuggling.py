"""HTTP as no honest client writes it: one answer for each request, nothing out of a body, no end that is in doubt."""

import asyncio
import secrets
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import orjson
import pytest
import pytest_asyncio

from tests.hostile.framing_cases import READ, WRITE, Doubt, Malformed, Outcome, Way, doubts, malformed
from tests.hostile.http_answers import Answer, read_answers
from tests.hostile.path_cases import TRICKS, Trick
from tests.integration.fronted import Fronted

LAST = b"GET /v1/items/last HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class Named(Protocol):
    @property
    def name(self) -> str: ...


def ids(cases: Iterable[Named]) -> list[str]:
    return [case.name for case in cases]


DOUBTS, MALFORMED = list(doubts()), list(malformed())
BAD: list[Doubt | Malformed] = [*DOUBTS, *MALFORMED]


@dataclass(frozen=True)
class Receiver:
    """Somebody who is asked: `way` is how."""

    way: Way
    port: int
    trust: ssl.SSLContext | None

    async def told(self, text: bytes) -> list[Answer]:
        """Every answer to these bytes, until the connection ends; none of them is a mistake of ours."""
        host = "localhost" if self.trust else "127.0.0.1"
        async with asyncio.timeout(10):
            reader, writer = await asyncio.open_connection(host, self.port, ssl=self.trust)
            try:
                writer.write(text)
                said = await reader.read(-1)
            finally:
                writer.close()
        # What isn't spoken to in HTTP/1 is told in HTTP/2 that it can't go on.
        answers = [] if said[3:4] == b"\x04" else read_answers(said)
        assert all(answer.status not in {500, 502} and "internal" not in answer.body.decode() for answer in answers)
        return answers


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def receivers(front: Fronted) -> dict[str, Receiver]:
    """By name."""
    trust = ssl.create_default_context()
    producer = int(front.door.variables["FRONT_PRODUCER_1"].rpartition(":")[2])
    await front.writer.put("items/asked", 1)
    return {
        "push server": Receiver(READ, front.servers[0].port, None),
        "producer": Receiver(WRITE, producer, None),
        "door, read": Receiver(READ, front.door.port, trust),
        "door, write": Receiver(WRITE, front.door.port, trust),
    }


async def honest(front: Fronted, hidden: str) -> None:
    """Others are answered what they asked, and of the hidden request there is no trace."""
    for _ in range(2):
        name = f"honest-{secrets.token_hex(4)}"
        nothing = await front.writer.http.get(f"/v1/items/{name}")
        assert orjson.loads(nothing.body)["detail"] == f"there is no items/{name}"
        change = await front.writer.put(f"items/{name}", name)
        found = await front.writer.http.get(f"/v1/items/{name}?at_least={change.cursor}")
        assert (found.status, found.json()) == (200, name)
    if hidden:
        assert (await front.writer.http.get(f"/v1/items/{hidden}?at_least={change.cursor}")).status == 404


@pytest.mark.parametrize("case", BAD, ids=ids(BAD))
@pytest.mark.parametrize("name", ["push server", "producer"])
async def test_a_service_refuses_whatever_is_in_doubt_and_ends_the_connection(
    receivers: dict[str, Receiver], name: str, case: Doubt | Malformed
) -> None:
    (answer,) = await receivers[name].told(case.text(receivers[name].way, b"smuggled") + LAST)
    assert answer.status == 400


def refused(answers: list[Answer]) -> bool:
    """Whether there is nothing but a 400, or nothing at all."""
    return [answer.status for answer in answers] in ([400], [])


def judge(outcome: Outcome, answers: list[Answer]) -> None:
    """Whether the answers, with the one to LAST, are what an outcome says."""
    if outcome in {"refused", "either"} and refused(answers):
        return
    count = {"last": 1, "one": 2, "apart": 3, "either": 3, "silent": 0}.get(outcome)
    assert len(answers) == count, [(answer.status, answer.body[:100]) for answer in answers]
    if count > 1:
        assert orjson.loads(answers[-1].body)["detail"] == "there is no items/last"


@pytest.mark.parametrize("case", BAD, ids=ids(BAD))
@pytest.mark.parametrize("name", ["door, read", "door, write"])
async def test_the_door_and_the_services_count_the_same_requests(
    front: Fronted, receivers: dict[str, Receiver], name: str, case: Doubt | Malformed
) -> None:
    hidden, receiver = f"smuggled-{secrets.token_hex(4)}", receivers[name]
    answers = await receiver.told(case.text(receiver.way, hidden.encode()) + LAST)
    judge(case.door, answers)
    await honest(front, "" if len(answers) == 3 else hidden)


@pytest.mark.parametrize("trick", TRICKS, ids=[trick.target.decode()[:60] for trick in TRICKS])
@pytest.mark.parametrize("name", ["push server", "door, read", "producer", "door, write"])
async def test_an_address_means_one_thing_to_everyone(receivers: dict[str, Receiver], name: str, trick: Trick) -> None:
    receiver = receivers[name]
    content = b"Content-Type: application/json\r\nContent-Length: 1\r\n" if receiver.way is WRITE else b""
    head = b"%b %b HTTP/1.1\r\nHost: localhost\r\n%b\r\n" % (receiver.way.method, trick.target, content)
    answers = await receiver.told(head + (b"1" if content else b"") + LAST)
    # HAProxy goes on with nobody whose first line or Host it can't take. 3.2 takes no `*`, and may leave out the 400.
    if name.startswith("door") and (trick.door == 400 or trick.target == b"*") and refused(answers):
        return
    first, _ = answers
    expected = {"push server": {trick.read}, "producer": {trick.written}, "door, read": {trick.door}}
    # What isn't the address of a write isn't passed on.
    assert first.status in expected.get(name, {trick.written, 400, 405})
    assert not [header for header, _ in first.headers if "injected" in header]
    assert b"secret" not in first.body
