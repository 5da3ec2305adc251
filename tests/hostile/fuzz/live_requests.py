"""Live HTTP: requests that are nearly right, one behind another, to a push server and to a producer."""

from random import Random
from typing import Final

import orjson

from infra.cluster.service import Service
from shared.problem import KINDS, MEDIA_TYPE
from tests.hostile import framing_cases
from tests.hostile.framing_cases import READ, WRITE, Way
from tests.hostile.fuzz.heads import HEADERS, NAMES, PATHS, QUERIES
from tests.hostile.fuzz.live import Judged
from tests.hostile.fuzz.mutation import Mutator
from tests.hostile.fuzz.place import Place
from tests.hostile.http_answers import Answer, read_whole_answers
from tests.hostile.path_cases import TRICKS
from tests.integration.test_handoff_wires import UPGRADE

_LAST: Final = b"GET /v1/items/last HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"
_STATUSES: Final = frozenset({200, 204, 304, *(kind.status for kind in KINDS.values())} - {0, 500})
_BODIES: Final = (b"1", b'{"a": 1}', b'[{"id": "a", "data": 1}, {"id": "b", "delete": true}]', b'{"id":"c","data":2}\n')
_TYPES: Final = (b"application/json", b"application/x-ndjson", b"application/msgpack", b"text/plain")


class LiveRequests:
    """Inputs are requests, or what some will take for several."""

    name = "live http"
    way = READ

    def __init__(self) -> None:
        addressed = (self._plain(trick.target) for trick in TRICKS)
        self._seeds = (*framing_cases.all_bytes(self.way), *addressed, *((UPGRADE,) if self.way is READ else ()))

    def service(self, place: Place) -> Service:
        """The push server."""
        return place.server

    def make(self, random: Random) -> bytes:
        """A malformed one that is changed once more, or a right one with changed parts."""
        if random.random() < 0.3:
            return Mutator(random, self._seeds).make()
        target = Mutator(random, PATHS, calm=0.5).make()
        if random.random() < 0.5:
            target += b"?" + Mutator(random, QUERIES, calm=0.5).make()
        headers = Mutator(random, HEADERS, calm=0.5)
        chosen = b"".join(b"%b: %b\r\n" % (random.choice(NAMES), headers.make()) for _ in range(random.randrange(3)))
        return self._plain(_shown(target), chosen, self._content(random))

    def script(self, inputs: list[bytes]) -> bytes:
        """The last request ends the connection."""
        return b"".join(inputs) + _LAST

    def over(self, said: bytes) -> bool:
        """Never: it hangs up behind the last answer."""
        return False

    def judge(self, inputs: list[bytes], said: bytes) -> Judged:
        """Whole answers, each with a status that is declared, and each problem with its code."""
        answers = list(read_whole_answers(said))
        for answer in answers:
            _check(answer)
        taken = min(len(inputs), max(1, len(answers)))
        return Judged(taken, sum(answer.status < 400 for answer in answers[:taken]))

    def _content(self, random: Random) -> bytes | None:
        return None

    def _plain(self, target: bytes, headers: bytes = b"", content: bytes | None = None) -> bytes:
        way: Way = self.way
        told = b"" if content is None else b"Content-Length: %d\r\n" % len(content)
        return b"%b %b HTTP/1.1\r\nHost: here\r\n%b%b\r\n%b" % (way.method, target, headers, told, content or b"")


class LiveWrites(LiveRequests):
    """The same to the producer, with bodies."""

    name = "live writes"
    way = WRITE

    def service(self, place: Place) -> Service:
        """The producer."""
        return place.producer

    def make(self, random: Random) -> bytes:
        """PUT, or another method."""
        data = super().make(random)
        return data.replace(b"PUT", random.choice((b"PUT", b"PUT", b"DELETE", b"POST")), 1)

    def _content(self, random: Random) -> bytes:
        return Mutator(random, _BODIES, calm=0.5).make()

    def _plain(self, target: bytes, headers: bytes = b"", content: bytes | None = None) -> bytes:
        kind = _TYPES[len(target) % len(_TYPES)] if b"poll" in target else _TYPES[0]
        return super()._plain(target, headers + b"Content-Type: %b\r\n" % kind, content)


def _shown(target: bytes) -> bytes:
    """Without what would end the line."""
    return target.translate(None, b"\r\n ")


def _check(answer: Answer) -> None:
    assert answer.status in _STATUSES or answer.status == 101, answer
    assert b'"code":"internal"' not in answer.body, answer
    if answer.status >= 400 and answer.header("content-type") == MEDIA_TYPE and answer.body:
        problem = orjson.loads(answer.body)
        assert KINDS[problem["code"]].status in {answer.status, 400}, problem
