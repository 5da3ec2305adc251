"""What a poll gathers, and how far that reaches."""

import json

from services.pushserver.close import GOING_AWAY, CloseReason
from services.pushserver.overlap import Overlap
from services.pushserver.session import Session
from services.pushserver.settings import PushServerSettings
from services.pushserver.subscriber import Subscriber
from services.pushserver.subscription import WatchRequest
from services.pushserver.transports.longpoll import Gathering
from services.pushserver.turns import Turns
from services.pushserver.wire import LINES
from shared.cursor import decode_cursor
from shared.principal import EVERYBODY
from shared.resource import Watch
from tests.support.core_client import broadcast, hub_of
from tests.support.events import put


class Poll:
    """A poll of `stocks` that resumes from its end: nothing to tell yet."""

    def __init__(self) -> None:
        self.hub = hub_of(put("a", 0))
        self.gathering = Gathering(Turns(), 10_000)
        self.subscriber = Subscriber(
            LINES["compact"], self.gathering, self.hub.counters, limit_bytes=10_000, together=True, quiet=True
        )
        self.gathering.subscriber = self.subscriber
        self.hub.join(self.subscriber)
        session = Session(self.hub, self.subscriber, EVERYBODY, max_watches=1)
        assert session.subscribe(WatchRequest(Watch("stocks"), "state", snapshot=False)) is None
        self.gathering.pump()

    def told(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.gathering.take().splitlines()]

    def reaches(self) -> int:
        cursor = self.gathering.cursor
        assert cursor
        (segment,) = decode_cursor(cursor)
        return segment.positions[0]


def test_the_cursor_goes_with_what_was_gathered() -> None:
    poll = Poll()
    broadcast(poll.hub, put("a", 1))
    broadcast(poll.hub, put("b", 2))
    assert poll.told()[-2:] == ["put", "put"]
    assert poll.reaches() == 3


def test_what_comes_after_the_end_is_not_covered_by_the_cursor() -> None:
    poll = Poll()
    broadcast(poll.hub, put("a", 1))
    Overlap(PushServerSettings()).send_away(poll.subscriber)
    broadcast(poll.hub, put("b", 2))
    assert poll.told()[-2:] == ["put", "goaway"]
    assert poll.reaches() == 2


def test_the_end_of_one_that_was_told_nothing_is_where_it_stood() -> None:
    poll = Poll()
    reason: CloseReason = GOING_AWAY
    poll.subscriber.end(reason)
    broadcast(poll.hub, put("a", 1))
    assert poll.reaches() == 1
    assert poll.gathering.done.is_set()
